/*
 * blocks.c: the order of blocks, their sizes, and the count and digest that an end block is compared with.
 */
#include <sys/endian.h>
#include <string.h>
#include "stream/blocks.h"
#include "stream/rng.h"
#include "stream/stream.h"

#define DIGEST_STEP UINT64_C(0x9E3779B185EBCA87)

static const char *const tags[] = {
	[RNA_KIND_HEADER] = RNA_BLOCK_MAGIC,
	[RNA_KIND_RECORD] = RNA_BLOCK_RECORD,
	[RNA_KIND_END] = RNA_BLOCK_END
};

void
rna_block_head(unsigned char *p, enum rna_block_kind kind, uint64_t size)
{
	memcpy(p, tags[kind], 8);
	le64enc(p + 8, size);
}

uint64_t
rna_blocks_digest(uint64_t digest, const void *payload, size_t n)
{
	return digest * DIGEST_STEP + rna_hash(payload, n, 0);
}

uint64_t
rna_blocks_digest_frame(const unsigned char *content, size_t records, uint64_t *digest)
{
	uint64_t step = 1, size;

	*digest = 0;
	for (; records > 0; records--, content += RNA_BLOCK_HEAD + size) {
		size = le64dec(content + 8);
		*digest = rna_blocks_digest(*digest, content + RNA_BLOCK_HEAD, (size_t)size);
		step *= DIGEST_STEP;
	}
	return step;
}

void
rna_blocks_init(struct rna_blocks *b)
{
	memset(b, 0, sizeof(*b));
}

void
rna_blocks_fini(struct rna_blocks *b)
{
	rna_buf_fini(&b->big);
	rna_header_fini(&b->header);
}

enum rna_status
rna_blocks_frame(struct rna_blocks *b, const unsigned char *content, size_t n, struct rna_err *err)
{
	b->frame = content;
	b->len = n;
	b->pos = 0;
	if (b->big_left == 0 || n == 0)
		return RNA_OK;
	if (n != (b->big_left < RNA_FRAME_MAX ? b->big_left : RNA_FRAME_MAX))
		return rna_fail(err, RNA_EFORMAT, "a record over several frames has a frame of %zu bytes", n);
	if (rna_buf_add(&b->big, content, n) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "no memory for a record of more than %zu bytes", b->big.len);
	b->pos = n;
	b->big_left -= n;
	b->big_whole = b->big_left == 0;
	return RNA_OK;
}

/* Reads a block's head of 16 bytes. */
static enum rna_status
parse_head(const unsigned char *p, struct rna_block *block, uint64_t *size, struct rna_err *err)
{
	int kind;

	for (kind = RNA_KIND_HEADER; kind <= RNA_KIND_END; kind++) {
		if (memcmp(p, tags[kind], 8) == 0)
			break;
	}
	if (kind > RNA_KIND_END)
		return rna_fail(err, RNA_EFORMAT, "unknown kind of block");
	block->kind = kind;
	*size = le64dec(p + 8);
	if (*size % 8 != 0 || *size > RNA_BLOCK_MAX || (kind == RNA_KIND_HEADER && *size > RNA_HEADER_MAX) ||
	    (kind == RNA_KIND_END && *size != RNA_END_SIZE))
		return rna_fail(err, RNA_EFORMAT, "%s of %llu bytes", kind == RNA_KIND_HEADER ? "header" :
		    kind == RNA_KIND_END ? "end record" : "record", (unsigned long long)*size);
	return RNA_OK;
}

static enum rna_status
take_header(struct rna_blocks *b, const struct rna_block *block, struct rna_err *err)
{
	struct rna_header h;
	enum rna_status st;

	if (b->where == RNA_WITHIN)
		return rna_fail(err, RNA_EFORMAT, "a header where a record or the end record belongs");
	st = rna_header_parse(&h, (const char *)block->payload, block->size, err);
	if (st != RNA_OK)
		return st;
	rna_header_fini(&b->header);
	b->header = h;
	b->where = RNA_WITHIN;
	b->records = 0;
	b->digest = rna_blocks_digest(0, block->payload, block->size);
	return RNA_OK;
}

static enum rna_status
take_end(struct rna_blocks *b, const struct rna_block *block, struct rna_err *err)
{
	uint64_t count = le64dec(block->payload);

	if (count != b->records)
		return rna_fail(err, RNA_ESUM, "end record counts %llu records, and %llu are there",
		    (unsigned long long)count, (unsigned long long)b->records);
	if (le64dec(block->payload + 8) != b->digest)
		return rna_fail(err, RNA_ESUM, "records are not those that were written: their digest does not match");
	b->where = RNA_AFTER;
	b->streams++;
	b->records = 0;
	return RNA_OK;
}

/* A complete block: is it in order? */
static enum rna_status
take(struct rna_blocks *b, const struct rna_block *block, struct rna_err *err)
{
	if (block->kind == RNA_KIND_HEADER)
		return take_header(b, block, err);
	if (b->where != RNA_WITHIN)
		return rna_fail(err, RNA_EFORMAT, "%s before a header", block->kind == RNA_KIND_END ? "end record" :
		    "record");
	if (block->kind == RNA_KIND_END)
		return take_end(b, block, err);
	b->records++;
	b->digest = rna_blocks_digest(b->digest, block->payload, block->size);
	return RNA_OK;
}

enum rna_status
rna_blocks_next(struct rna_blocks *b, struct rna_block *block, struct rna_err *err)
{
	const unsigned char *p;
	size_t left = b->len - b->pos;
	enum rna_status st;
	uint64_t size = 0;

	if (b->big_whole) {
		b->big_whole = 0;
		*block = (struct rna_block){RNA_KIND_RECORD, b->big.data, b->big.len};
		return take(b, block, err);
	}
	if (left == 0)
		return RNA_END;
	p = b->frame + b->pos;
	if (left < RNA_BLOCK_HEAD)
		return rna_fail(err, RNA_EFORMAT, "%zu bytes after the last block of a frame", left);
	st = parse_head(p, block, &size, err);
	if (st != RNA_OK)
		return st;
	left -= RNA_BLOCK_HEAD;
	if (size > left) {
		if (block->kind != RNA_KIND_RECORD || b->pos != 0 || b->len != RNA_FRAME_MAX)
			return rna_fail(err, RNA_EFORMAT, "a block of %llu bytes runs over its frame's end",
			    (unsigned long long)size);
		rna_buf_reuse(&b->big);
		if (rna_buf_add(&b->big, p + RNA_BLOCK_HEAD, left) != RNA_OK)
			return rna_fail(err, RNA_EMEM, "no memory for a record of more than %zu bytes", left);
		b->big_left = (size_t)size - left;
		b->pos = b->len;
		return RNA_END;
	}
	block->payload = p + RNA_BLOCK_HEAD;
	block->size = (size_t)size;
	b->pos += RNA_BLOCK_HEAD + block->size;
	return take(b, block, err);
}

enum rna_status
rna_blocks_finish(const struct rna_blocks *b, struct rna_err *err)
{
	if (b->where == RNA_AFTER && b->big_left == 0)
		return RNA_END;
	if (b->where == RNA_BEFORE)
		return rna_fail(err, RNA_ETRUNC, "cut short: there is no header");
	return rna_fail(err, RNA_ETRUNC, "cut short after %llu records: the end record is missing",
	    (unsigned long long)b->records);
}
