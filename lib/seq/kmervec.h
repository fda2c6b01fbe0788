/*
 * kmervec.h: an RNA as the relative frequencies of its k-mers: the baseline that needs no model.
 */
#ifndef RNA_KMERVEC_H
#define RNA_KMERVEC_H

#include "stream/record.h"

#define RNA_KMERVEC_MAX 8 /* 4^8 numbers a record */

/*
 * Adds `kmer` f32[4^k] to rec, from `seq`: counts of all windows of k letters that are A, C, G, U or T (either case, T
 * is U), divided by their number; windows with any other letter are left out; all zero when there is none.  Order:
 * AA..A first, the last letter changing fastest, A < C < G < U.  Of a pair, f32[2 * 4^k]: those of `seq`, then those of
 * `seq_b`.  RNA_EFORMAT when there is no seq.
 */
enum rna_status rna_kmervec_add(struct rna_record *rec, int k, struct rna_err *err) RNA_CHECK;

#endif
