/*
 * folded.h: an RNA with its secondary structure, as a record holds it: for what prints or draws structures.
 */
#ifndef RNA_FOLDED_H
#define RNA_FOLDED_H

#include "stream/buf.h"
#include "stream/record.h"

struct rna_folded {
	const char *name, *seq, *structure; /* the record's; structure NULL: it has only pairs */
	size_t name_length, n;
	int has_energy;
	double energy;          /* kcal/mol */
	const int32_t *partner; /* [n] 0-based, -1: none; mutual; NULL when no structure was wanted */
	struct rna_buf parsed;  /* owns partner when it comes from structure */
};

/*
 * What the record has; `structure`, predicted or read, comes before `pair`.  structure 0: the sequence will do.
 * RNA_EFORMAT when seq or a structure is missing, of another length, or no structure.  Pointers are the record's and
 * hold until it changes; rna_folded_fini is called whatever was returned.
 */
enum rna_status rna_folded_get(struct rna_folded *r, const struct rna_record *rec, int structure, struct rna_err *err)
    RNA_CHECK;
void rna_folded_fini(struct rna_folded *r);

#endif
