/*
 * writer.h: private to lib/stream: a writer's inside, shared by writer.c and resume.c.
 */
#ifndef RNA_WRITER_H
#define RNA_WRITER_H

#include "stream/output.h"
#include "stream/stream.h"
#include "stream/zframe.h"

struct rna_writer {
	struct rna_output *out;
	int level;                   /* zstd's */
	int nthreads;
	struct rna_zframe *frames;   /* nthreads of them; content is what they are filled with */
	int nfull;                   /* frames[nfull] is being filled */
	size_t frame_records;        /* in it */
	struct rna_buf big;          /* a record over several frames */
	int open;                    /* a stream was begun and not ended */
	uint64_t streams;            /* begun */
	uint64_t records, digest;    /* of the stream at hand */
	enum rna_status failed;      /* not RNA_OK: all that further calls return */
	struct rna_err failed_err;
};

/* A writer onto out, which it takes over, also on failure. */
struct rna_writer *rna_writer_new(struct rna_output *out, const struct rna_writer_options *opts, struct rna_err *err);

#endif
