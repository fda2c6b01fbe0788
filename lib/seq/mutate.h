/*
 * mutate.h: copies of an RNA with another sequence and the same structure, as more data to learn folding from.
 */
#ifndef RNA_MUTATE_H
#define RNA_MUTATE_H

#include "stream/record.h"

/*
 * Copy number k (1 or more) of rec into out.  Each AU, GC or GU pair becomes, with probability rate, another of the
 * six; each unpaired A, C, G or U another letter.  Other letters and other pairs stay as they are; so do case and
 * whether T or U is written.  The copy has a rid of its own, `copy` = k, and of rec's other fields those that still
 * hold: name, desc, label, type, pair and structure.  The draws depend on seed, rid and k alone. RNA_EFORMAT: no seq,
 * no structure, a pair of RNAs or a chunk of one.
 */
enum rna_status rna_mutate(const struct rna_record *rec, uint64_t seed, uint32_t k, double rate, struct rna_record *out,
    struct rna_err *err) RNA_CHECK;

#endif
