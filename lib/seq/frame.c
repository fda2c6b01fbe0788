/*
 * frame.c: from letters to the tokens of one model input: frames, length policies, chunks; and back.
 */
#include <string.h>

#include "seq/frame_private.h"

uint32_t
rna_frame_specials(enum rna_frame frame)
{
	return frame == RNA_FRAME_TYPE ? 4 : 2;
}

/* Bases that fit into max tokens. */
static uint64_t
room(const struct rna_framing *f, int pair)
{
	uint64_t specials = rna_frame_specials(f->frame) + (pair ? 1 : 0);

	if (f->max == 0)
		return UINT64_MAX;
	return f->max > specials ? f->max - specials : 0;
}

uint32_t
rna_frame_chunks(const struct rna_framing *f, uint64_t n)
{
	uint64_t cap = room(f, 0), step, k;

	if (n <= cap)
		return 1;
	if (f->policy == RNA_LONG_DROP)
		return 0;
	if (f->policy != RNA_LONG_CHUNK || cap <= f->overlap)
		return 1;
	step = cap - f->overlap;
	k = 1 + (n - cap + step - 1) / step;
	return k > UINT32_MAX ? UINT32_MAX : (uint32_t)k;
}

uint32_t
rna_frame_count(const struct rna_framing *f, const struct rna_record *rec, int *fits)
{
	size_t n = 0, nb = 0;
	int pair, ok;

	(void)rna_record_get_str(rec, "seq", &n);
	pair = rna_record_get_str(rec, "seq_b", &nb) != NULL;
	ok = pair ? n + nb <= room(f, 1) : n <= room(f, 0);
	if (fits != NULL)
		*fits = ok;
	if (pair)
		return !ok && f->policy == RNA_LONG_DROP ? 0 : 1;
	return rna_frame_chunks(f, n);
}

struct rna_span
rna_frame_span(const struct rna_framing *f, uint64_t n, uint64_t nb, int pair, uint32_t c, uint32_t nchunks)
{
	struct rna_span s = {0, n, 0, nb};
	uint64_t cap = room(f, pair), cut, d;

	if (nchunks > 1) {
		s.first = c * (cap - f->overlap);
		s.n = n - s.first < cap ? n - s.first : cap;
		s.shared = c > 0 ? f->overlap : 0;
	} else if (f->policy == RNA_LONG_TRUNCATE && n + nb > cap) {
		cut = n + nb - cap;
		d = n > nb ? n - nb : nb - n;
		d = d < cut ? d : cut; /* taken off the longer first, what is left off both in turn */
		if (n > nb)
			s.n -= d;
		else
			s.n_b -= d;
		s.n -= (cut - d) / 2;
		s.n_b -= (cut - d + 1) / 2;
	}
	return s;
}

/*
 * The tokens of n letters, when these are the usual ones: a few comparisons of many letters at once.  0: there are
 * others, and what was written is not theirs.
 */
static int
put_bases(const struct rna_vocab *v, const unsigned char *s, uint64_t n, uint8_t *tokens)
{
	const uint8_t a = v->id['A'], c = v->id['C'], g = v->id['G'], u = v->id['U'];
	uint8_t other = 0;
	uint64_t i;

#pragma omp simd reduction(| : other)
	for (i = 0; i < n; i++) {
		uint8_t x = s[i] & 0xdf, is_a = -(x == 'A'), is_c = -(x == 'C'), is_g = -(x == 'G'),
			is_u = -((x | 1) == 'U');

		tokens[i] = (is_a & a) | (is_c & c) | (is_g & g) | (is_u & u);
		other |= (uint8_t) ~(is_a | is_c | is_g | is_u);
	}
	return other == 0;
}

uint64_t
rna_frame_letters(const struct rna_vocab *v, const char *seq, uint64_t n, uint64_t shared, uint8_t *tokens)
{
	const unsigned char *s = (const unsigned char *)seq;
	uint64_t i, unknown = 0;

	if (put_bases(v, s, n, tokens))
		return 0;
	for (i = 0; i < n; i++)
		tokens[i] = v->id[s[i]];
	if (memchr(tokens, v->unk, n) == NULL)
		return 0;
	for (i = shared; i < n; i++)
		unknown += v->known[s[i]] == 0;
	return unknown;
}

/* Writes `tokens` and, for a pair, `segment`. */
static enum rna_status
put_tokens(const struct rna_framing *f, const struct rna_vocab *v, const struct rna_record *rec, int type,
    const struct rna_span *s, struct rna_record *out, uint64_t *unknown)
{
	int pair = rna_record_find(rec, "seq_b") != NULL;
	uint64_t dims[1], at = 0;
	size_t n = 0;
	uint8_t *t;

	dims[0] = s->n + rna_frame_specials(f->frame) + (pair ? s->n_b + 1 : 0);
	if ((t = rna_record_put(out, "tokens", RNA_U8, 1, dims)) == NULL)
		return RNA_EMEM;
	t[at++] = (uint8_t)v->cls;
	/* looked up now: when out is rec its fields have just moved */
	*unknown = rna_frame_letters(v, rna_record_get_str(rec, "seq", &n) + s->first, s->n, s->shared, t + at);
	at += s->n;
	if (pair) {
		t[at++] = (uint8_t)v->mid;
		*unknown += rna_frame_letters(v, rna_record_get_str(rec, "seq_b", &n), s->n_b, 0, t + at);
		at += s->n_b;
	}
	if (f->frame == RNA_FRAME_TYPE) {
		t[at++] = (uint8_t)v->ind;
		t[at++] = (uint8_t)(type >= 0 ? type : v->mask);
	}
	t[at] = (uint8_t)v->sep;
	if (!pair)
		return RNA_OK;
	if ((t = rna_record_put(out, "segment", RNA_U8, 1, dims)) == NULL)
		return RNA_EMEM;
	memset(t + s->n + 2, 1, dims[0] - s->n - 2);
	return RNA_OK;
}

/* `pair` of bases first .. first + n - 1, counted from first. */
static enum rna_status
put_pair(const struct rna_record *rec, const struct rna_span *s, struct rna_record *out)
{
	uint64_t n, i, dims[1] = {s->n};
	const int32_t *src = rna_record_get_vec(rec, "pair", RNA_I32, &n);
	int32_t *dst;

	if (src == NULL || n < s->first + s->n)
		return RNA_EINVAL;
	if ((dst = rna_record_put(out, "pair", RNA_I32, 1, dims)) == NULL)
		return RNA_EMEM;
	for (i = 0; i < s->n; i++) {
		int64_t j = src[s->first + i] - (int64_t)s->first;

		dst[i] = j >= 0 && j < (int64_t)s->n ? (int32_t)j : -1;
	}
	return RNA_OK;
}

/* `structure` of the span: brackets whose partner is outside (by the `pair` already in out) become dots. */
static enum rna_status
put_structure(const char *text, size_t n, const struct rna_span *s, struct rna_record *out)
{
	uint64_t i, npair, dims[1] = {s->n};
	const int32_t *pair;
	char *dst;

	if (n < s->first + s->n)
		return RNA_EINVAL;
	if ((dst = rna_record_put(out, "structure", RNA_STR, 1, dims)) == NULL)
		return RNA_EMEM;
	memcpy(dst, text + s->first, s->n);
	pair = rna_record_get_vec(out, "pair", RNA_I32, &npair);
	for (i = 0; pair != NULL && npair == s->n && i < s->n; i++)
		if (pair[i] < 0)
			dst[i] = '.';
	return RNA_OK;
}

/* Every field of rec, `seq`, `pair` and `structure` cut to the span.  A structure without `pair` is dropped: it can't
 * be cut. */
static enum rna_status
copy_cut(const struct rna_record *rec, const struct rna_span *s, struct rna_record *out)
{
	const struct rna_field *f;
	enum rna_status st = RNA_OK;
	size_t i;

	rna_record_reuse(out);
	out->number = rec->number;
	for (i = 0; i < rec->nfields && st == RNA_OK; i++) {
		const void *data = rna_record_data(rec, f = &rec->fields[i]);

		if (strcmp(f->name, "seq") == 0)
			st = rna_record_set_str(out, "seq", (const char *)data + s->first, s->n);
		else if (strcmp(f->name, "seq_b") == 0)
			st = rna_record_set_str(out, "seq_b", data, s->n_b);
		else if (strcmp(f->name, "pair") == 0)
			st = put_pair(rec, s, out);
		else if (strcmp(f->name, "structure") != 0)
			st = rna_record_set(out, f->name, f->dtype, f->ndim, f->dims, data);
	}
	if (st == RNA_OK && (f = rna_record_find(rec, "structure")) != NULL && rna_record_find(out, "pair") != NULL)
		st = put_structure(rna_record_data(rec, f), f->size, s, out);
	return st;
}

void
rna_frame_count_rna(struct rna_frame_counts *n, const struct rna_framing *f, uint64_t nt, uint64_t kept,
    uint32_t nchunks, int type)
{
	n->records++;
	n->nt += nt;
	if (nchunks == 0) {
		n->dropped++;
		n->dropped_nt += nt;
		return;
	}
	if (nchunks > 1) {
		n->chunked++;
		n->chunks += nchunks;
	} else if (kept < nt) {
		n->truncated++;
		n->truncated_nt += nt - kept;
	}
	if (f->frame == RNA_FRAME_TYPE && type < 0)
		n->untyped++;
}

enum rna_status
rna_frame_record(const struct rna_framing *f, const struct rna_vocab *v, const struct rna_record *rec, int type,
    uint32_t c, struct rna_record *out, struct rna_frame_counts *counts)
{
	uint32_t nchunks = rna_frame_count(f, rec, NULL), chunk[2];
	size_t n = 0, nb = 0;
	uint64_t unknown;
	enum rna_status st;
	struct rna_span s;
	int pair;

	if (rna_record_get_str(rec, "seq", &n) == NULL || (c > 0 && c >= nchunks) ||
	    (f->frame == RNA_FRAME_TYPE && (v->ind < 0 || v->mask < 0)))
		return RNA_EINVAL;
	pair = rna_record_get_str(rec, "seq_b", &nb) != NULL;
	s = rna_frame_span(f, n, nb, pair, c, nchunks);
	if (counts != NULL && c == 0)
		rna_frame_count_rna(counts, f, n + nb, s.n + s.n_b, nchunks, type);
	if (nchunks == 0)
		return RNA_END;
	st = s.n == n && s.n_b == nb ? rna_record_copy(out, rec) : copy_cut(rec, &s, out);
	if (st == RNA_OK && type >= 0)
		st = rna_record_set_u8(out, "type", (uint8_t)type);
	else
		rna_record_remove(out, "type");
	if (st == RNA_OK)
		st = put_tokens(f, v, rec, type, &s, out, &unknown);
	if (st == RNA_OK && nchunks > 1) {
		chunk[0] = c;
		chunk[1] = (uint32_t)s.first;
		if ((st = rna_record_set_vec(out, "chunk", RNA_U32, chunk, 2)) == RNA_OK)
			st = rna_record_set_u8(out, "last", c + 1 == nchunks);
	}
	if (st == RNA_OK && counts != NULL)
		counts->unknown += unknown;
	return st;
}

void
rna_frame_add(struct rna_frame_counts *sum, const struct rna_frame_counts *n)
{
	sum->records += n->records;
	sum->nt += n->nt;
	sum->dropped += n->dropped;
	sum->dropped_nt += n->dropped_nt;
	sum->truncated += n->truncated;
	sum->truncated_nt += n->truncated_nt;
	sum->chunked += n->chunked;
	sum->chunks += n->chunks;
	sum->unknown += n->unknown;
	sum->untyped += n->untyped;
}

uint32_t
rna_frame_bases(const struct rna_vocab *v, const uint8_t *tokens, uint64_t ntokens, uint32_t *first)
{
	uint64_t i, n = 0;

	i = ntokens > 0 && tokens[0] == v->cls ? 1 : 0;
	*first = (uint32_t)i;
	for (; i + n < ntokens; n++) {
		int t = tokens[i + n];

		if (t == v->sep || t == v->mid || t == v->ind || t == v->pad)
			break;
	}
	return (uint32_t)n;
}

int64_t
rna_frame_slot(const struct rna_vocab *v, const uint8_t *tokens, uint64_t ntokens)
{
	uint64_t i;

	for (i = ntokens; v->ind >= 0 && i > 1; i--)
		if (tokens[i - 2] == v->ind)
			return (int64_t)i - 1;
	return -1;
}
