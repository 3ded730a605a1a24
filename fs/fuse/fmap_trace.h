/* SPDX-License-Identifier: GPL-2.0 */
/*
 * File maps of FUSE: tracepoints
 *
 * Included last by the fmap_*.c files that use them; fmap_stats.c defines them.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM fuse_fmap

#if !defined(_TRACE_FUSE_FMAP_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_FUSE_FMAP_H

#include <linux/mm.h>
#include <linux/tracepoint.h>

/* An open has found out what the file is: mapped, ordinary, or an error */
TRACE_EVENT(fmap_open,
	    TP_PROTO(struct inode *inode, int result),
	    TP_ARGS(inode, result),
	    TP_STRUCT__entry(__field(dev_t, dev)
			     __field(u64, nodeid)
			     __field(int, result)),
	    TP_fast_assign(__entry->dev = inode->i_sb->s_dev;
			   __entry->nodeid = get_node_id(inode);
			   __entry->result = result;),
	    TP_printk("dev %d:%d nodeid %llu %s (%d)",
		      MAJOR(__entry->dev), MINOR(__entry->dev), __entry->nodeid,
		      __entry->result > 0 ? "mapped" :
		      __entry->result ? "error" : "ordinary",
		      __entry->result));

/* The server has answered; ret is the length of its reply, or an errno */
TRACE_EVENT(fmap_fetch,
	    TP_PROTO(struct inode *inode, u64 offset, size_t room, ssize_t ret),
	    TP_ARGS(inode, offset, room, ret),
	    TP_STRUCT__entry(__field(dev_t, dev)
			     __field(u64, nodeid)
			     __field(u64, offset)
			     __field(size_t, room)
			     __field(ssize_t, ret)),
	    TP_fast_assign(__entry->dev = inode->i_sb->s_dev;
			   __entry->nodeid = get_node_id(inode);
			   __entry->offset = offset;
			   __entry->room = room;
			   __entry->ret = ret;),
	    TP_printk("dev %d:%d nodeid %llu offset %llu room %zu ret %zd",
		      MAJOR(__entry->dev), MINOR(__entry->dev), __entry->nodeid,
		      __entry->offset, __entry->room, __entry->ret));

/*
 * A message that was sound in itself was put in force, or could not be.  It
 * begins at start and goes on, if it is a page, at next.
 */
TRACE_EVENT(fmap_install,
	    TP_PROTO(struct inode *inode, u64 start, u32 extents,
		     const struct fmap_message *msg, int ret),
	    TP_ARGS(inode, start, extents, msg, ret),
	    TP_STRUCT__entry(__field(dev_t, dev)
			     __field(u64, nodeid)
			     __field(u64, size)
			     __field(u64, start)
			     __field(u64, next)
			     __field(u32, extents)
			     __field(int, ret)),
	    TP_fast_assign(__entry->dev = inode->i_sb->s_dev;
			   __entry->nodeid = get_node_id(inode);
			   __entry->size = msg->file_size;
			   __entry->start = start;
			   __entry->next = msg->next;
			   __entry->extents = extents;
			   __entry->ret = ret;),
	    TP_printk("dev %d:%d nodeid %llu size %llu start %llu next %llu extents %u ret %d",
		      MAJOR(__entry->dev), MINOR(__entry->dev), __entry->nodeid,
		      __entry->size, __entry->start, __entry->next,
		      __entry->extents, __entry->ret));

/* The server has taken a part of a map back; len 0 is to the end */
TRACE_EVENT(fmap_invalidate,
	    TP_PROTO(struct inode *inode, u64 start, u64 len, int ret),
	    TP_ARGS(inode, start, len, ret),
	    TP_STRUCT__entry(__field(dev_t, dev)
			     __field(u64, nodeid)
			     __field(u64, start)
			     __field(u64, len)
			     __field(int, ret)),
	    TP_fast_assign(__entry->dev = inode->i_sb->s_dev;
			   __entry->nodeid = get_node_id(inode);
			   __entry->start = start;
			   __entry->len = len;
			   __entry->ret = ret;),
	    TP_printk("dev %d:%d nodeid %llu start %llu len %llu ret %d",
		      MAJOR(__entry->dev), MINOR(__entry->dev), __entry->nodeid,
		      __entry->start, __entry->len, __entry->ret));

/* The map did not lead to memory: behind its end, or the device has gone */
TRACE_EVENT(fmap_miss,
	    TP_PROTO(struct inode *inode, loff_t pos, loff_t len, int ret),
	    TP_ARGS(inode, pos, len, ret),
	    TP_STRUCT__entry(__field(dev_t, dev)
			     __field(u64, nodeid)
			     __field(loff_t, pos)
			     __field(loff_t, len)
			     __field(int, ret)),
	    TP_fast_assign(__entry->dev = inode->i_sb->s_dev;
			   __entry->nodeid = get_node_id(inode);
			   __entry->pos = pos;
			   __entry->len = len;
			   __entry->ret = ret;),
	    TP_printk("dev %d:%d nodeid %llu pos %lld len %lld ret %d",
		      MAJOR(__entry->dev), MINOR(__entry->dev), __entry->nodeid,
		      __entry->pos, __entry->len, __entry->ret));

/* A page fault; order is what was tried, result the flags it ended with */
TRACE_EVENT(fmap_fault,
	    TP_PROTO(struct inode *inode, const struct vm_fault *vmf,
		     unsigned int order, bool write, vm_fault_t result),
	    TP_ARGS(inode, vmf, order, write, result),
	    TP_STRUCT__entry(__field(dev_t, dev)
			     __field(u64, nodeid)
			     __field(pgoff_t, pgoff)
			     __field(unsigned int, order)
			     __field(bool, write)
			     __field(vm_fault_t, result)),
	    TP_fast_assign(__entry->dev = inode->i_sb->s_dev;
			   __entry->nodeid = get_node_id(inode);
			   __entry->pgoff = vmf->pgoff;
			   __entry->order = order;
			   __entry->write = write;
			   __entry->result = result;),
	    TP_printk("dev %d:%d nodeid %llu pgoff 0x%lx order %u %s result %s",
		      MAJOR(__entry->dev), MINOR(__entry->dev), __entry->nodeid,
		      __entry->pgoff, __entry->order,
		      __entry->write ? "write" : "read",
		      __print_flags((__force unsigned long)__entry->result, "|",
				    VM_FAULT_RESULT_TRACE)));

/* What a mapped file does not do was asked of one */
TRACE_EVENT(fmap_refuse,
	    TP_PROTO(struct inode *inode, const char *what, int ret),
	    TP_ARGS(inode, what, ret),
	    TP_STRUCT__entry(__field(dev_t, dev)
			     __field(u64, nodeid)
			     __string(what, what)
			     __field(int, ret)),
	    TP_fast_assign(__entry->dev = inode->i_sb->s_dev;
			   __entry->nodeid = get_node_id(inode);
			   __assign_str(what);
			   __entry->ret = ret;),
	    TP_printk("dev %d:%d nodeid %llu %s ret %d",
		      MAJOR(__entry->dev), MINOR(__entry->dev), __entry->nodeid,
		      __get_str(what), __entry->ret));

#endif /* _TRACE_FUSE_FMAP_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE fmap_trace
#include <trace/define_trace.h>
