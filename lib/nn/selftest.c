/*
 * selftest.c: answers that are known.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/embed.h"
#include "nn/selftest.h"
#include "nn/selftest_expected.h"
#include "seq/frame.h"

#define NRNAS 4
#define EACH 8 /* values of each vector */
#define STEP 7 /* every seventh base is masked at a time */
#define SEED 20240515

enum { SAMPLE_TOKENS = 512 }; /* of all RNAs, framed */

static const char *const rnas[NRNAS] = {
    /* tRNA-Phe, yeast */
    "GCGGAUUUAGCUCAGUUGGGAGAGCGCCAGACUGAAGAUCUGGAGGUCCUGUGUUCGAUCCACAGAAUUCGCACCA",
    /* 5S rRNA, Escherichia coli */
    "UGCCUGGCGGCCGUAGCGCGGUGGUCCCACCUGACCCCAUGCCGAACUCAGAAGUGAAACGCCGUAGCGCCGAUGGUAGUGUGGGGUCUCCCCAUGCGAGAGUAGGGAACUG"
    "CCAGGCAU",
    /* 5S rRNA, human */
    "GUCUACGGCCAUACCACCCUGAACGCGCCCGAUCUCGUCUGAUCUCGGAAGCUAAGCAGGGUCGGGCCUGGUUAGUACUUGGAUGGGAGACCGCCUGGGAAUACCGGGUGCU"
    "GUAGGCUU",
    /* tRNA-Ala, Escherichia coli */
    "GGGGCUAUAGCUCAGCUGGGAGAGCGCUUGCAUGGCAUGCAAGAGGUCAGCGGUUCGAUCCCGCUUAGCUCCACCA",
};

const float *
rna_selftest_expected(void)
{
	return rna_selftest_golden;
}

void
rna_selftest_compare(const float *a, const float *b, size_t n, double *difference, double *cosine)
{
	double ab = 0, aa = 0, bb = 0, d;
	size_t i;

	*difference = 0;
	for (i = 0; i < n; i++) {
		d = fabs((double)a[i] - (double)b[i]);
		if (isnan(d))
			d = INFINITY;
		if (d > *difference)
			*difference = d;
		ab += (double)a[i] * b[i];
		aa += (double)a[i] * a[i];
		bb += (double)b[i] * b[i];
	}
	*cosine = aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

/* max: tokens that are left of it; 0: all. */
static enum rna_status
make_record(struct rna_record *rec, const struct rna_vocab *v, enum rna_frame frame, uint32_t max, const char *seq)
{
	const struct rna_framing framing = {frame, max > 0 ? RNA_LONG_TRUNCATE : RNA_LONG_KEEP, max, 0};
	struct rna_record letters;
	enum rna_status st;

	rna_record_init(&letters);
	if ((st = rna_record_set_str(&letters, "seq", seq, strlen(seq))) == RNA_OK)
		st = rna_frame_record(&framing, v, &letters, -1, 0, rec, NULL);
	rna_record_fini(&letters);
	return st;
}

/* Eight values of row `row` of a field, spread over its columns. */
static void
take(const struct rna_record *rec, const char *name, uint64_t row, float **dst)
{
	const struct rna_field *f = rna_record_find(rec, name);
	const float *x = f != NULL ? rna_record_data(rec, f) : NULL;
	uint64_t columns = f != NULL ? f->dims[f->ndim - 1] : 0;
	int i;

	for (i = 0; i < EACH; i++)
		*(*dst)++ = x != NULL ? x[row * columns + (uint64_t)i * (columns / EACH)] : NAN;
}

static enum rna_status
small_model(struct rna_model *m, struct rk *rk, struct rna_err *err)
{
	struct rna_config c;
	struct rna_vocab v;
	enum rna_status st = rna_config_preset(&c, "tiny", err);

	if (st != RNA_OK)
		return st;
	c.pooler = c.mlm = 1;
	c.init_range = 0.1f; /* large enough for every part to show in the result */
	if ((st = rna_vocab_init(&v)) != RNA_OK) {
		rna_config_fini(&c);
		return rna_fail(err, st, "out of memory");
	}
	c.vocab_size = v.n;
	st = rna_model_create(m, &c, &v, rk, SEED, err);
	rna_config_fini(&c);
	rna_vocab_fini(&v);
	return st;
}

enum rna_status
rna_selftest_values(struct rk *rk, enum rk_precision precision, float values[RNA_SELFTEST_VALUES], struct rna_err *err)
{
	struct rna_embed_options o = {
	    RNA_EMBED_CLS | RNA_EMBED_MEAN | RNA_EMBED_POOLED | RNA_EMBED_LOGITS, -1, precision};
	struct rna_record rec[NRNAS];
	struct rna_embed *e = NULL;
	struct rna_model m;
	enum rna_status st = small_model(&m, rk, err);
	float *dst = values;
	int i;

	if (st != RNA_OK)
		return st;
	for (i = 0; i < NRNAS; i++)
		rna_record_init(&rec[i]);
	for (i = 0; i < NRNAS && st == RNA_OK; i++)
		st = make_record(&rec[i], &m.vocab, i % 2 ? RNA_FRAME_TYPE : RNA_FRAME_PLAIN, 0, rnas[i]);
	if (st == RNA_OK && (e = rna_embed_open(&m, &o, err)) == NULL)
		st = RNA_EINVAL;
	if (st == RNA_OK)
		st = rna_embed_run(e, rec, NRNAS, err);
	for (i = 0; i < NRNAS && st == RNA_OK; i++) {
		take(&rec[i], "cls", 0, &dst);
		take(&rec[i], "mean", 0, &dst);
		take(&rec[i], "pooled", 0, &dst);
		take(&rec[i], "logits", 5, &dst);
	}
	for (i = 0; i < NRNAS; i++)
		rna_record_fini(&rec[i]);
	rna_embed_close(e);
	rna_model_fini(&m);
	return st;
}

/* The hidden states of the RNAs in a precision. */
static enum rna_status
hidden_states(
    struct rna_model *m, int layer, enum rk_precision precision, struct rna_record rec[NRNAS], struct rna_err *err)
{
	const struct rna_embed_options o = {RNA_EMBED_HIDDEN, layer, precision};
	struct rna_embed *e = rna_embed_open_small(m, &o, SAMPLE_TOKENS, err);
	enum rna_status st = e != NULL ? RNA_OK : RNA_EINVAL;
	int i;

	for (i = 0; i < NRNAS && st == RNA_OK; i++) {
		rna_record_reuse(&rec[i]);
		if ((st = make_record(&rec[i], &m->vocab, m->config.frame, (uint32_t)m->config.max, rnas[i])) != RNA_OK)
			rna_fail(err, st, "the RNAs of the self-test can't be framed");
	}
	if (st == RNA_OK)
		st = rna_embed_run(e, rec, NRNAS, err);
	rna_embed_close(e);
	return st;
}

/* Takes the mean over all tokens of all records off; what all tokens share says nothing of any. */
static enum rna_status
centre(struct rna_record rec[NRNAS], struct rna_err *err)
{
	const uint64_t columns = rna_record_find(&rec[0], "hidden")->dims[1];
	double *mean = calloc(columns, sizeof(*mean)), n = 0;
	int pass, i;
	uint64_t k;

	if (mean == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < NRNAS; i++) {
			const struct rna_field *f = rna_record_find(&rec[i], "hidden");
			float *x = (float *)(void *)(rec[i].mem.data + f->offset);

			n += pass ? 0 : (double)f->dims[0];
			for (k = 0; k < f->dims[0] * columns; k++)
				if (pass)
					x[k] -= (float)(mean[k % columns] / n);
				else
					mean[k % columns] += (double)x[k];
		}
	free(mean);
	return RNA_OK;
}

/* Adds the cosines of the tokens of two records. */
static void
add_tokens(const struct rna_record *a, const struct rna_record *b, struct rna_selftest_agreement *to)
{
	const struct rna_field *f = rna_record_find(a, "hidden"), *g = rna_record_find(b, "hidden");
	const float *x = rna_record_data(a, f), *y = rna_record_data(b, g);
	double difference, cosine;
	uint64_t t;

	for (t = 0; t < f->dims[0]; t++) {
		rna_selftest_compare(x + t * f->dims[1], y + t * f->dims[1], f->dims[1], &difference, &cosine);
		if (!(cosine > -1)) /* no number */
			cosine = -1;
		to->mean += cosine;
		to->least = cosine < to->least ? cosine : to->least;
		to->tokens++;
	}
}

enum rna_status
rna_selftest_agree(struct rna_model *m, int layer, enum rk_precision precision, enum rk_precision other,
    struct rna_selftest_agreement *agreement, struct rna_err *err)
{
	struct rna_record a[NRNAS], b[NRNAS];
	enum rna_status st;
	int i;

	*agreement = (struct rna_selftest_agreement){0, 1, 0};
	for (i = 0; i < NRNAS; i++) {
		rna_record_init(&a[i]);
		rna_record_init(&b[i]);
	}
	if ((st = hidden_states(m, layer, precision, a, err)) == RNA_OK &&
	    (st = hidden_states(m, layer, other, b, err)) == RNA_OK && (st = centre(a, err)) == RNA_OK &&
	    (st = centre(b, err)) == RNA_OK)
		for (i = 0; i < NRNAS; i++)
			add_tokens(&a[i], &b[i], agreement);
	if (agreement->tokens > 0)
		agreement->mean /= agreement->tokens;
	for (i = 0; i < NRNAS; i++) {
		rna_record_fini(&a[i]);
		rna_record_fini(&b[i]);
	}
	return st;
}

enum rna_status
rna_selftest_fit(struct rna_model *m, int layer, enum rk_precision precision, struct rna_selftest_agreement *agreement,
    struct rna_err *err)
{
	enum rna_status st = RNA_OK;

	*agreement = (struct rna_selftest_agreement){1, 1, 0};
	if (precision != RK_FP8 || (st = rna_selftest_agree(m, layer, RK_FP8, RK_BF16, agreement, err)) != RNA_OK)
		return st;
	if (agreement->mean >= RNA_SELFTEST_FP8_MEAN && agreement->least >= RNA_SELFTEST_FP8_LEAST)
		return RNA_OK;
	return rna_fail(err, RNA_EINVAL,
	    "fp8 is too coarse for this model: over %d tokens its vectors have a mean cosine of %.4f to those of bf16, "
	    "the least %.4f; %g and %g are asked for; take bf16",
	    agreement->tokens, agreement->mean, agreement->least, RNA_SELFTEST_FP8_MEAN, RNA_SELFTEST_FP8_LEAST);
}

/* Masks every seventh base from `phase` on, and counts those that the logits find again. */
static enum rna_status
try_phase(struct rna_embed *e, const struct rna_vocab *v, struct rna_record *rec, uint32_t phase, int *right,
    int *total, struct rna_err *err)
{
	uint64_t n = 0;
	const uint8_t *before = rna_record_get_vec(rec, "tokens", RNA_U8, &n);
	uint32_t first, nbases = rna_frame_bases(v, before, n, &first), i;
	uint8_t original[RNA_VOCAB_MAX], *tokens;
	const struct rna_field *f;
	const float *logits;
	enum rna_status st;
	int b, best;

	memcpy(original, before, n);
	tokens = rec->mem.data + rna_record_find(rec, "tokens")->offset;
	for (i = phase; i < nbases; i += STEP)
		tokens[first + i] = (uint8_t)v->mask;
	if ((st = rna_embed_run(e, rec, 1, err)) != RNA_OK)
		return st;
	f = rna_record_find(rec, "logits");
	for (i = phase; i < nbases; i += STEP) {
		logits = (const float *)rna_record_data(rec, f) + (first + i) * f->dims[1];
		for (b = 1, best = 0; b < 4; b++)
			if (logits[v->base[b]] > logits[v->base[best]])
				best = b;
		*right += v->base[best] == original[first + i];
		++*total;
	}
	return RNA_OK;
}

enum rna_status
rna_selftest_masked(struct rna_model *m, int *right, int *total, struct rna_err *err)
{
	struct rna_embed_options o = {RNA_EMBED_LOGITS, -1, RK_FP32};
	struct rna_embed *e = rna_embed_open(m, &o, err);
	enum rna_status st = e != NULL ? RNA_OK : RNA_EINVAL;
	struct rna_record rec;
	uint32_t phase;
	int i;

	*right = *total = 0;
	rna_record_init(&rec);
	for (i = 0; i < NRNAS && st == RNA_OK; i++)
		for (phase = 0; phase < STEP && st == RNA_OK; phase++) {
			rna_record_reuse(&rec);
			st = make_record(&rec, &m->vocab, m->config.frame, 0, rnas[i]);
			if (st == RNA_OK)
				st = try_phase(e, &m->vocab, &rec, phase, right, total, err);
		}
	rna_record_fini(&rec);
	rna_embed_close(e);
	return st;
}
