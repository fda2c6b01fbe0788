/*
 * maker.h: streams put together by hand, block by block and frame by frame, right or wrong on purpose.
 * Used by golden_make.c, hostile_make.c and the stream's unit tests; shares nothing with the writer in lib/stream.
 */
#ifndef RNA_MAKER_H
#define RNA_MAKER_H

#include <sys/endian.h>
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zstd.h>
#include "stream/buf.h"
#include "stream/record.h"
#include "stream/rng.h"

#define MAKE_MAGIC "\x89RIL\r\n\x1a\n"
#define MAKE_RECORD "RECORD\0"
#define MAKE_END "END\0\0\0\0"
#define MAKE_NOSUM 1
#define MAKE_NOSIZE 2

struct maker {
	struct rna_buf out;        /* the file */
	struct rna_buf content;    /* of the frame at hand */
	uint64_t records, digest;  /* of the stream at hand */
	int level;
};

static inline void
must(enum rna_status st)
{
	if (st != RNA_OK)
		errx(1, "out of memory");
}

static inline void
make_bytes(struct rna_buf *to, const void *data, size_t n)
{
	must(rna_buf_add(to, data, n));
}

static inline void
make_zeros(struct rna_buf *to, size_t n)
{
	must(rna_buf_reserve(to, n));
	if (n > 0)
		memset(to->data + to->len, 0, n);
	to->len += n;
}

static inline void
make_u32(struct rna_buf *to, uint32_t v)
{
	unsigned char b[4];

	le32enc(b, v);
	make_bytes(to, b, 4);
}

static inline void
make_u64(struct rna_buf *to, uint64_t v)
{
	unsigned char b[8];

	le64enc(b, v);
	make_bytes(to, b, 8);
}

/* A block that says it has size bytes, and has n. */
static inline void
make_block(struct maker *m, const char *tag, uint64_t size, const void *payload, size_t n)
{
	make_bytes(&m->content, tag, 8);
	make_u64(&m->content, size);
	make_bytes(&m->content, payload, n);
}

static inline void
make_count(struct maker *m, const void *payload, size_t n)
{
	m->digest = m->digest * UINT64_C(0x9E3779B185EBCA87) + rna_hash(payload, n, 0);
}

static inline void
make_header_n(struct maker *m, const char *json, size_t n)
{
	struct rna_buf b = RNA_BUF_INIT;

	make_bytes(&b, json, n);
	while (b.len % 8 != 0)
		make_bytes(&b, " ", 1);
	make_block(m, MAKE_MAGIC, b.len, b.data, b.len);
	m->records = m->digest = 0;
	make_count(m, b.data, b.len);
	rna_buf_fini(&b);
}

static inline void
make_header(struct maker *m, const char *json)
{
	make_header_n(m, json, strlen(json));
}

static inline void
make_record(struct maker *m, const void *payload, size_t n)
{
	make_block(m, MAKE_RECORD, n, payload, n);
	make_count(m, payload, n);
	m->records++;
}

static inline void
make_rec(struct maker *m, const struct rna_record *rec)
{
	struct rna_buf b = RNA_BUF_INIT;

	must(rna_record_encode(rec, &b));
	make_record(m, b.data, b.len);
	rna_buf_fini(&b);
}

/* A record that can be told from others: rid, name and seq are functions of i. */
static inline void
make_numbered(struct rna_record *rec, uint64_t i)
{
	char name[32], seq[64];
	size_t k, n = 10 + i * 7 % 50;

	rna_record_reuse(rec);
	snprintf(name, sizeof(name), "rna%llu", (unsigned long long)i);
	for (k = 0; k < n; k++)
		seq[k] = "ACGU"[rna_hash(&k, sizeof(k), i) & 3];
	must(rna_record_set_u64(rec, "rid", rna_hash(name, strlen(name), 0)));
	must(rna_record_set_str(rec, "name", name, strlen(name)));
	must(rna_record_set_str(rec, "seq", seq, n));
}

static inline void
make_some(struct maker *m, uint64_t from, uint64_t to)
{
	struct rna_record rec;

	rna_record_init(&rec);
	for (; from < to; from++) {
		make_numbered(&rec, from);
		make_rec(m, &rec);
	}
	rna_record_fini(&rec);
}

static inline void
make_end_as(struct maker *m, uint64_t count, uint64_t digest)
{
	unsigned char b[16];

	le64enc(b, count);
	le64enc(b + 8, digest);
	make_block(m, MAKE_END, 16, b, 16);
}

static inline void
make_end(struct maker *m)
{
	make_end_as(m, m->records, m->digest);
}

/* Packs content into a frame and empties it. */
static inline void
make_frame(struct maker *m, int flags)
{
	size_t bound = ZSTD_compressBound(m->content.len), n;
	ZSTD_CCtx *c = ZSTD_createCCtx();

	if (c == NULL)
		errx(1, "out of memory");
	must(rna_buf_reserve(&m->out, bound));
	ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, m->level == 0 ? 3 : m->level);
	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, (flags & MAKE_NOSUM) == 0);
	ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, (flags & MAKE_NOSIZE) == 0);
	n = ZSTD_compress2(c, m->out.data + m->out.len, bound, m->content.data, m->content.len);
	if (ZSTD_isError(n))
		errx(1, "%s", ZSTD_getErrorName(n));
	m->out.len += n;
	m->content.len = 0;
	ZSTD_freeCCtx(c);
}

/* A frame with one raw block of content: descriptor, window (-1: none), stated size and its bytes as given. */
static inline void
make_raw_frame(struct maker *m, unsigned descriptor, int window, uint64_t size, int size_bytes)
{
	unsigned char b[16];
	uint32_t head = (uint32_t)m->content.len << 3 | 1;
	uint64_t sum = rna_hash(m->content.data, m->content.len, 0);

	make_u32(&m->out, 0xFD2FB528u);
	b[0] = (unsigned char)descriptor;
	b[1] = (unsigned char)window;
	make_bytes(&m->out, b, window < 0 ? 1 : 2);
	le64enc(b, size);
	make_bytes(&m->out, b, (size_t)size_bytes);
	b[0] = (unsigned char)head;
	b[1] = (unsigned char)(head >> 8);
	b[2] = (unsigned char)(head >> 16);
	make_bytes(&m->out, b, 3);
	make_bytes(&m->out, m->content.data, m->content.len);
	make_u32(&m->out, (uint32_t)sum);
	m->content.len = 0;
}

static inline void
make_skippable(struct maker *m, unsigned low, const void *data, size_t n)
{
	make_u32(&m->out, 0x184D2A50u + low);
	make_u32(&m->out, (uint32_t)n);
	make_bytes(&m->out, data, n);
}

static inline void
make_fini(struct maker *m)
{
	rna_buf_fini(&m->out);
	rna_buf_fini(&m->content);
	memset(m, 0, sizeof(*m));
}

/* Writes the file and forgets it. */
static inline void
make_write(struct maker *m, const char *folder, const char *name)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "wb");
	if (f == NULL || fwrite(m->out.data, 1, m->out.len, f) != m->out.len || fclose(f) != 0)
		err(1, "%s", path);
	make_fini(m);
}

#endif
