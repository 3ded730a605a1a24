/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of the node of a devdax device share. */
#ifndef SELFTESTS_FMAP_DAX_NODE_H
#define SELFTESTS_FMAP_DAX_NODE_H

#include <linux/capability.h>
#include <sys/syscall.h>

#define KIB		1024UL
#define MIB		(1024 * KIB)

/* Seconds: an emulated machine with a debug kernel is slow */
#define TIMEOUT		240

/* errno of a failed call, 0 of a successful one */
#define ERR(call)	((call) < 0 ? errno : 0)

static inline void fill(uint8_t *p, size_t len, uint64_t seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		p[i] = seed >> 56;
	}
}

/* The first word of FAMFS_DAXDEVS */
static inline bool device_name(char *name, size_t size)
{
	const char *list = getenv("FAMFS_DAXDEVS");
	size_t len;

	if (!list)
		return false;
	list += strspn(list, " ");
	len = strcspn(list, " ");
	if (!len || len >= size)
		return false;
	memcpy(name, list, len);
	name[len] = '\0';
	return true;
}

/* Have CAP_SYS_RAWIO in effect or not, without giving it up */
static inline int set_rawio(bool on)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];
	const uint32_t bit = 1U << CAP_SYS_RAWIO;

	if (syscall(SYS_capget, &head, data))
		return -1;
	data[0].effective = (data[0].effective & ~bit) | (on ? bit : 0);
	return syscall(SYS_capset, &head, data);
}

#endif /* SELFTESTS_FMAP_DAX_NODE_H */
