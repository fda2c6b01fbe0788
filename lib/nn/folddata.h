/*
 * folddata.h: RNAs of known structure held in memory: what a folding network learns from, and is validated on.
 */
#ifndef RNA_FOLDDATA_H
#define RNA_FOLDDATA_H

#include <stddef.h>
#include "stream/record.h"

struct rna_foldexample {
	uint64_t rid;
	size_t n;
	char *letters;      /* [n] */
	int32_t *truth;     /* [n] as the record has it: pseudoknots, pairs of any letters */
	int32_t *reference; /* [n] of that, what a nested structure can reach (fold/neural.h) */
	int valid;          /* 1: is not trained on */
};

struct rna_folddata {
	struct rna_foldexample *list;
	size_t n, cap, ntrain, nvalid;
	size_t longest;        /* set by the caller: longer RNAs are left out; 0: none is */
	size_t left_out;       /* of those */
	size_t pairs, dropped; /* of the truth, and of those the ones that no reference has */
};

/*
 * Adds a record with `seq` and `pair`.  RNA_EFORMAT: it lacks one, has no letters, or its partners contradict each
 * other.
 */
enum rna_status
rna_folddata_add(struct rna_folddata *d, const struct rna_record *rec, int valid, struct rna_err *err) RNA_CHECK;
void rna_folddata_fini(struct rna_folddata *d); /* a zeroed d is fine */

#endif
