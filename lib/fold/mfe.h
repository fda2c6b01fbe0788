/*
 * mfe.h: the structure of least free energy (Zuker's dynamic programme over the energies of energy.h).
 *
 * Recurrences (spec A.3), positions 1..n, minima over all that is allowed:
 *	C(i,j)  = min{ hairpin(i,j); C(k,l) + interior(i,j,k,l); DM(i+1,j-1) + closing + stem(j,i) }      (i,j) pairs
 *	DM(i,j) = min{ DM(i+1,j) + c; C(i,k) + stem(i,k) + FM(k+1,j) }                                    two branches
 *or more FM(i,j) = min{ FM(i+1,j) + c; FM(i,j-1) + c; C(i,j) + stem(i,j); DM(i,j) }                        one or more
 *	F(i)    = min{ F(i+1); C(i,j) + exterior(i,j) + F(j+1) },  F(n+1) = 0; the energy is F(1)
 * What makes it fast is exact (spec C.3): see mfe.c.
 */
#ifndef RNA_MFE_H
#define RNA_MFE_H

#include <stddef.h>
#include <stdint.h>
#include "fold/energy.h"
#include "stream/status.h"

struct rna_fold_options {
	int max_span;  /* most bases from i to j of a pair, both included; 0: no limit */
	int no_lonely; /* 1: every pair stacks on another */
	const char
	    *constraint; /* n letters of "|x<>()." as RNAfold's -C, or NULL: . free, x unpaired, < > pairs with a base
	                    after, before it, ( ) that pair or none of those that conflict, | no unpaired-only rule */
};

struct rna_mfe; /* workspace, reused from sequence to sequence; one thread at a time */

struct rna_mfe *rna_mfe_create(const struct rna_energy *e); /* e is the caller's and outlives it; NULL: no memory */
void rna_mfe_destroy(struct rna_mfe *m);
/* Threads that share a long sequence from now on (at first 1: the caller alone).  Results do not depend on it. */
void rna_mfe_share(struct rna_mfe *m, int threads);
/* Bytes that folding n nt takes. */
uint64_t rna_mfe_bytes(size_t n, int no_lonely);
void rna_mfe_trim(struct rna_mfe *m); /* gives the memory of the last sequence back */
/*
 * pair[n]: partner (0-based) or -1; *energy in dcal/mol.  opts NULL: none.  RNA_EMEM says how much was wanted;
 * RNA_EINVAL: a constraint of another length, unbalanced or with an unknown letter.
 */
enum rna_status rna_mfe_fold(struct rna_mfe *m, const char *letters, size_t n, const struct rna_fold_options *opts,
    int32_t *pair, int *energy, struct rna_err *err) RNA_CHECK;

#endif
