/*
 * classrun.h: logits of the classes of RNAs from what the head reads of their parts (rna_embed_run with
 * RNA_EMBED_CLASS).
 */
#ifndef RNA_CLASSRUN_H
#define RNA_CLASSRUN_H

#include "nn/model.h"
#include "stream/record.h"

struct rna_classrun;

/* The records rec[first .. first+n-1] are the parts of one RNA: chunks, type replicates; n >= 1. */
struct rna_classunit {
	size_t first, n;
};

/* m has a class head and outlives r.  NULL and err on failure. */
struct rna_classrun *rna_classrun_open(struct rna_model *m, enum rk_precision precision, struct rna_err *err);
/*
 * Logits [n, classes] of n units.  A part's share is its bases times its `sigma` (1 where it has none), over the sum of
 * that in its unit.
 */
enum rna_status rna_classrun_run(struct rna_classrun *r, const struct rna_record *rec, const struct rna_classunit *unit,
    size_t n, float *logits, struct rna_err *err) RNA_CHECK;
void rna_classrun_close(struct rna_classrun *r); /* NULL is fine */

#endif
