/*
 * bulk_compare.h: a file of FASTA read in bulk and RNA by RNA: records, counts and what goes wrong must be the same.
 */
#ifndef BULK_COMPARE_H
#define BULK_COMPARE_H

#include <stdlib.h>
#include <string.h>
#include "seq/source.h"

static inline void
bulk_must(enum rna_status st)
{
	if (st != RNA_OK)
		abort();
}

/* One RNA's records, as rna-tokenize makes them. */
static inline void
bulk_frame(
    const struct rna_bulk_options *o, const struct rna_record *rec, struct rna_buf *out, struct rna_frame_counts *n)
{
	uint32_t c, chunks = rna_frame_count(o->framing, rec, NULL);
	int type = rna_annotate_type(o->annotate, rec);
	struct rna_record one;
	enum rna_status st;

	rna_record_init(&one);
	for (c = 0; c == 0 || c < chunks; c++) {
		st = rna_frame_record(o->framing, o->vocab, rec, type, c, &one, n);
		if (st == RNA_OK)
			bulk_must(rna_record_encode(&one, out));
		else if (st != RNA_END)
			abort();
	}
	rna_record_fini(&one);
}

/* All records of the file, and how it ends.  Returns the RNAs that came in bulk. */
static inline uint64_t
bulk_read(const char *path, struct rna_bulk *b, const struct rna_bulk_options *o, struct rna_buf *out,
    struct rna_frame_counts *n)
{
	struct rna_source_options opts = {.format = RNA_FORMAT_FASTA, .nthreads = 1, .max_nt = o->max};
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_input *in = rna_input_open(path, &err);
	struct rna_source *s = in != NULL ? rna_source_open(in, &opts, &err) : NULL;
	struct rna_record rec;
	uint64_t taken = 0;
	enum rna_status st;
	int i;

	rna_buf_reuse(out);
	memset(n, 0, sizeof(*n));
	if (s == NULL || rna_source_is_stream(s)) {
		rna_source_close(s);
		return 0;
	}
	rna_record_init(&rec);
	do {
		while (b != NULL && rna_source_bulk(s, b, &err) == RNA_OK) {
			for (i = 0; i < b->nparts; i++)
				bulk_must(rna_buf_add(out, b->part[i].bytes.data, b->part[i].bytes.len));
			rna_frame_add(n, &b->counts);
			taken += b->counts.records;
		}
		st = rna_source_read(s, &rec, &err);
		if (st == RNA_OK)
			bulk_frame(o, &rec, out, n);
	} while (st == RNA_OK);
	if (st != RNA_END)
		bulk_must(rna_buf_printf(out, "record %llu: %s", (unsigned long long)err.record, err.text));
	rna_record_fini(&rec);
	rna_source_close(s);
	return taken;
}

/* The RNAs that came in bulk; -1 when the two differ. */
static inline int64_t
bulk_compare(const char *path, const struct rna_bulk_options *o)
{
	struct rna_buf one = RNA_BUF_INIT, many = RNA_BUF_INIT;
	struct rna_bulk *b = rna_bulk_create(o);
	struct rna_frame_counts n1, n2;
	int64_t taken;

	if (b == NULL)
		abort();
	(void)bulk_read(path, NULL, o, &one, &n1);
	taken = (int64_t)bulk_read(path, b, o, &many, &n2);
	if (one.len != many.len || (one.len > 0 && memcmp(one.data, many.data, one.len) != 0) ||
	    memcmp(&n1, &n2, sizeof(n1)) != 0)
		taken = -1;
	rna_bulk_destroy(b);
	rna_buf_fini(&one);
	rna_buf_fini(&many);
	return taken;
}

#endif
