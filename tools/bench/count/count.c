// SPDX-License-Identifier: Apache-2.0
/*
 * count.so: a plugin of QEMU that counts what the kernel does between the two marks
 * of a program (bench_mark() in bench.h), by address:
 *
 *	instructions	by where a block of them begins
 *	atomics		instructions that lock memory
 *	shared		stores to cache lines that other CPUs use: each may have to
 *			fetch the line from another one, but all together not more
 *			often than others have used it
 *
 * Arguments: out=FILE, where lines "ADDRESS INSTRUCTIONS ATOMICS SHARED" go at the end,
 * in hexadecimal and decimal; page_fault=ADDRESS, where the kernel enters page faults:
 * other interrupts are left out, since there are more of them the slower this machine
 * is. Which CPU came when plays no part: runs differ by what the CPUs do only.
 *
 * Each CPU counts in trees of its own, without a lock; they are read when all have
 * stopped.
 */
#include <inttypes.h>
#include <pthread.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin_api.h"

#define CPUS		8	/* as tools/testing/qemu/run */
#define LINE_SHIFT	6
#define RECENT		(1U << 16)
#define IN_KERNEL(addr)	((addr) >> 63)

/* What was counted of an address: of a block of code, or of an instruction */
struct place {
	uint64_t addr;
	uint64_t length;	/* a block's, in instructions */
	bool atomic;		/* an instruction that locks */
	struct place *next;
	uint64_t shared;
	uint64_t times[CPUS];
};

/* The accesses of an instruction to a line by a CPU */
struct access {
	uint64_t line;
	struct place *place;
	uint64_t stores;
	uint64_t loads;
};

/* How often each CPU uses a line */
struct line {
	uint64_t line;
	uint64_t stores[CPUS];
	uint64_t loads[CPUS];
};

PLUGIN_EXPORT int qemu_plugin_version = PLUGIN_VERSION;

static volatile bool counting;
static unsigned int interrupts[CPUS];	/* that a CPU is in */
static uint64_t page_fault;
static const char *out_path;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct place *places;		/* under lock; they stay */
static void *accesses[CPUS];		/* trees, each its CPU's */
static struct access *recent[CPUS][RECENT];	/* some of them, found at once */
static void *lines;			/* a tree, made at the end */

static struct place *new_place(uint64_t addr, uint64_t length, bool atomic)
{
	struct place *place = calloc(1, sizeof(*place));

	if (!place)
		abort();
	place->addr = addr;
	place->length = length;
	place->atomic = atomic;
	pthread_mutex_lock(&lock);
	place->next = places;
	places = place;
	pthread_mutex_unlock(&lock);
	return place;
}

static bool counts(unsigned int cpu)
{
	return counting && !interrupts[cpu % CPUS];
}

static void count(unsigned int cpu, void *udata)
{
	struct place *place = udata;

	if (counts(cpu))
		place->times[cpu % CPUS]++;
}

/* QEMU calls this for page faults as well, and when it has only looked for interrupts */
static void interrupt(unsigned int cpu, int type, uint64_t from, uint64_t to,
		      void *udata)
{
	if (from != to && to != page_fault)
		interrupts[cpu % CPUS]++;
}

/* IRET ends page faults as well, outside of interrupts */
static void leave(unsigned int cpu, void *udata)
{
	if (interrupts[cpu % CPUS])
		interrupts[cpu % CPUS]--;
}

/* Where another task went on, an interrupt is left without IRET */
static void enter_program(unsigned int cpu, void *udata)
{
	interrupts[cpu % CPUS] = 0;
}

static void mark(unsigned int cpu, void *udata)
{
	counting = *(const bool *)udata;
}

static int compare_access(const void *a, const void *b)
{
	const struct access *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	return 0;
}

static int compare_line(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return (x->line > y->line) - (x->line < y->line);
}

/* The one that is equal to @key, which becomes it where there is none */
static void *find(void **tree, const void *key, size_t size,
		  int (*compare)(const void *a, const void *b))
{
	void **node = tsearch(key, tree, compare);
	void *copy;

	if (!node)
		abort();
	if (*node != key)
		return *node;
	copy = malloc(size);
	if (!copy)
		abort();
	*node = memcpy(copy, key, size);
	return copy;
}

/*
 * Looking into the tree each time would slow the machine down so much that most of
 * what it does is to handle timer interrupts.
 */
static struct access *find_access(unsigned int cpu, uint64_t line, struct place *place)
{
	struct access key = { .line = line, .place = place };
	size_t at = (line * 31 + (uintptr_t)place / sizeof(*place)) % RECENT;
	struct access **slot = &recent[cpu][at];

	if (!*slot || compare_access(*slot, &key))
		*slot = find(&accesses[cpu], &key, sizeof(key), compare_access);
	return *slot;
}

static void access_memory(unsigned int cpu, qemu_plugin_meminfo_t info,
			  uint64_t vaddr, void *udata)
{
	struct access *access;

	if (!counts(cpu) || !IN_KERNEL(vaddr))
		return;
	access = find_access(cpu % CPUS, vaddr >> LINE_SHIFT, udata);
	if (qemu_plugin_mem_is_store(info))
		access->stores++;
	else
		access->loads++;
}

/* LOCK, or XCHG with memory, which needs no such prefix (Intel SDM, volume 2) */
static bool is_atomic(const uint8_t *code, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (code[i] == 0xf0)
			return true;
		if (!memchr("\x66\xf2\xf3\x2e\x36\x3e\x26\x64\x65", code[i], 9))
			break;
	}
	if (i < len && (code[i] & 0xf0) == 0x40)
		i++;
	return i + 1 < len && (code[i] & 0xfe) == 0x86 && code[i + 1] < 0xc0;
}

/* bench_mark(): NOPL with a displacement that compilers do not make */
static bool is_mark(const uint8_t *code, size_t len, bool *begins)
{
	static const uint8_t nop[] = { 0x0f, 0x1f, 0x80, 0xf5, 0xa3, 0xf5 };

	if (len != sizeof(nop) + 1 || memcmp(code, nop, sizeof(nop)))
		return false;
	*begins = code[sizeof(nop)];
	return true;
}

static bool mark_means[] = { false, true };

static void at_insn(struct qemu_plugin_insn *insn, qemu_plugin_exec_cb_t cb,
		    void *udata)
{
	qemu_plugin_register_vcpu_insn_exec_cb(insn, cb, QEMU_PLUGIN_CB_NO_REGS,
					       udata);
}

static void look_at_insn(struct qemu_plugin_insn *insn, bool kernel)
{
	uint64_t addr = qemu_plugin_insn_vaddr(insn);
	uint8_t code[16];
	size_t len = qemu_plugin_insn_data(insn, code, sizeof(code));
	bool begins;

	if (!kernel) {
		if (is_mark(code, len, &begins))
			at_insn(insn, mark, &mark_means[begins]);
		return;
	}
	if (len == 2 && !memcmp(code, "\x48\xcf", 2))
		at_insn(insn, leave, NULL);
	if (is_atomic(code, len))
		at_insn(insn, count, new_place(addr, 0, true));
	qemu_plugin_register_vcpu_mem_cb(insn, access_memory,
					 QEMU_PLUGIN_CB_NO_REGS,
					 QEMU_PLUGIN_MEM_RW,
					 new_place(addr, 0, false));
}

static void translate(struct qemu_plugin_tb *tb, void *udata)
{
	size_t i, nr = qemu_plugin_tb_n_insns(tb);
	uint64_t addr = qemu_plugin_tb_vaddr(tb);

	if (IN_KERNEL(addr))
		qemu_plugin_register_vcpu_tb_exec_cb(tb, count, QEMU_PLUGIN_CB_NO_REGS,
						     new_place(addr, nr, false));
	else
		qemu_plugin_register_vcpu_tb_exec_cb(tb, enter_program,
						     QEMU_PLUGIN_CB_NO_REGS, NULL);
	for (i = 0; i < nr; i++)
		look_at_insn(qemu_plugin_tb_get_insn(tb, i), IN_KERNEL(addr));
}

static unsigned int walking;	/* the CPU whose tree is walked */

static struct line *line_of(const struct access *access)
{
	struct line key = { .line = access->line };

	return find(&lines, &key, sizeof(key), compare_line);
}

static void note_users(const void *node, VISIT visit, int depth)
{
	const struct access *access = *(struct access *const *)node;
	struct line *line;

	if (visit != postorder && visit != leaf)
		return;
	line = line_of(access);
	line->stores[walking] += access->stores;
	line->loads[walking] += access->loads;
}

static uint64_t uses_of_others(const struct line *line)
{
	uint64_t uses = 0;
	unsigned int cpu;

	for (cpu = 0; cpu < CPUS; cpu++) {
		if (cpu != walking)
			uses += line->stores[cpu] + line->loads[cpu];
	}
	return uses;
}

/*
 * A line that others use less often than this CPU stores to it is not fetched each
 * time: the page of a stack, say, that had its first use elsewhere.
 */
static void note_shared(const void *node, VISIT visit, int depth)
{
	const struct access *access = *(struct access *const *)node;
	const struct line *line;
	uint64_t stores, others;

	if (visit != postorder && visit != leaf)
		return;
	line = line_of(access);
	stores = line->stores[walking];
	others = uses_of_others(line);
	access->place->shared += others < stores ? access->stores * others / stores :
						   access->stores;
}

static void write_place(FILE *out, const struct place *place)
{
	uint64_t times = 0;
	int i;

	for (i = 0; i < CPUS; i++)
		times += place->times[i];
	if (times || place->shared)
		fprintf(out, "%" PRIx64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", place->addr,
			times * place->length, place->atomic ? times : 0, place->shared);
}

static void finish(void *udata)
{
	const struct place *place;
	FILE *out = fopen(out_path, "we");

	for (walking = 0; walking < CPUS; walking++)
		twalk(accesses[walking], note_users);
	for (walking = 0; walking < CPUS; walking++)
		twalk(accesses[walking], note_shared);
	for (place = places; out && place; place = place->next)
		write_place(out, place);
	if (!out || fclose(out))
		perror(out_path);
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_plugin_info *info,
			int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out_path = argv[i] + 4;
		else if (!strncmp(argv[i], "page_fault=", 11))
			page_fault = strtoull(argv[i] + 11, NULL, 16);
	}
	if (!out_path || !page_fault) {
		fputs("count.so: out=FILE,page_fault=ADDRESS are needed\n", stderr);
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate, NULL);
	qemu_plugin_register_vcpu_discon_cb(id, QEMU_PLUGIN_DISCON_INTERRUPT, interrupt,
					    NULL);
	qemu_plugin_register_atexit_cb(id, finish, NULL);
	return 0;
}
