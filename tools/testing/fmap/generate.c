// SPDX-License-Identifier: GPL-2.0
/*
 * Valid GET_FMAP replies at random, with all that the rules allow: any mixture
 * of devices, runs that continue each other and runs that do not, odd chunks
 * and numbers of strips, room left on strips, tails inside a page
 */
#include "message.h"

/* Where the free room of a device lies: above @top and below @bottom */
struct device {
	u64 top;
	u64 bottom;
};

/**
 * struct generator - what a message is made with
 * @random: source of every choice
 * @devices: used for the allocation, so that nothing overlaps
 * @nr_devices: how many of them to use
 * @dense: most runs follow the one before on their device
 */
struct generator {
	struct random *random;
	struct device devices[FUSE_FMAP_MAX_DEVS];
	u32 nr_devices;
	bool dense;
};

/* One geometry of interleaved extents, and where its strips go on */
struct geometry {
	u32 nstrips;
	u32 chunk;
	u32 dev[16];
};

static void generator_init(struct generator *gen, struct random *random)
{
	static const u32 counts[] = { 1, 2, 3, 8, FUSE_FMAP_MAX_DEVS };

	gen->random = random;
	gen->nr_devices = counts[random_below(random, 5)];
	gen->dense = !random_once_in(random, 3);
	for (u32 i = 0; i < gen->nr_devices; i++) {
		u64 middle = (1 + random_below(random, 1 << 20)) << 20;

		if (random_once_in(random, 8))
			middle += 1ULL << (40 + random_below(random, 22));
		gen->devices[i].top = middle;
		gen->devices[i].bottom = middle;
	}
}

/* @len bytes of a device that are not used yet, most often behind the last */
static u64 allocate(struct generator *gen, u32 dev, u64 len)
{
	struct device *device = &gen->devices[dev];
	u64 gap = 0;
	u64 offset;

	if (random_once_in(gen->random, gen->dense ? 12 : 2))
		gap = random_below(gen->random, 4) * PAGE_SIZE;
	if (random_once_in(gen->random, gen->dense ? 16 : 2) &&
	    device->bottom > gap + len) {
		device->bottom -= gap + len;
		return device->bottom;
	}
	offset = device->top + gap;
	device->top = offset + len;
	return offset;
}

static u32 random_device(struct generator *gen)
{
	return random_below(gen->random, gen->nr_devices);
}

static u64 random_pages(struct generator *gen)
{
	static const u64 most[] = { 1, 4, 40, 600 };

	return PAGE_SIZE * (1 + random_below(gen->random,
					     most[random_below(gen->random, 4)]));
}

static u64 add_simple(struct generator *gen, struct message *msg, u32 *dev)
{
	u64 len = random_pages(gen);

	if (!gen->dense || random_once_in(gen->random, 6))
		*dev = random_device(gen);
	message_extent(msg, *dev, allocate(gen, *dev, len), len);
	return len;
}

static void random_geometry(struct generator *gen, struct geometry *geometry)
{
	geometry->nstrips = 1 + random_below(gen->random, 16);
	geometry->chunk = PAGE_SIZE * (1 + random_below(gen->random, 9));
	if (random_once_in(gen->random, 3))
		geometry->chunk = PAGE_SIZE << random_below(gen->random, 6);
	for (u32 i = 0; i < geometry->nstrips; i++)
		geometry->dev[i] = random_device(gen);
}

/* What strip @i holds of @nbytes, counted chunk by chunk */
static u64 share(const struct geometry *geometry, u64 nbytes, u32 i)
{
	u64 chunk = geometry->chunk;
	u64 sum = 0;

	for (u64 at = i * chunk; at < nbytes; at += chunk * geometry->nstrips)
		sum += nbytes - at < chunk ? nbytes - at : chunk;
	return PAGE_ALIGN(sum);
}

static u64 add_interleaved(struct generator *gen, struct message *msg,
			   const struct geometry *geometry, bool last)
{
	u64 nbytes = random_pages(gen);
	bool room = random_once_in(gen->random, gen->dense ? 10 : 3);

	/* Whole stripes, so that the next extent can go on behind them */
	if (gen->dense && !random_once_in(gen->random, 4))
		nbytes = (u64)geometry->chunk * geometry->nstrips *
			 (1 + random_below(gen->random, 4));
	if (last && random_once_in(gen->random, 2))
		nbytes -= random_below(gen->random, PAGE_SIZE);

	message_iext(msg, geometry->nstrips, geometry->chunk, nbytes);
	for (u32 i = 0; i < geometry->nstrips; i++) {
		u64 len = share(geometry, nbytes, i);
		u32 dev = geometry->dev[i];

		if (room)
			len += random_below(gen->random, 3) * PAGE_SIZE;
		message_strip(msg, dev, allocate(gen, dev, len), len);
	}
	return nbytes;
}

/*
 * Where in the file the message begins, and where the next page does: nowhere,
 * behind it, or, without extents, in front of it
 */
static void place(struct message *msg, struct random *random, u64 bytes)
{
	static const u64 most[] = { 2, 10, 1 << 20, 1ULL << 40 };
	struct fuse_famfs_fmap_header *head = message_head(msg);
	u64 room = MESSAGE_MOST - PAGE_ALIGN(bytes);
	u64 end;

	if (random_once_in(random, 2))
		msg->start = PAGE_SIZE *
			     random_below(random, most[random_below(random, 4)]);
	if (random_once_in(random, 16))
		msg->start = room;
	end = msg->start + bytes;
	head->file_size = random_once_in(random, 3) ?
			  end : random_below(random, end + 1);
	if (!PAGE_ALIGNED(end) || random_once_in(random, 2))
		return;

	/* What the file has in front of and behind a page does not matter */
	head->file_size = random_below(random, MESSAGE_MOST);
	if (bytes)
		head->next_offset = end;
	else if (msg->start > PAGE_SIZE)
		head->next_offset = PAGE_SIZE *
			(1 + random_below(random, msg->start / PAGE_SIZE - 1));
	else
		head->file_size = 0;
}

/**
 * message_random - make a valid message
 * @msg: set to it
 * @random: source of every choice
 */
void message_random(struct message *msg, struct random *random)
{
	static const u32 most[] = { 1, 2, 6, 30 };
	struct generator gen = {};
	struct geometry geometry;
	u32 nr = random_below(random, most[random_below(random, 4)] + 1);
	u32 type = random_below(random, 2);
	u64 bytes = 0;
	u32 dev = 0;

	generator_init(&gen, random);
	random_geometry(&gen, &geometry);
	message_start(msg, type);
	for (u32 i = 0; i < nr; i++) {
		if (!gen.dense || random_once_in(random, 5))
			random_geometry(&gen, &geometry);
		if (type == FUSE_FAMFS_EXT_SIMPLE)
			bytes += add_simple(&gen, msg, &dev);
		else
			bytes += add_interleaved(&gen, msg, &geometry,
						 i == nr - 1);
	}
	message_finish(msg, 0);
	place(msg, random, bytes);
	message_head(msg)->file_type = random_below(random, 3);
	if (random_once_in(random, 4)) {
		message_head(msg)->fmap_size = 0;
		message_resize(msg, msg->len + random_below(random, 100));
	}
}
