/*
 * tokenize_out.c: an output whose header tells what was dropped, cut and split.
 */
#include <string.h>

#include "tokenize.h"

#define HOLD (64u << 20)    /* bytes of records */

static void
check(const struct tokenize_out *o, enum rna_status st)
{
	if (st != RNA_OK)
		tool_die(o->t, "out of memory");
}

static void
set(const struct tokenize_out *o, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		tool_die(o->t, "out of memory");
}

/* What the provenance says beside the options: frame and limit in force, and the counts when they are known. */
static json_t *
make_extra(const struct tokenize_out *o, int known)
{
	static const char *const policies[] = {"keep", "drop", "truncate", "chunk"};
	const struct rna_frame_counts *n = o->counts;
	const struct {
		const char *key;
		uint64_t value;
	} rows[] = {
	    {"records", n->records}, {"nt", n->nt},
	    {"dropped", n->dropped}, {"dropped_nt", n->dropped_nt},
	    {"truncated", n->truncated}, {"truncated_nt", n->truncated_nt},
	    {"chunked", n->chunked}, {"chunks", n->chunks},
	    {"unknown", n->unknown}, {"untyped", n->untyped},
	};
	json_t *extra = json_object(), *counts = json_object();
	size_t i;

	set(o, extra, "frame", json_string(o->framing->frame == RNA_FRAME_TYPE ? "type" : "plain"));
	set(o, extra, "max", json_integer(o->framing->max));
	set(o, extra, "long", json_string(policies[o->framing->policy]));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		set(o, counts, rows[i].key, json_integer((json_int_t)rows[i].value));
	if (known)
		set(o, extra, "counts", counts);
	else
		json_decref(counts);
	return extra;
}

static void
write_header(struct tokenize_out *o, int known)
{
	json_t *extra = make_extra(o, known);

	if (known)
		check(o, rna_header_set_totals(&o->header, o->records, o->tokens));
	tool_out_header(o->out, &o->header, extra, known);
	json_decref(extra);
	o->flowing = 1;
}

static void
write_records(const struct tokenize_out *o, const struct rna_buf *bytes, const struct rna_buf *sizes)
{
	const size_t *size = (const size_t *)(const void *)sizes->data, *end = size + sizes->len / sizeof(*size);
	const unsigned char *p = bytes->data;

	for (; size < end; p += *size++)
		tool_out_write_encoded(o->out, p, *size);
}

/* Writes what was held back. */
static void
release(struct tokenize_out *o)
{
	write_records(o, &o->bytes, &o->sizes);
	rna_buf_fini(&o->bytes);
	rna_buf_fini(&o->sizes);
}

void
tokenize_out_begin(struct tokenize_out *o, const struct rna_header *in, const struct rna_vocab *v)
{
	check(o, rna_header_copy(&o->header, in));
	check(o, rna_header_set_vocab(&o->header, v->name, v->digest));
	o->records = o->tokens = 0;
	o->flowing = 0;
}

/* Once too much is held back. */
static void
let_flow(struct tokenize_out *o)
{
	if (o->flowing || o->bytes.len <= HOLD)
		return;
	write_header(o, 0);
	release(o);
}

void
tokenize_out_write(struct tokenize_out *o, const struct rna_record *rec)
{
	size_t before = o->bytes.len, size;
	uint64_t n;

	if (o->flowing) {
		tool_out_write(o->out, rec);
		return;
	}
	check(o, rna_record_encode(rec, &o->bytes));
	size = o->bytes.len - before;
	check(o, rna_buf_add(&o->sizes, &size, sizeof(size)));
	o->records++;
	if (rna_record_get_vec(rec, "tokens", RNA_U8, &n) != NULL)
		o->tokens += n;
	let_flow(o);
}

void
tokenize_out_bulk(struct tokenize_out *o, const struct rna_bulk *b)
{
	const struct rna_bulk_part *x;

	for (x = b->part; x < b->part + b->nparts; x++) {
		o->records += x->sizes.len / sizeof(size_t);
		if (o->flowing) {
			write_records(o, &x->bytes, &x->sizes);
			continue;
		}
		check(o, rna_buf_add(&o->bytes, x->bytes.data, x->bytes.len));
		check(o, rna_buf_add(&o->sizes, x->sizes.data, x->sizes.len));
	}
	o->tokens += b->tokens;
	let_flow(o);
}

void
tokenize_out_end(struct tokenize_out *o)
{
	if (!o->flowing)
		write_header(o, 1);
	release(o);
	rna_header_fini(&o->header);
}

void
tokenize_out_fini(struct tokenize_out *o)
{
	rna_buf_fini(&o->bytes);
	rna_buf_fini(&o->sizes);
}
