/*
 * neural.h: the structure of largest score: Turner's energies plus the scores of a network, in Zuker's recurrences, and
 * the max-margin loss that trains the network (Sato, Akiyama and Sakakibara 2021; Wang et al. 2024).
 *
 * A score is a sum over loops, and larger is better; Turner's part is -kcal/mol.  The network gives
 *	scores  f32 [3,L,L], 0-based, row-major; (i,j) with i < j, or (j,i):
 *	        0 stacking   st(i,j) of the pair that closes a stack, st(l,k) of the pair (k,l) inside it
 *	        1 mismatch   mm(i,j) of the pair that closes a loop, mm(l,k) of the pair (k,l) that opens one
 *	        2 region     rg(i,j) of the unpaired bases i..j; rg(i+1,i) of an empty region
 *	lengths f32 [RNA_LENGTHS], one table after the other (enum rna_length_table); past its end the last entry holds
 * Scores of loops (spec B.3), i < k < l < j, s and t the shorter and the longer side of an interior loop:
 *	hairpin(i,j)      = HAIRPIN[j-i-1] + rg(i+1,j-1) + mm(i,j)
 *	stack(i,j)        = st(i,j) + st(j-1,i+1)
 *	bulge(i,j,k,l)    = BULGE[t] + rg(i+1,k-1) + rg(l+1,j-1) + mm(i,j) + mm(l,k)
 *	interior(i,j,k,l) = INTERIOR[s+t] + rg(i+1,k-1) + rg(l+1,j-1) + mm(i,j) + mm(l,k)
 *	                    + EXPLICIT[min(s,4)][min(t,4)] + (s = t ? SYMMETRY[s] : 0) + ASYMMETRY[t-s]
 *	helix of m pairs  = sum of its m-1 stacks + HELIX[m], m <= max_helix; a longer one is max_helix + 1 pairs with
 *	                    HELIX[max_helix+1] and then stacks alone; max_helix 0: stacks alone
 *	multiloop         = mm(i,j) + rg(bases before the first branch) + sum of mm(l,k) of its branches
 *	                    + sum of rg(u,u) of its other unpaired bases
 *	exterior loop     = sum of mm(l,k) of its branches + sum of rg(u,u) of its unpaired bases
 * and Turner's energy of each loop, where the workspace was given energies, / -100.
 *
 * Only AU, GC and GU pair, with 3 bases between or more; N never pairs; T is U.
 */
#ifndef RNA_NEURAL_H
#define RNA_NEURAL_H

#include <stddef.h>
#include <stdint.h>
#include "fold/energy.h"
#include "fold/mfe.h"
#include "stream/status.h"

/* Where each table of lengths begins. */
enum rna_length_table {
	RNA_LENGTH_HAIRPIN = 0,
	RNA_LENGTH_BULGE = 31,
	RNA_LENGTH_INTERIOR = 62,
	RNA_LENGTH_EXPLICIT = 93, /* [5][5] */
	RNA_LENGTH_SYMMETRY = 118,
	RNA_LENGTH_ASYMMETRY = 134,
	RNA_LENGTH_HELIX = 163,
	RNA_LENGTHS = 194
};

#define RNA_MAX_HELIX 30
#define RNA_SCORE_MOST 1e6f /* scores are finite and not above this, nor below its negative */

/* What a network says of one RNA; NULL: all 0. */
struct rna_neural_scores {
	const float *scores;  /* [3,L,L] */
	const float *lengths; /* [RNA_LENGTHS] */
};

/* What the loss asks of the reference to win by, for each pair or base that differs. */
struct rna_margins {
	float pos_paired, neg_paired, pos_unpaired, neg_unpaired;
};
extern const struct rna_margins rna_margins_default; /* 0.5, 0.005, 0, 0 */

struct rna_neural; /* workspace, reused from sequence to sequence; one thread at a time */

/*
 * e: Turner's part, the caller's, outlives the workspace; NULL: scores of the network alone.  Published networks were
 * trained with the energies that rna_energy_neural makes.  max_helix: 0 .. RNA_MAX_HELIX.  NULL: no memory.
 */
struct rna_neural *rna_neural_create(const struct rna_energy *e, int max_helix);
void rna_neural_destroy(struct rna_neural *w);
/* Threads that share a long sequence from now on (at first 1: the caller alone).  Results do not depend on it. */
void rna_neural_share(struct rna_neural *w, int threads);
uint64_t rna_neural_bytes(size_t n);        /* what folding n nt takes, beside the scores themselves */
void rna_neural_trim(struct rna_neural *w); /* gives the memory of the last sequence back */
/* Makes e the set that MXfold2 and RNAErnie add scores to: no special hairpins, and 2 x 2 loops with an N cost 0. */
void rna_energy_neural(struct rna_energy *e);

/*
 * The structure of largest score: pair[n], partner (0-based) or -1.  opts: max_span and constraint as in mfe.h,
 * no_lonely is refused; NULL: none.  RNA_EINVAL: a score that is not finite or too large; as rna_mfe_fold otherwise.
 */
enum rna_status
rna_neural_fold(struct rna_neural *w, const char *letters, size_t n, const struct rna_neural_scores *scores,
    const struct rna_fold_options *opts, int32_t *pair, double *score, struct rna_err *err) RNA_CHECK;
/*
 * As rna_neural_fold, with every pair and base that is not as in reference[n] (nested) rewarded by its margin: the
 * structure that the loss compares with the reference.  *score has the rewards in it.
 */
enum rna_status rna_neural_fold_augmented(struct rna_neural *w, const char *letters, size_t n,
    const struct rna_neural_scores *scores, const int32_t *reference, const struct rna_margins *margins, int32_t *pair,
    double *score, struct rna_err *err) RNA_CHECK;
/* Score of a structure (nested, canonical, interior loops of any size), and Turner's part of it; either may be NULL. */
enum rna_status
rna_neural_evaluate(struct rna_neural *w, const char *letters, size_t n, const struct rna_neural_scores *scores,
    const int32_t *pair, double *score, double *turner, struct rna_err *err) RNA_CHECK;
/*
 * Adds factor times the derivative of a structure's score to dscores [3,L,L] and dlengths [RNA_LENGTHS]; either may be
 * NULL.  The derivative is how often the structure uses each entry.
 */
enum rna_status rna_neural_count(struct rna_neural *w, const char *letters, size_t n, const int32_t *pair,
    double factor, float *dscores, float *dlengths, struct rna_err *err) RNA_CHECK;

/*
 * The reference that a nested structure can reach: from pair[n], which may have pseudoknots, the pairs that are
 * canonical and leave 3 bases or more in a hairpin, and of those that cross, as many as can stay.  reference may be
 * pair itself.  *dropped: pairs left out; may be NULL.  RNA_EINVAL: a partner that is not its partner's.
 */
enum rna_status rna_neural_reference(const char *letters, size_t n, const int32_t *pair, int32_t *reference,
    size_t *dropped, struct rna_err *err) RNA_CHECK;

struct rna_neural_loss {
	double loss;                        /* hinge + thermodynamic */
	double hinge;                       /* max{ 0, (augmented score of best - score of reference) / L } */
	double thermodynamic;               /* lambda (score of reference - Turner's part)^2 / L */
	double reference_score, best_score; /* best_score: augmented */
};
/*
 * The structured hinge loss of one RNA against reference[n] (as rna_neural_reference makes it), and its gradient, added
 * to dscores and dlengths (NULL: not wanted).  best[n]: the structure of the augmented fold; NULL: not wanted.
 * lambda 0: no thermodynamic term.  n 0: loss 0.
 */
enum rna_status rna_neural_loss(struct rna_neural *w, const char *letters, size_t n,
    const struct rna_neural_scores *scores, const int32_t *reference, const struct rna_margins *margins, double lambda,
    struct rna_neural_loss *loss, float *dscores, float *dlengths, int32_t *best, struct rna_err *err) RNA_CHECK;

#endif
