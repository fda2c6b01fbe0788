/*
 * classmetrics.c: how good classifications are (classmetrics.h).
 *
 * Everything is computed from weights of the records, so that a resample costs no sorting: the order of the records by
 * each class's probability is found once.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stat/classmetrics.h"

const char *const rna_class_metric_name[RNA_CLASS_NMETRICS] = {
    "accuracy",
    "balanced_accuracy",
    "macro_precision",
    "macro_recall",
    "macro_f1",
    "weighted_precision",
    "weighted_recall",
    "weighted_f1",
    "mcc",
    "auc_macro",
    "auc_weighted",
    "auprc_macro",
    "auprc_weighted",
    "brier",
    "ece",
};

const char *const rna_class_part_name[RNA_CLASS_NPARTS] = {"precision", "recall", "f1", "auc", "auprc"};

struct scored {
	double p;
	uint32_t at;
};

static int
falling(const void *a, const void *b)
{
	const struct scored *x = a, *y = b;

	if (x->p != y->p)
		return x->p < y->p ? 1 : -1;
	return (x->at > y->at) - (x->at < y->at);
}

static enum rna_status
sort_classes(struct rna_classmetrics *m)
{
	const struct rna_classset *s = m->set;
	struct scored *x = calloc(s->n, sizeof(*x));
	size_t c, i;

	if (x == NULL)
		return RNA_EMEM;
	for (c = 0; c < s->nclasses; c++) {
		for (i = 0; i < s->n; i++)
			x[i] = (struct scored){s->prob[i * s->columns + c], (uint32_t)i};
		qsort(x, s->n, sizeof(*x), falling);
		for (i = 0; i < s->n; i++)
			m->order[c * s->n + i] = x[i].at;
	}
	free(x);
	return RNA_OK;
}

enum rna_status
rna_classmetrics_init(struct rna_classmetrics *m, const struct rna_classset *set, int bins)
{
	enum rna_status st = RNA_OK;

	memset(m, 0, sizeof(*m));
	if (bins < 1 || set->n == 0 || set->n > UINT32_MAX)
		return RNA_EINVAL;
	m->set = set;
	m->bins = bins;
	m->confusion = calloc(set->nclasses * set->nclasses, sizeof(*m->confusion));
	m->bin = calloc((size_t)bins, 3 * sizeof(*m->bin));
	if (m->confusion == NULL || m->bin == NULL)
		st = RNA_EMEM;
	if (st == RNA_OK && set->columns > 0) {
		m->order = calloc(set->n, set->nclasses * sizeof(*m->order));
		st = m->order == NULL ? RNA_EMEM : sort_classes(m);
	}
	if (st != RNA_OK)
		rna_classmetrics_fini(m);
	return st;
}

void
rna_classmetrics_fini(struct rna_classmetrics *m)
{
	free(m->order);
	free(m->confusion);
	free(m->bin);
	memset(m, 0, sizeof(*m));
}

size_t
rna_classmetrics_count(const struct rna_classmetrics *m)
{
	return RNA_CLASS_NMETRICS + m->set->nclasses * RNA_CLASS_NPARTS;
}

static double
ratio_or_0(double a, double b)
{
	return b > 0 ? a / b : 0;
}

/* Precision, recall and F1 of each class, their means, accuracy and MCC (Gorodkin's), from the confusion matrix. */
static void
measure_calls(const struct rna_classmetrics *m, double *values, double *part)
{
	double n = 0, hits = 0, tt = 0, pp = 0, tp = 0, seen = 0, labelled = 0, sum[6] = {0}, recalls = 0, d;
	size_t c, d2, nc = m->set->nclasses;
	double truth, call, hit, *v;
	int k;

	for (c = 0; c < nc; c++) {
		truth = call = 0;
		for (d2 = 0; d2 < nc; d2++) {
			truth += m->confusion[c * nc + d2];
			call += m->confusion[d2 * nc + c];
		}
		hit = m->confusion[c * nc + c];
		v = part + c * RNA_CLASS_NPARTS;
		v[RNA_CLASS_PRECISION] = ratio_or_0(hit, call);
		v[RNA_CLASS_RECALL] = ratio_or_0(hit, truth);
		v[RNA_CLASS_F1] = ratio_or_0(2 * hit, truth + call);
		for (k = 0; k < 3; k++) {
			sum[k] += v[k];
			sum[3 + k] += truth * v[k];
		}
		recalls += v[RNA_CLASS_RECALL];
		seen += truth + call > 0;
		labelled += truth > 0;
		n += truth;
		hits += hit;
		tt += truth * truth;
		pp += call * call;
		tp += truth * call;
	}
	values[RNA_CLASS_ACCURACY] = hits / n;
	values[RNA_CLASS_BALANCED_ACCURACY] = recalls / labelled;
	for (k = 0; k < 3; k++) {
		values[RNA_CLASS_MACRO_PRECISION + k] = sum[k] / seen;
		values[RNA_CLASS_WEIGHTED_PRECISION + k] = sum[3 + k] / n;
	}
	d = sqrt(n * n - pp) * sqrt(n * n - tt);
	values[RNA_CLASS_MCC] = d > 0 ? (hits * n - tp) / d : 0;
}

/* AUC and average precision of class c: one walk down its probabilities, equal ones together. */
static void
measure_ranks(const struct rna_classmetrics *m, const double *w, size_t c, double *part)
{
	const struct rna_classset *s = m->set;
	const uint32_t *order = m->order + c * s->n;
	double pos = 0, neg = 0, tp, fp, area = 0, precision = 0;
	size_t i, k;

	for (i = 0; i < s->n;) {
		tp = fp = 0;
		for (k = i; i < s->n && s->prob[order[i] * s->columns + c] == s->prob[order[k] * s->columns + c]; i++) {
			if (s->truth[order[i]] == (int32_t)c)
				tp += w[order[i]];
			else
				fp += w[order[i]];
		}
		area += fp * (pos + tp / 2);
		pos += tp;
		neg += fp;
		if (tp > 0)
			precision += tp * (pos / (pos + neg));
	}
	part[RNA_CLASS_AUC] = pos > 0 && neg > 0 ? area / (pos * neg) : NAN;
	part[RNA_CLASS_AUPRC] = pos > 0 && neg > 0 ? precision / pos : NAN;
}

/* Macro and weighted means over the classes for which the part is defined. */
static void
average(const struct rna_classmetrics *m, const double *part, enum rna_class_part which, double *macro)
{
	size_t nc = m->set->nclasses, c, d;
	double sum = 0, n = 0, weighted = 0, support = 0, truth, x;

	for (c = nc == 2 ? 1 : 0; c < nc; c++) {
		x = part[c * RNA_CLASS_NPARTS + (size_t)which];
		if (isnan(x))
			continue;
		truth = 0;
		for (d = 0; d < nc; d++)
			truth += m->confusion[c * nc + d];
		sum += x;
		n++;
		weighted += truth * x;
		support += truth;
	}
	macro[0] = n > 0 ? sum / n : NAN;
	macro[1] = support > 0 ? weighted / support : NAN;
}

/* Brier score and expected calibration error. */
static void
measure_probabilities(const struct rna_classmetrics *m, const double *w, double *values)
{
	const struct rna_classset *s = m->set;
	double n = 0, brier = 0, ece = 0, e, sum;
	const double *p;
	size_t i, c, best;
	int b;

	memset(m->bin, 0, (size_t)m->bins * 3 * sizeof(*m->bin));
	for (i = 0; i < s->n; i++) {
		if (w[i] == 0)
			continue;
		p = s->prob + i * s->columns;
		sum = 0;
		for (c = s->columns == 2 ? 1 : 0, best = 0; c < s->columns; c++) {
			e = p[c] - (s->truth[i] == (int32_t)c);
			sum += e * e;
			best = p[c] > p[best] ? c : best;
		}
		brier += w[i] * sum;
		n += w[i];
		b = (int)ceil(p[best] * m->bins) - 1;
		b = b < 0 ? 0 : b >= m->bins ? m->bins - 1 : b;
		m->bin[3 * b] += w[i];
		m->bin[3 * b + 1] += w[i] * (s->truth[i] == (int32_t)best);
		m->bin[3 * b + 2] += w[i] * p[best];
	}
	for (b = 0; b < m->bins; b++)
		ece += fabs(m->bin[3 * b + 1] - m->bin[3 * b + 2]);
	values[RNA_CLASS_BRIER] = brier / n;
	values[RNA_CLASS_ECE] = ece / n;
}

void
rna_classmetrics_measure(const double *w, void *arg, double *values)
{
	struct rna_classmetrics *m = arg;
	const struct rna_classset *s = m->set;
	double *part = values + RNA_CLASS_NMETRICS;
	size_t i, c, nc = s->nclasses;

	for (i = 0; i < rna_classmetrics_count(m); i++)
		values[i] = NAN;
	memset(m->confusion, 0, nc * nc * sizeof(*m->confusion));
	for (i = 0; i < s->n; i++)
		m->confusion[(size_t)s->truth[i] * nc + (size_t)s->call[i]] += w[i];
	measure_calls(m, values, part);
	if (s->columns == 0)
		return;
	for (c = 0; c < nc; c++)
		measure_ranks(m, w, c, part + c * RNA_CLASS_NPARTS);
	average(m, part, RNA_CLASS_AUC, values + RNA_CLASS_AUC_MACRO);
	average(m, part, RNA_CLASS_AUPRC, values + RNA_CLASS_AUPRC_MACRO);
	measure_probabilities(m, w, values);
}
