/*
 * foldmetrics.c: how near predicted secondary structures are to the known ones (foldmetrics.h).
 */
#include <math.h>

#include "seq/structure.h"
#include "stat/foldmetrics.h"

const char *const rna_fold_metric_name[RNA_FOLD_NMETRICS] = {
    "precision",
    "recall",
    "f1",
    "mcc",
    "relaxed_precision",
    "relaxed_recall",
    "relaxed_f1",
    "pooled_precision",
    "pooled_recall",
    "pooled_f1",
    "pooled_mcc",
    "pooled_relaxed_precision",
    "pooled_relaxed_recall",
    "pooled_relaxed_f1",
};

/* 1 when (i, j), or a pair with one end off by one, is in pair. */
static int
is_near(const int32_t *pair, size_t n, size_t i, size_t j)
{
	int32_t jj = (int32_t)j;

	return (pair[i] >= 0 && pair[i] >= jj - 1 && pair[i] <= jj + 1) || (i > 0 && pair[i - 1] == jj) ||
	       (i + 1 < n && pair[i + 1] == jj);
}

struct rna_fold_counts
rna_foldmetrics_count(const int32_t *known, const int32_t *called, size_t n)
{
	struct rna_fold_counts c = {.possible = (double)n * ((double)n - 1) / 2};
	size_t i;

	for (i = 0; i < n; i++) {
		if (known[i] > (int32_t)i) {
			c.known++;
			c.near_known += is_near(called, n, i, (size_t)known[i]);
		}
		if (called[i] > (int32_t)i) {
			c.called++;
			c.hits += called[i] == known[i];
			c.near_called += is_near(known, n, i, (size_t)called[i]);
		}
	}
	return c;
}

static char
base_of(char c)
{
	c = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
	return c == 'T' ? 'U' : c;
}

static int
can_pair(char a, char b)
{
	a = base_of(a);
	b = base_of(b);
	return (a == 'A' && b == 'U') || (a == 'U' && b == 'A') || (a == 'G' && (b == 'C' || b == 'U')) ||
	       (b == 'G' && (a == 'C' || a == 'U'));
}

void
rna_foldmetrics_canonical(int32_t *pair, const char *seq, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (pair[i] > (int32_t)i && !can_pair(seq[i], seq[pair[i]])) {
			pair[pair[i]] = -1;
			pair[i] = -1;
		}
	}
}

enum rna_status
rna_foldmetrics_nested(int32_t *pair, size_t n, struct rna_err *err)
{
	struct rna_buf text = RNA_BUF_INIT;
	enum rna_status s;
	size_t i;

	s = rna_structure_print(pair, n, &text, err);
	for (i = 0; s == RNA_OK && i < n; i++)
		if (text.data[i] != '(' && text.data[i] != ')')
			pair[i] = -1;
	rna_buf_fini(&text);
	return s;
}

/* Precision, recall, F1 from right ones of called, found ones of known. */
static void
set_f1(double right, double called, double found, double known, double *v)
{
	if (called == 0 && known == 0) {
		v[0] = v[1] = v[2] = 1;
		return;
	}
	v[0] = called > 0 ? right / called : 0;
	v[1] = known > 0 ? found / known : 0;
	v[2] = v[0] + v[1] > 0 ? 2 * v[0] * v[1] / (v[0] + v[1]) : 0;
}

static double
mcc(const struct rna_fold_counts *c)
{
	double fp = c->called - c->hits, fn = c->known - c->hits, tn = c->possible - c->called - fn;
	double d = sqrt(c->called * c->known) * sqrt((tn + fp) * (tn + fn));

	if (c->called == 0 && c->known == 0)
		return 1;
	return d > 0 ? (c->hits * tn - fp * fn) / d : c->hits == c->called && c->hits == c->known;
}

static void
set_metrics(const struct rna_fold_counts *c, double *exact, double *relaxed)
{
	set_f1(c->hits, c->called, c->hits, c->known, exact);
	exact[3] = mcc(c);
	set_f1(c->near_called, c->called, c->near_known, c->known, relaxed);
}

void
rna_foldmetrics_measure(const double *w, void *foldset, double *values)
{
	const struct rna_foldset *s = foldset;
	struct rna_fold_counts all = {0};
	const struct rna_fold_counts *c;
	double v[RNA_FOLD_POOLED_PRECISION], n = 0;
	size_t i, k;

	for (k = 0; k < RNA_FOLD_NMETRICS; k++)
		values[k] = 0;
	for (i = 0; i < s->n; i++) {
		if (w[i] == 0)
			continue;
		c = &s->counts[s->at[i]];
		set_metrics(c, v, v + RNA_FOLD_RELAXED_PRECISION);
		for (k = 0; k < RNA_FOLD_POOLED_PRECISION; k++)
			values[k] += w[i] * v[k];
		n += w[i];
		all.possible += w[i] * c->possible;
		all.known += w[i] * c->known;
		all.called += w[i] * c->called;
		all.hits += w[i] * c->hits;
		all.near_called += w[i] * c->near_called;
		all.near_known += w[i] * c->near_known;
	}
	for (k = 0; k < RNA_FOLD_POOLED_PRECISION; k++)
		values[k] /= n;
	set_metrics(&all, values + RNA_FOLD_POOLED_PRECISION, values + RNA_FOLD_POOLED_RELAXED_PRECISION);
}
