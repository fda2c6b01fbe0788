/*
 * blocks.h: private to lib/stream: the blocks that the contents of frames make up (formats/stream.md, sections 2, 5).
 */
#ifndef RNA_BLOCKS_H
#define RNA_BLOCKS_H

#include <stddef.h>
#include <stdint.h>
#include "stream/buf.h"
#include "stream/header.h"
#include "stream/status.h"

#define RNA_BLOCK_MAGIC "\x89RIL\r\n\x1a\n"
#define RNA_BLOCK_RECORD "RECORD\0"       /* with C's own NUL: 8 bytes */
#define RNA_BLOCK_END "END\0\0\0\0"
#define RNA_BLOCK_HEAD 16                 /* kind and size */
#define RNA_BLOCK_MAX (UINT64_C(16) << 30)
#define RNA_END_SIZE 16                   /* payload of an end block: count and digest */

enum rna_block_kind { RNA_KIND_HEADER, RNA_KIND_RECORD, RNA_KIND_END };

struct rna_block {
	enum rna_block_kind kind;
	const unsigned char *payload;     /* valid until the next rna_blocks_frame or rna_blocks_next */
	size_t size;
};

/* Where a reader stands in a sequence of blocks. */
struct rna_blocks {
	const unsigned char *frame;       /* content of the frame at hand, not owned */
	size_t len, pos;
	struct rna_buf big;               /* a block that runs over several frames */
	size_t big_left;                  /* bytes of it still to come */
	int big_whole;                    /* it is complete, and the frame at hand is used up */
	enum { RNA_BEFORE, RNA_WITHIN, RNA_AFTER } where;   /* the first header, a stream, a stream's end */
	struct rna_header header;         /* in force; json NULL before the first */
	uint64_t streams;                 /* ended */
	uint64_t records, digest;         /* of the stream at hand */
};

void rna_blocks_init(struct rna_blocks *b);
void rna_blocks_fini(struct rna_blocks *b);
/* The next frame's content; the one before must be used up. */
enum rna_status rna_blocks_frame(struct rna_blocks *b, const unsigned char *content, size_t n, struct rna_err *err)
    RNA_CHECK;
/*
 * RNA_OK: the next block, found in order and counted; a header is parsed, an end compared with what was counted.
 * RNA_END: the frame at hand is used up.
 */
enum rna_status rna_blocks_next(struct rna_blocks *b, struct rna_block *block, struct rna_err *err) RNA_CHECK;
/* At the end of the input: RNA_END when it may end here, else RNA_ETRUNC. */
enum rna_status rna_blocks_finish(const struct rna_blocks *b, struct rna_err *err) RNA_CHECK;

/* The digest after one more payload. */
uint64_t rna_blocks_digest(uint64_t digest, const void *payload, size_t n);
/*
 * The same over the records that a frame begins with, from 0: digests of frames, made at once, are put together in
 * order by digest = digest * step + theirs, where step is what is returned.
 */
uint64_t rna_blocks_digest_frame(const unsigned char *content, size_t records, uint64_t *digest);
/* The first 16 bytes of a block. */
void rna_block_head(unsigned char *p, enum rna_block_kind kind, uint64_t size);

#endif
