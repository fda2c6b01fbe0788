/*
 * vote.c: what several records say of one RNA, as one record (vote.h).
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stat/vote.h"

enum { LOGITS, PROB };

static const char *const names[RNA_VOTE_FIELDS] = {
    "logits", "prob", "cls", "mean", "pooled", "hidden", "scores", "lengths"};

void
rna_vote_init(struct rna_vote *v, enum rna_vote_rule rule)
{
	memset(v, 0, sizeof(*v));
	v->rule = rule;
	rna_record_init(&v->out);
}

void
rna_vote_fini(struct rna_vote *v)
{
	int k;

	for (k = 0; k < RNA_VOTE_FIELDS; k++)
		free(v->sum[k]);
	rna_record_fini(&v->out);
	memset(v, 0, sizeof(*v));
}

/* A member's field, NULL when it is not there or not f32. */
static const struct rna_field *
field_of(const struct rna_record *rec, int k)
{
	const struct rna_field *f = rna_record_find(rec, names[k]);

	return f != NULL && f->dtype == RNA_F32 && f->count > 0 ? f : NULL;
}

static enum rna_status
begin(struct rna_vote *v, const struct rna_record *rec, struct rna_err *err)
{
	const struct rna_field *f;
	int k, any = 0;
	size_t i;

	v->weight = 0;
	for (k = 0; k < RNA_VOTE_FIELDS; k++) {
		f = field_of(rec, k);
		v->have[k] = f != NULL;
		any |= v->have[k];
		if (f == NULL)
			continue;
		if (f->count > v->cap[k]) {
			free(v->sum[k]);
			v->cap[k] = 0;
			if ((v->sum[k] = calloc(f->count, sizeof(*v->sum[k]))) == NULL)
				return rna_fail(err, RNA_EMEM, "out of memory");
			v->cap[k] = f->count;
		}
		for (i = 0; i < f->count; i++)
			v->sum[k][i] = k <= PROB && v->rule == RNA_VOTE_MAX ? -INFINITY : 0;
	}
	if (!any)
		return rna_fail(
		    err, RNA_EFORMAT, "nothing to vote on: no logits, prob, cls, mean, pooled, hidden or scores (f32)");
	if (rna_record_copy(&v->out, rec) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	return RNA_OK;
}

static enum rna_status
check_shape(const struct rna_vote *v, const struct rna_record *rec, int k, struct rna_err *err)
{
	const struct rna_field *f = field_of(rec, k), *first = rna_record_find(&v->out, names[k]);

	if ((f != NULL) != v->have[k])
		return rna_fail(err, RNA_EFORMAT, "%s in some members of a vote only", names[k]);
	if (f != NULL &&
	    (f->ndim != first->ndim || memcmp(f->dims, first->dims, (size_t)f->ndim * sizeof(*f->dims)) != 0))
		return rna_fail(err, RNA_EFORMAT, "%s of another shape than in the first member of the vote", names[k]);
	return RNA_OK;
}

/* log of the sum of exp, n > 0. */
static double
log_sum(const float *x, size_t n)
{
	double max = (double)x[0], sum;
	size_t i;

	for (i = 1; i < n; i++)
		max = fmax(max, (double)x[i]);
	sum = exp((double)x[0] - max);
	for (i = 1; i < n; i++)
		sum += exp((double)x[i] - max);
	return max + log(sum);
}

/* One member's field into the sums.  The last dimension of logits and prob is the classes. */
static void
add_field(struct rna_vote *v, const struct rna_field *f, const float *x, int k, double w)
{
	size_t row = f->ndim > 0 ? f->dims[f->ndim - 1] : 1, i, j;
	double *sum = v->sum[k], norm;

	if (k <= PROB && v->rule == RNA_VOTE_MAX) {
		for (i = 0; i < f->count; i++)
			sum[i] = fmax(sum[i], (double)x[i]);
	} else if (k <= PROB && v->rule == RNA_VOTE_GEOMETRIC) {
		for (i = 0; i < f->count; i += row) {
			norm = k == LOGITS ? log_sum(x + i, row) : 0;
			for (j = i; j < i + row; j++)
				sum[j] += w * (k == LOGITS ? (double)x[j] - norm : log((double)x[j]));
		}
	} else {
		for (i = 0; i < f->count; i++)
			sum[i] += w * (double)x[i];
	}
}

enum rna_status
rna_vote_add(struct rna_vote *v, const struct rna_record *rec, double weight, struct rna_err *err)
{
	const struct rna_field *f;
	enum rna_status s;
	int k;

	if (!(weight >= 0) || !isfinite(weight))
		return rna_fail(err, RNA_EFORMAT, "a weight that is negative or not finite");
	if (v->members == 0 && (s = begin(v, rec, err)) != RNA_OK)
		return s;
	weight = v->rule == RNA_VOTE_MEAN ? 1 : weight;
	for (k = 0; k < RNA_VOTE_FIELDS; k++) {
		if ((s = check_shape(v, rec, k, err)) != RNA_OK)
			return s;
		/* a weight of 0 must not turn an infinite value into NaN */
		if ((f = field_of(rec, k)) != NULL && (weight > 0 || v->rule == RNA_VOTE_MAX))
			add_field(v, f, rna_record_data(rec, f), k, weight);
	}
	v->weight += weight;
	v->members++;
	return RNA_OK;
}

/* The voted values of field k into v->out; for logits and prob also what each row of classes gives as prob. */
static enum rna_status
set_field(struct rna_vote *v, int k, struct rna_err *err)
{
	const struct rna_field *f = rna_record_find(&v->out, names[k]);
	int average = k > PROB || v->rule != RNA_VOTE_MAX;
	size_t n = f->count, i;
	double *sum = v->sum[k], total = 0;
	float *to;

	for (i = 0; average && i < n; i++)
		sum[i] /= v->weight;
	for (i = 0; k == PROB && i < n; i++)
		total += sum[i] = v->rule == RNA_VOTE_GEOMETRIC ? exp(sum[i]) : sum[i];
	for (i = 0; k == PROB && i < n; i++)
		sum[i] /= total;
	if ((to = rna_record_put(&v->out, names[k], RNA_F32, f->ndim, f->dims)) == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	for (i = 0; i < n; i++)
		to[i] = (float)sum[i];
	return RNA_OK;
}

/* prob = softmax of the voted logits, in v->sum[LOGITS]. */
static enum rna_status
set_prob(struct rna_vote *v, size_t n, struct rna_err *err)
{
	double max = -INFINITY, sum = 0;
	uint64_t dims[1] = {n};
	size_t i;
	float *p;

	if ((p = rna_record_put(&v->out, "prob", RNA_F32, 1, dims)) == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	for (i = 0; i < n; i++)
		max = fmax(max, v->sum[LOGITS][i]);
	for (i = 0; i < n; i++)
		sum += exp(v->sum[LOGITS][i] - max);
	for (i = 0; i < n; i++)
		p[i] = (float)(exp(v->sum[LOGITS][i] - max) / sum);
	return RNA_OK;
}

static enum rna_status
set_call(struct rna_vote *v, const json_t *classes, struct rna_err *err)
{
	const float *p;
	const char *name;
	uint64_t n, i, best = 0;

	rna_record_remove(&v->out, "call");
	p = rna_record_get_vec(&v->out, "prob", RNA_F32, &n);
	if (p == NULL || classes == NULL)
		return RNA_OK;
	if (json_array_size(classes) != n)
		return rna_fail(err, RNA_EFORMAT, "scores of %" PRIu64 " classes, and the header names %zu", n,
		    json_array_size(classes));
	for (i = 1; i < n; i++)
		best = p[i] > p[best] ? i : best;
	if ((name = json_string_value(json_array_get(classes, best))) == NULL)
		return rna_fail(err, RNA_EFORMAT, "the header's classes are no list of names");
	if (rna_record_set_str(&v->out, "call", name, strlen(name)) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	return RNA_OK;
}

enum rna_status
rna_vote_end(struct rna_vote *v, const json_t *classes, struct rna_err *err)
{
	const struct rna_field *f = rna_record_find(&v->out, "logits");
	int k, classifies = v->have[LOGITS] && f->ndim == 1;
	enum rna_status s = RNA_OK;

	v->members = 0;
	if (!(v->weight > 0))
		return rna_fail(err, RNA_EFORMAT, "a vote whose weights are all 0");
	for (k = 0; k < RNA_VOTE_FIELDS && s == RNA_OK; k++)
		if (v->have[k] && (k != PROB || !classifies))
			s = set_field(v, k, err);
	if (s == RNA_OK && classifies)
		s = set_prob(v, rna_record_find(&v->out, "logits")->count, err);
	return s == RNA_OK ? set_call(v, classes, err) : s;
}
