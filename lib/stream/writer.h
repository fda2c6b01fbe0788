/*
 * writer.h: private to lib/stream: a writer's inside, shared by writer.c and resume.c.
 */
#ifndef RNA_WRITER_H
#define RNA_WRITER_H

#include "stream/output.h"
#include "stream/pool.h"
#include "stream/stream.h"
#include "stream/zframe.h"

/* A frame on its way out. */
struct rna_outframe {
	struct rna_zframe z;         /* content is what it is filled with */
	const unsigned char *src;    /* its content, or a piece of a large record */
	size_t size;
	int level;
	size_t records;              /* whole records at the start of src, not yet in the stream's digest */
	uint64_t digest, step;       /* theirs alone; the factor by which they move the digest of what was before */
	struct rna_task task;
};

struct rna_writer {
	struct rna_output *out;
	int level;                   /* zstd's */
	struct rna_pool *pool;
	struct rna_outframe *frames; /* a ring: the nbusy frames that are being packed, then the one being filled */
	int nframes, first, nbusy;
	struct rna_buf big;          /* a record over several frames */
	int open;                    /* a stream was begun and not ended */
	uint64_t streams;            /* begun */
	uint64_t records;            /* of the stream at hand */
	uint64_t digest;             /* of what of it was written out, or as hash_rest leaves it */
	enum rna_status failed;      /* not RNA_OK: all that further calls return */
	struct rna_err failed_err;
};

/* A writer onto out, which it takes over, also on failure. */
struct rna_writer *rna_writer_new(struct rna_output *out, const struct rna_writer_options *opts, struct rna_err *err);

#endif
