/*
 * frame_encode.c: an RNA of a text file framed and encoded at once.
 */
#include <string.h>

#include "seq/frame_private.h"
#include "stream/record_head.h"

/* A field and its data, if it has any; where the next begins. */
static unsigned char *
put_field(unsigned char *p, const char *name, enum rna_dtype dtype, int ndim, uint64_t n, const void *data)
{
	size_t k = strlen(name), size = (size_t)n * rna_dtype_size(dtype);

	rna_field_head(p, name, k, dtype, ndim, &n);
	p += rna_field_head_size(k, ndim);
	if (size == 0)
		return p;
	le64enc(p + rna_padded(size) - 8, 0);
	if (data != NULL)
		memcpy(p, data, size);
	return p + rna_padded(size);
}

static unsigned char *
put_tokens(unsigned char *p, const struct rna_framing *f, const struct rna_vocab *v, const struct rna_text_entry *e,
    const struct rna_span *s, int type, uint64_t *unknown)
{
	uint64_t n = s->n + rna_frame_specials(f->frame);
	unsigned char *end = put_field(p, "tokens", RNA_U8, 1, n, NULL);

	p = end - rna_padded((size_t)n);
	*p++ = (uint8_t)v->cls;
	*unknown = rna_frame_letters(v, e->seq + s->first, s->n, s->shared, p);
	p += s->n;
	if (f->frame == RNA_FRAME_TYPE) {
		*p++ = (uint8_t)v->ind;
		*p++ = (uint8_t)(type >= 0 ? type : v->mask);
	}
	*p = (uint8_t)v->sep;
	return end;
}

int
rna_frame_suits(const struct rna_framing *f, const struct rna_vocab *v, uint64_t n)
{
	return (f->policy != RNA_LONG_KEEP || f->max == 0 || n + rna_frame_specials(f->frame) <= f->max) &&
	       (f->frame != RNA_FRAME_TYPE || (v->ind >= 0 && v->mask >= 0));
}

enum rna_status
rna_frame_encode(const struct rna_framing *f, const struct rna_vocab *v, const struct rna_text_entry *e, int type,
    uint32_t c, struct rna_buf *out, struct rna_frame_counts *counts, uint64_t *tokens)
{
	/* heads of at most eight fields, and the data of all but the long ones */
	enum { SMALL = RNA_RECORD_HEAD + 8 * (RNA_FIELD_HEAD + 8 + 8) + 4 * 8 };
	uint32_t nchunks = rna_frame_chunks(f, e->n_seq);
	struct rna_span s = rna_frame_span(f, e->n_seq, 0, 0, c, nchunks);
	uint64_t unknown, nfields = 4u + (e->n_desc > 0) + (type >= 0) + 2 * (nchunks > 1);
	unsigned char *p, chunk[8];
	uint8_t byte;

	if (c == 0)
		rna_frame_count_rna(counts, f, e->n_seq, s.n, nchunks, type);
	if (nchunks == 0)
		return RNA_OK;
	if (rna_buf_reserve(out, SMALL + 8 + rna_padded(e->n_name) + rna_padded(e->n_desc) + 2 * rna_padded(s.n) + 8) !=
	    RNA_OK)
		return RNA_EMEM;
	p = out->data + out->len;
	le64enc(p, nfields);
	p = put_field(p + RNA_RECORD_HEAD, "rid", RNA_U64, 0, 1, NULL);
	p = put_field(p, "name", RNA_STR, 1, e->n_name, e->name);
	if (e->n_desc > 0)
		p = put_field(p, "desc", RNA_STR, 1, e->n_desc, e->desc);
	p = put_field(p, "seq", RNA_STR, 1, s.n, e->seq + s.first);
	byte = (uint8_t)type;
	if (type >= 0)
		p = put_field(p, "type", RNA_U8, 0, 1, &byte);
	p = put_tokens(p, f, v, e, &s, type, &unknown);
	if (nchunks > 1) {
		le32enc(chunk, c);
		le32enc(chunk + 4, (uint32_t)s.first);
		byte = c + 1 == nchunks;
		p = put_field(p, "chunk", RNA_U32, 1, 2, chunk);
		p = put_field(p, "last", RNA_U8, 0, 1, &byte);
	}
	counts->unknown += unknown;
	*tokens += s.n + rna_frame_specials(f->frame);
	out->len = (size_t)(p - out->data);
	return RNA_OK;
}

void
rna_frame_encoded_rid(unsigned char *record, uint64_t rid)
{
	le64enc(record + RNA_RECORD_HEAD + rna_field_head_size(3, 0), rid);
}
