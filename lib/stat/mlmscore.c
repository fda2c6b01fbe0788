/*
 * mlmscore.c: scores of masked-token prediction (mlmscore.h).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stat/mlmscore.h"

void
rna_mlmscore_init(struct rna_mlmscore *s, const struct rna_vocab *v, const struct rna_context *c)
{
	memset(s, 0, sizeof(*s));
	s->vocab = v;
	s->context = c;
}

void
rna_mlmscore_fini(struct rna_mlmscore *s)
{
	int i;

	for (i = 0; i < RNA_MLM_NSUMS; i++)
		free(s->sum[i]);
	free(s->tokens);
	memset(s, 0, sizeof(*s));
}

/* Room for one more record and for n tokens. */
static enum rna_status
reserve(struct rna_mlmscore *s, size_t n)
{
	size_t cap = s->cap > 0 ? 2 * s->cap : 1024;
	double *p;
	uint8_t *t;
	int i;

	if (n > s->tokens_cap) {
		if ((t = realloc(s->tokens, n)) == NULL)
			return RNA_EMEM;
		s->tokens = t;
		s->tokens_cap = n;
	}
	if (s->n < s->cap)
		return RNA_OK;
	for (i = 0; i < RNA_MLM_NSUMS; i++) {
		if ((p = reallocarray(s->sum[i], cap, sizeof(*p))) == NULL)
			return RNA_EMEM;
		s->sum[i] = p;
	}
	s->cap = cap;
	return RNA_OK;
}

/* -log softmax(logits)[target] */
static double
loss_of(const float *logits, int n, int target)
{
	double max = (double)logits[0], sum = 0;
	int i;

	for (i = 1; i < n; i++)
		max = (double)logits[i] > max ? (double)logits[i] : max;
	for (i = 0; i < n; i++)
		sum += exp((double)logits[i] - max);
	return log(sum) + max - (double)logits[target];
}

static void
add_base(struct rna_mlmscore *s, size_t n, size_t at, int target, const float *logits)
{
	const struct rna_vocab *v = s->vocab;
	double p[4];
	int b, best = 0, likely = 0, truth = 0;

	for (b = 0; b < 4; b++) {
		best = logits[v->base[b]] > logits[v->base[best]] ? b : best;
		truth = v->base[b] == target ? b : truth;
	}
	s->sum[RNA_MLM_BASES][s->n]++;
	s->sum[RNA_MLM_LOSS][s->n] += loss_of(logits, v->n, target);
	s->sum[RNA_MLM_HITS][s->n] += best == truth;
	if (s->context == NULL)
		return;
	rna_context_predict(s->context, s->tokens, n, at, p);
	for (b = 1; b < 4; b++)
		likely = p[b] > p[likely] ? b : likely;
	s->sum[RNA_MLM_CONTEXT_LOSS][s->n] -= log(p[truth]);
	s->sum[RNA_MLM_CONTEXT_HITS][s->n] += likely == truth;
}

static void
add_type(struct rna_mlmscore *s, int target, const float *logits)
{
	const struct rna_vocab *v = s->vocab;
	int t, best = v->type_first;

	for (t = v->type_first; t < v->type_first + v->ntypes; t++)
		best = logits[t] > logits[best] ? t : best;
	s->sum[RNA_MLM_TYPES][s->n]++;
	s->sum[RNA_MLM_TYPE_HITS][s->n] += best == target;
	s->type_targets[target]++;
	s->type_hits[target] += best == target;
}

enum rna_status
rna_mlmscore_add(struct rna_mlmscore *s, const struct rna_record *rec, struct rna_err *err)
{
	const struct rna_vocab *v = s->vocab;
	const struct rna_field *f = rna_record_find(rec, "logits");
	const uint8_t *tokens, *target;
	const uint32_t *masked;
	const float *logits, *row;
	uint64_t n, m, m2, i;
	int k;

	tokens = rna_record_get_vec(rec, "tokens", RNA_U8, &n);
	masked = rna_record_get_vec(rec, "masked", RNA_U32, &m);
	target = rna_record_get_vec(rec, "target", RNA_U8, &m2);
	if (tokens == NULL || masked == NULL || target == NULL || m != m2)
		return rna_fail(err, RNA_EFORMAT, "not masked; mask with rna-mask before rna-embed --what logits");
	if (f == NULL || f->dtype != RNA_F32 || f->ndim != 2 || f->dims[0] != n || f->dims[1] != (uint64_t)v->n)
		return rna_fail(err, RNA_EFORMAT, "no logits of its tokens; make them with rna-embed --what logits");
	if (reserve(s, n) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	logits = rna_record_data(rec, f);
	for (k = 0; k < RNA_MLM_NSUMS; k++)
		s->sum[k][s->n] = 0;
	memcpy(s->tokens, tokens, n);
	for (i = 0; i < m; i++) {
		if (masked[i] >= n || target[i] >= v->n)
			return rna_fail(
			    err, RNA_EFORMAT, "masked position %u or its target is out of range", masked[i]);
		s->tokens[masked[i]] = target[i];
	}
	for (i = 0; i < m; i++) {
		row = logits + masked[i] * (uint64_t)v->n;
		if (v->is_acgu[target[i]])
			add_base(s, n, masked[i], target[i], row);
		else if (target[i] >= v->type_first && target[i] < v->type_first + v->ntypes)
			add_type(s, target[i], row);
	}
	s->n++;
	return RNA_OK;
}

enum rna_status
rna_mlmscore_ratio(const struct rna_mlmscore *s, enum rna_mlm_sum above, enum rna_mlm_sum below, int draws,
    uint64_t seed, struct rna_interval *iv)
{
	return rna_bootstrap_ratio(s->sum[above], s->sum[below], s->n, draws, seed, iv);
}

enum rna_status
rna_mlmscore_difference(const struct rna_mlmscore *s, enum rna_mlm_sum above, enum rna_mlm_sum minus,
    enum rna_mlm_sum below, int draws, uint64_t seed, struct rna_interval *iv)
{
	enum rna_status st;
	double *d;
	size_t i;

	if ((d = calloc(s->n + 1, sizeof(*d))) == NULL)
		return RNA_EMEM;
	for (i = 0; i < s->n; i++)
		d[i] = s->sum[above][i] - s->sum[minus][i];
	st = rna_bootstrap_ratio(d, s->sum[below], s->n, draws, seed, iv);
	free(d);
	return st;
}

double
rna_mlmscore_total(const struct rna_mlmscore *s, enum rna_mlm_sum which)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < s->n; i++)
		sum += s->sum[which][i];
	return sum;
}

double
rna_mlmscore_macro_recall(const struct rna_mlmscore *s, int *ntypes)
{
	double sum = 0;
	int t;

	*ntypes = 0;
	for (t = 0; t < RNA_VOCAB_MAX; t++) {
		if (s->type_targets[t] > 0) {
			sum += (double)s->type_hits[t] / (double)s->type_targets[t];
			(*ntypes)++;
		}
	}
	return *ntypes > 0 ? sum / *ntypes : NAN;
}
