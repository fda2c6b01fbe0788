/*
 * foldmetrics.h: how near predicted secondary structures are to the known ones.
 *
 * Per RNA: P = share of the predicted pairs that are right, R = share of the known pairs that are found,
 * F1 = 2 P R / (P + R), MCC over all i < j.  Without any pair on either side all are 1, without one on one side all
 * are 0.  Exact: the same i and j.  Relaxed (Mathews 1999): i or j, not both, may be off by one, so a predicted pair is
 * right when (i, j), (i +- 1, j) or (i, j +- 1) is known, and a known pair is found by the same rule.
 */
#ifndef RNA_FOLDMETRICS_H
#define RNA_FOLDMETRICS_H

#include <stddef.h>
#include <stdint.h>
#include "stream/status.h"

/* Means over RNAs, then all pairs pooled. */
enum rna_fold_metric {
	RNA_FOLD_PRECISION,
	RNA_FOLD_RECALL,
	RNA_FOLD_F1,
	RNA_FOLD_MCC,
	RNA_FOLD_RELAXED_PRECISION,
	RNA_FOLD_RELAXED_RECALL,
	RNA_FOLD_RELAXED_F1,
	RNA_FOLD_POOLED_PRECISION,
	RNA_FOLD_POOLED_RECALL,
	RNA_FOLD_POOLED_F1,
	RNA_FOLD_POOLED_MCC,
	RNA_FOLD_POOLED_RELAXED_PRECISION,
	RNA_FOLD_POOLED_RELAXED_RECALL,
	RNA_FOLD_POOLED_RELAXED_F1,
	RNA_FOLD_NMETRICS
};

extern const char *const rna_fold_metric_name[RNA_FOLD_NMETRICS];

/* What one RNA says, in pairs. */
struct rna_fold_counts {
	double possible;            /* L (L - 1) / 2 */
	double known, called, hits; /* known pairs, predicted pairs, both */
	double near_called,
	    near_known; /* predicted pairs that are right, known pairs that are found, within one position */
};

/* RNAs to measure: some of counts, by number; the arg of rna_foldmetrics_measure. */
struct rna_foldset {
	const struct rna_fold_counts *counts;
	const size_t *at; /* [n] */
	size_t n;
};

/* Partners (0-based, -1: none) of n bases, symmetric. */
struct rna_fold_counts rna_foldmetrics_count(const int32_t *known, const int32_t *called, size_t n);
/* Unpairs what is not AU, GC or GU (T is U, case says nothing). */
void rna_foldmetrics_canonical(int32_t *pair, const char *seq, size_t n);
/* Unpairs what is not in the first layer of rna_structure_print's dot-bracket.  RNA_EMEM, RNA_EFORMAT. */
enum rna_status rna_foldmetrics_nested(int32_t *pair, size_t n, struct rna_err *err) RNA_CHECK;
/* All metrics with RNA i of the set taken w[i] times (a measure of rna_resample). */
void rna_foldmetrics_measure(const double *w, void *foldset, double *values);

#endif
