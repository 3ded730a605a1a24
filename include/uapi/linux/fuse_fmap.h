/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-2-Clause) */
/**
 * DOC: File maps of FUSE: where the bytes of a file lie on memory devices
 *
 * A server that negotiated FUSE_DAX_FMAP may tell the kernel which ranges of
 * which DAX devices hold a file's bytes (its "fmap").  The kernel caches that
 * map, piece by piece, and serves read, write and mmap from the devices' memory
 * without a message to the server.  The server may take any part of it back.
 *
 * This file has the structures and the rules.  The enumerators that go with
 * them (opcodes, notification codes, the INIT flag) are in fuse.h, which
 * includes this file, and the ioctls on /dev/fuse stand there beside their
 * siblings.  All integers are native endian, as everywhere in the FUSE protocol.
 * Here they are with their numbers::
 *
 *	opcode			nodeid		in argument		reply
 *	FUSE_GET_FMAP, 54	the file	fuse_get_fmap_in	fuse_famfs_fmap_header,
 *									then extents
 *	FUSE_GET_DAXDEV, 55	device index	none			fuse_daxdev_out
 *
 *	notification			body
 *	FUSE_NOTIFY_INVAL_FMAP, 10	fuse_notify_fmap_out
 *	FUSE_NOTIFY_STORE_FMAP, 11	fuse_notify_fmap_out, then a GET_FMAP reply
 *
 *	ioctl				number
 *	FUSE_DEV_IOC_DAXDEV_OPEN	_IOW(229, 4, struct fuse_backing_map)
 *	FUSE_DEV_IOC_DAXDEV_CLOSE	_IOW(229, 5, uint32_t)
 *
 * GET_FMAP.  The extents follow the header without padding and lie end to end
 * in file order.  With FUSE_FAMFS_EXT_SIMPLE they are fuse_famfs_simple_ext,
 * each a run of one device.  With FUSE_FAMFS_EXT_INTERLEAVE they are
 * fuse_famfs_iext, each followed by ie_nstrips fuse_famfs_simple_ext (its
 * strips); chunk c of such an extent lies on strip c % ie_nstrips, at
 * se_offset + (c / ie_nstrips) * ie_chunk_size.
 *
 * A message is valid if
 *
 *  - fmap_version is 1, file_type and ext_type are known, reserved fields are 0;
 *  - offsets, lengths and the chunk size are multiples of the page size, but
 *    the ie_nbytes of the last extent of the map may end anywhere;
 *  - no extent is empty, ie_chunk_size and ie_nstrips are not 0, and each strip
 *    holds its share;
 *  - every extent lies inside its device, and no two of the map overlap;
 *  - the extents of the map hold at least file_size bytes; there are none only
 *    if file_size is 0, or the message is about what lies behind it.
 *
 * Pages.  A message whose next_offset is 0 ends the map.  Otherwise it is a page
 * of it: its extents end at next_offset, where the next page begins.  The first
 * request asks for offset 0.  Once a server has sent a page, the kernel asks for
 * any place that an access needs, and the reply begins at the offset asked for.
 * A server that will not cut an extent there says where its extent begins: no
 * extents, and next_offset in front of the offset asked for (which may be 0: a
 * map cannot end there); the kernel then asks once more, for that place.  All
 * pages tell the same file_size, until the server invalidates or stores a part of
 * the map.  A server that never sends a page is always asked for offset 0, and
 * always answers with the whole map.
 *
 * An open whose map does not hold to this fails, and nothing has changed::
 *
 *	EINVAL	the message is malformed
 *	EFBIG	the message is larger than FUSE_FMAP_MAX_MSG
 *	ENODEV	a device is not known
 *	EBUSY	bytes of a device belong to another inode, on any mount
 *	EIO	the reply does not fit the room that the request offered, or the
 *		pages do not fit together
 *
 * If the map of an open file is asked for, any of this, and any error that the
 * server answers, is EIO to read and write and SIGBUS to a page fault.
 *
 * The server may answer ENODATA: the inode then is an ordinary FUSE inode as
 * long as it is open anywhere or its page cache holds data; a later open asks
 * again.  It may answer ENOSYS: the kernel never asks this connection again.
 */
#ifndef _UAPI_LINUX_FUSE_FMAP_H
#define _UAPI_LINUX_FUSE_FMAP_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
#endif

/* The only version of the map's encoding so far: fmap_version */
#define FUSE_FAMFS_FMAP_VERSION		1

/* Largest GET_FMAP reply in bytes, header included */
#define FUSE_FMAP_MAX_MSG		(16 << 20)

/* Device indices of a connection go from 0 to FUSE_FMAP_MAX_DEVS - 1 */
#define FUSE_FMAP_MAX_DEVS		64

/* Bytes of the name in fuse_daxdev_out, terminating NUL included */
#define FUSE_DAXDEV_NAME_MAX		256

/**
 * enum fuse_famfs_file_type - what a mapped file is to its server
 * @FUSE_FAMFS_FILE_REG: a regular file
 * @FUSE_FAMFS_FILE_SUPERBLOCK: the file shows the superblock
 * @FUSE_FAMFS_FILE_LOG: the file shows the log
 */
enum fuse_famfs_file_type {
	FUSE_FAMFS_FILE_REG		= 0,
	FUSE_FAMFS_FILE_SUPERBLOCK	= 1,
	FUSE_FAMFS_FILE_LOG		= 2,
};

/**
 * enum fuse_famfs_ext_type - how the extents of a map are written
 * @FUSE_FAMFS_EXT_SIMPLE: as struct fuse_famfs_simple_ext
 * @FUSE_FAMFS_EXT_INTERLEAVE: as struct fuse_famfs_iext and its strips
 */
enum fuse_famfs_ext_type {
	FUSE_FAMFS_EXT_SIMPLE		= 0,
	FUSE_FAMFS_EXT_INTERLEAVE	= 1,
};

/**
 * struct fuse_get_fmap_in - argument of FUSE_GET_FMAP
 * @size: room for the reply in bytes; a map that needs more is answered by the
 *	  header alone, with the bytes needed in fmap_size
 * @flags: 0
 * @offset: first byte of the file that is asked for, a multiple of the page size
 * @length: bytes of the file from there on that the kernel has no map for; 0 is
 *	    to the end.  A hint: the reply may hold fewer or more
 */
struct fuse_get_fmap_in {
	uint32_t	size;
	uint32_t	flags;
	uint64_t	offset;
	uint64_t	length;
};

/**
 * struct fuse_famfs_fmap_header - first part of a FUSE_GET_FMAP reply
 * @file_type: enum fuse_famfs_file_type
 * @reserved: 0
 * @fmap_version: FUSE_FAMFS_FMAP_VERSION
 * @ext_type: enum fuse_famfs_ext_type
 * @nextents: number of extents that follow
 * @fmap_size: bytes of the whole message; 0 from servers that do not tell
 * @file_size: size of the file in bytes
 * @next_offset: 0 if the map ends with this message, else the byte of the file
 *		 at which the next page begins
 */
struct fuse_famfs_fmap_header {
	uint8_t		file_type;
	uint8_t		reserved;
	uint16_t	fmap_version;
	uint32_t	ext_type;
	uint32_t	nextents;
	uint32_t	fmap_size;
	uint64_t	file_size;
	uint64_t	next_offset;
};

/**
 * struct fuse_famfs_simple_ext - a run of one device
 * @se_devindex: the device's index on this connection
 * @reserved: 0
 * @se_offset: where the run begins on the device, in bytes
 * @se_len: length of the run in bytes
 */
struct fuse_famfs_simple_ext {
	uint32_t	se_devindex;
	uint32_t	reserved;
	uint64_t	se_offset;
	uint64_t	se_len;
};

/**
 * struct fuse_famfs_iext - an interleaved extent; its strips follow
 * @ie_nstrips: number of strips
 * @ie_chunk_size: bytes on one strip before the next strip is used
 * @ie_nbytes: bytes of the file in this extent
 * @reserved: 0
 */
struct fuse_famfs_iext {
	uint32_t	ie_nstrips;
	uint32_t	ie_chunk_size;
	uint64_t	ie_nbytes;
	uint64_t	reserved;
};

/**
 * struct fuse_daxdev_out - reply to FUSE_GET_DAXDEV
 * @index: the device index asked for
 * @reserved: 0
 * @reserved2: 0
 * @reserved3: 0
 * @reserved4: 0
 * @name: "/dev/daxX.Y" or "daxX.Y", NUL-terminated; looked up among the dax
 *	  devices, not in any file system
 */
struct fuse_daxdev_out {
	uint16_t	index;
	uint16_t	reserved;
	uint32_t	reserved2;
	uint64_t	reserved3;
	uint64_t	reserved4;
	char		name[FUSE_DAXDEV_NAME_MAX];
};

/**
 * struct fuse_notify_fmap_out - a part of a file's map
 * @nodeid: the file
 * @offset: first byte of the file, a multiple of the page size
 * @length: bytes of the file, a multiple of the page size; 0 is to the end
 * @reserved: 0
 *
 * FUSE_NOTIFY_INVAL_FMAP: the kernel forgets this part and asks again when it
 * needs it.  On success no process reaches the old memory by this file any more;
 * with EBUSY that is so for new accesses, but somebody has pages of it pinned:
 * send it again, and do not reuse the memory before it has succeeded.
 * FUSE_NOTIFY_INVAL_INODE with a range of bytes does the same.
 *
 * FUSE_NOTIFY_STORE_FMAP: this part of the map is what the reply to a GET_FMAP
 * says that follows, beginning at @offset.  What was known of the part is
 * forgotten, as above.  @length is 0, or what the extents hold; next_offset says
 * whether the map goes on behind them, and file_size is the size of the file from
 * now on.  The devices must be known.
 *
 * The errors::
 *
 *	EINVAL		the message is malformed, the inode is no regular file, or
 *			the connection has ended
 *	ENOENT		the kernel does not have the inode
 *	EBUSY		see above; or (store) the inode is an ordinary one, or bytes
 *			of a device belong to another inode
 *	ENOMEM		a part may not be forgotten yet: send it again
 *	ENODEV		(store) a device is not known, or it is gone
 *	EIO		(store) next_offset is not where the extents end
 *	EFBIG		(store) the message is larger than FUSE_FMAP_MAX_MSG
 *	EOPNOTSUPP	maps are not in force
 */
struct fuse_notify_fmap_out {
	uint64_t	nodeid;
	uint64_t	offset;
	uint64_t	length;
	uint64_t	reserved;
};

#endif /* _UAPI_LINUX_FUSE_FMAP_H */
