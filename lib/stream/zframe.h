/*
 * zframe.h: private to lib/stream: one zstd frame of a stream, in and out (formats/stream.md, section 1).
 * Each holds its own context, so that several are packed or unpacked at once.
 */
#ifndef RNA_ZFRAME_H
#define RNA_ZFRAME_H

#include <stddef.h>
#include <stdint.h>
#include <zstd.h>
#include "stream/buf.h"
#include "stream/input.h"
#include "stream/status.h"

struct rna_zframe {
	struct rna_buf packed;     /* the compressed frame, or what has come of it */
	struct rna_buf content;
	ZSTD_DCtx *dctx;           /* made when first needed */
	ZSTD_CCtx *cctx;
	enum rna_status status;    /* of the last pack or unpack */
	struct rna_err err;
	/* gathering */
	int step;
	size_t need;               /* bytes of packed that the next step wants */
	uint64_t skip;             /* bytes of a skippable frame still to drop */
	uint64_t size;             /* content size that the frame states */
	uint64_t taken;            /* bytes taken from the input so far */
	int last;          /* the block at hand is the frame's last */
};

void rna_zframe_init(struct rna_zframe *f);
void rna_zframe_fini(struct rna_zframe *f);
/*
 * Gathers the next frame in packed.  RNA_OK: it is whole; RNA_END: the input ended between frames; RNA_NEXT: wait is 0
 * and more would have to be waited for (call again later, on this f).  Else an error.
 */
enum rna_status rna_zframe_pull(struct rna_zframe *f, struct rna_input *in, int wait, struct rna_err *err) RNA_CHECK;
/* packed to content; n bytes at src to packed.  The outcome is in f->status and f->err.  Safe to run in parallel. */
void rna_zframe_unpack(struct rna_zframe *f);
void rna_zframe_pack(struct rna_zframe *f, const void *src, size_t n, int level);

#endif
