/*
 * partition.h: the ensemble of structures: partition function, base-pair probabilities, sampled structures (McCaskill
 *1990).
 *
 * Sums over structures, each counted once (weights w = exp(-energy/kT), spec A.4); positions 1..n:
 *	Qb(i,j)  = w(hairpin) + sum Qb(k,l) w(interior) + Qd(i+1,j-1) w(closing)         (i,j) pairs
 *	Q1(i,j)  = Q1(i,j-1) w(base) + Qb(i,j) w(stem)                                   one branch, which begins at i
 *	Qs(i,j)  = Q1(i,j) + w(base) Qs(i+1,j)                                           one branch
 *	Qd(i,j)  = sum_u Qm(i,u-1) Q1(u,j)                                               two branches or more
 *	Qm(i,j)  = Qs(i,j) + Qd(i,j)                                                     one or more
 *	F(i)     = F(i+1) + sum_j Qb(i,j) w(exterior) F(j+1),  F(n+1) = 1;  Z = F(1)
 * The probability of a pair is d log Z / d log Qb(i,j): the same recurrences walked back.
 */
#ifndef RNA_PARTITION_H
#define RNA_PARTITION_H

#include <stddef.h>
#include <stdint.h>
#include "fold/energy.h"
#include "fold/mfe.h"
#include "stream/rng.h"
#include "stream/status.h"

struct rna_partition; /* workspace, reused from sequence to sequence; one thread at a time */

struct rna_pair_prob {
	int32_t i, j;
	float p;
}; /* 0-based, i < j */

struct rna_partition *rna_partition_create(const struct rna_energy *e); /* NULL: no memory */
void rna_partition_destroy(struct rna_partition *q);
uint64_t rna_partition_bytes(size_t n);
void rna_partition_trim(struct rna_partition *q); /* gives the memory of the last sequence back */
/* Threads that share a long sequence from now on (at first 1: the caller alone).  Results do not depend on it. */
void rna_partition_share(struct rna_partition *q, int threads);
/*
 * Fills the sums.  mfe: energy of the best structure (dcal/mol), which sets the scale that keeps the sums in range.
 * *ensemble: -kT ln Z in kcal/mol.  opts: max_span and constraint as in mfe.h; no_lonely is refused.
 */
enum rna_status rna_partition_fold(struct rna_partition *q, const char *letters, size_t n,
    const struct rna_fold_options *opts, int mfe, double *ensemble, struct rna_err *err) RNA_CHECK;
/* After a fold: the pairs with p >= least, by i then j; *pairs is the workspace's and holds until the next call. */
enum rna_status rna_partition_pairs(struct rna_partition *q, double least, const struct rna_pair_prob **pairs,
    size_t *npairs, struct rna_err *err) RNA_CHECK;
/* After a fold: one structure drawn from the ensemble; pair[n]. */
enum rna_status
rna_partition_sample(struct rna_partition *q, struct rna_rng *rng, int32_t *pair, struct rna_err *err) RNA_CHECK;

/*
 * The structure of maximum expected accuracy: sum of 2 gamma p(i,j) over its pairs and of the probability to be
 * unpaired over the rest is largest (Do, Woods and Batzoglou 2006).  *accuracy: that sum.
 */
enum rna_status rna_fold_mea(const struct rna_pair_prob *pairs, size_t npairs, size_t n, double gamma, int32_t *pair,
    double *accuracy, struct rna_err *err) RNA_CHECK;
/* The structure nearest to all: every pair with p > 1/2.  *distance: its mean base-pair distance to the ensemble. */
void rna_fold_centroid(const struct rna_pair_prob *pairs, size_t npairs, size_t n, int32_t *pair, double *distance);

#endif
