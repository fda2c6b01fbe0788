/*
 * unit_classmetrics.c: scores of classifications against scikit-learn's values, the bootstrap against what it must
 * give.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stat/classmetrics.h"
#include "stat/resample.h"
#include "stat/seen.h"
#include "tap.h"

#define N 12

struct sklearn_case {
	int classes;
	int truth[N];
	float prob[4 * N];
	double value[RNA_CLASS_NMETRICS];
};

#include "sklearn_table.h"

static char c0[] = "c0", c1[] = "c1", c2[] = "c2", c3[] = "c3";
static char *const names[] = {c0, c1, c2, c3};

static void
fill(struct rna_classset *s, const struct sklearn_case *c)
{
	struct rna_record rec;
	int i, bad = 0;

	rna_classset_init(s);
	rna_record_init(&rec);
	for (i = 0; i < N; i++) {
		rna_record_reuse(&rec);
		bad |= rna_record_set_str(&rec, "label", names[c->truth[i]], 2) != RNA_OK ||
		       rna_record_set_vec(&rec, "prob", RNA_F32, c->prob + i * c->classes, (uint64_t)c->classes) !=
		           RNA_OK ||
		       rna_classset_add(s, &rec, NULL) != RNA_OK;
	}
	bad |= rna_classset_finish(s, names, (size_t)c->classes, NULL) != RNA_OK;
	ok(!bad, "%d records of %d classes are taken", N, c->classes);
	rna_record_fini(&rec);
}

static void
against_sklearn(const struct sklearn_case *c)
{
	struct rna_classmetrics m;
	struct rna_classset s;
	double w[2 * N], value[RNA_CLASS_NMETRICS + 4 * RNA_CLASS_NPARTS], twice[sizeof(value) / sizeof(*value)];
	int i;

	fill(&s, c);
	if (rna_classmetrics_init(&m, &s, 15) != RNA_OK)
		return;
	for (i = 0; i < N; i++)
		w[i] = 1;
	rna_classmetrics_measure(w, &m, value);
	for (i = 0; i < RNA_CLASS_NMETRICS; i++)
		ok(fabs(value[i] - c->value[i]) < 1e-9, "%s is %.12g, scikit-learn has %.12g", rna_class_metric_name[i],
		    value[i], c->value[i]);
	for (i = 0; i < N; i++)
		w[i] = 2;
	rna_classmetrics_measure(w, &m, twice);
	for (i = 0; i < RNA_CLASS_NMETRICS && fabs(value[i] - twice[i]) < 1e-12; i++)
		;
	ok(i == RNA_CLASS_NMETRICS, "all records twice change nothing");
	rna_classmetrics_fini(&m);
	rna_classset_fini(&s);
}

/* Mean of 0, 1, ..., n - 1. */
static void
mean(const double *w, void *arg, double *values)
{
	size_t n = *(const size_t *)arg, i;
	double sum = 0, all = 0;

	for (i = 0; i < n; i++) {
		sum += w[i] * (double)i;
		all += w[i];
	}
	values[0] = sum / all;
}

static void
resampling(void)
{
	enum { DRAWS = 2000 };
	struct rna_interval iv;
	double *sample = calloc(DRAWS, sizeof(*sample)), *zero = calloc(DRAWS, sizeof(*zero)), half, p = 0;
	size_t n = 400;

	if (sample == NULL || zero == NULL || rna_resample(n, DRAWS, 3, 1, mean, &n, sample) != RNA_OK ||
	    rna_resample_interval(sample, DRAWS, 1, 0, 199.5, &iv) != RNA_OK) {
		ok(0, "memory");
		return;
	}
	/* the standard error of the mean is sqrt((n^2 - 1) / 12 / n) = 5.77; 1.96 of it */
	half = (iv.high - iv.low) / 2;
	ok(fabs(half - 11.3) < 0.8 && fabs(iv.low + half - 199.5) < 1.5, "interval %g to %g of a mean", iv.low,
	    iv.high);
	ok(rna_resample_difference(sample, zero, DRAWS, 1, 0, 199.5, &iv, &p) == RNA_OK && p < 0.0011 && p > 0.0009,
	    "p of a sure difference is 2 / (1 + draws): %g", p);
	ok(rna_resample_difference(sample, sample, DRAWS, 1, 0, 0, &iv, &p) == RNA_OK && p == 1 && iv.low == 0,
	    "p of no difference is 1");
	free(sample);
	free(zero);
}

static void
seen_ids(void)
{
	struct rna_seen s = RNA_SEEN_INIT;
	uint64_t i;
	int was, bad = 0;

	for (i = 0; i < 5000; i++)
		bad += rna_seen_add(&s, i * 977, &was) != RNA_OK || was;
	for (i = 0; i < 5000; i++)
		bad += rna_seen_add(&s, i * 977, &was) != RNA_OK || !was;
	ok(bad == 0, "5000 ids are new once and known then");
	rna_seen_fini(&s);
}

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		against_sklearn(&cases[i]);
	resampling();
	seen_ids();
	return done();
}
