// SPDX-License-Identifier: Apache-2.0
/*
 * transfer FILE LENGTH BYTES read|write sequential|random [COUNT]: what one pread(2)
 * or pwrite(2) of BYTES takes, in the first LENGTH bytes of a file, when the same
 * places have been read or written before. The median of samples of COUNT calls.
 */
#include <fcntl.h>
#include <unistd.h>

#include "bench.h"

#define SAMPLES	9

struct job {
	int fd;
	uint64_t len;
	size_t bytes;
	bool write;
	bool random;
	size_t count;	/* in a sample */
	char *buf;
};

static void transfer(const struct job *job, off_t offset)
{
	ssize_t done;

	if (job->write)
		done = pwrite(job->fd, job->buf, job->bytes, offset);
	else
		done = pread(job->fd, job->buf, job->bytes, offset);
	if (done != (ssize_t)job->bytes)
		bench_die("%s at %jd: %s", job->write ? "write" : "read",
			  (intmax_t)offset, done < 0 ? strerror(errno) : "short");
}

/* Nanoseconds of each sample */
static void measure(const struct job *job, uint64_t *samples)
{
	uint64_t places = job->len / job->bytes, state = 1, start;
	size_t i, n;

	for (n = 0; n < SAMPLES; n++) {
		start = bench_now();
		for (i = 0; i < job->count; i++)
			transfer(job, (job->random ? bench_random(&state) :
				       n * job->count + i) % places * job->bytes);
		samples[n] = bench_now() - start;
	}
}

/* The bytes written are those that were read: the file stays as it is */
int main(int argc, char **argv)
{
	uint64_t samples[SAMPLES];
	struct job job;

	if (argc != 6 && argc != 7) {
		fputs("Usage: transfer FILE LENGTH BYTES read|write sequential|random [COUNT]\n",
		      stderr);
		return 2;
	}
	job.len = bench_size(argv[2]);
	job.bytes = bench_size(argv[3]);
	job.write = bench_choose(argv[4], "read", "write");
	job.random = bench_choose(argv[5], "sequential", "random");
	job.count = argc > 6 ? bench_size(argv[6]) : 100;
	job.fd = open(argv[1], job.write ? O_RDWR : O_RDONLY);
	if (job.fd < 0)
		bench_die("%s: %s", argv[1], strerror(errno));
	job.buf = calloc(1, job.bytes);
	if (!job.buf || !job.count || !job.bytes || job.bytes > job.len)
		bench_die("cannot do that");
	measure(&job, samples);
	bench_mark(true);
	measure(&job, samples);
	bench_mark(false);
	bench_say("call", bench_median(samples, SAMPLES), job.count);
	return 0;
}
