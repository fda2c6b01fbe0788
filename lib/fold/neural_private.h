/*
 * neural_private.h: the workspace of the neural fold, between neural_space.c, neural.c (filling), neural_terms.c (what
 * goes into the cells) and neural_trace.c (the structure).
 */
#ifndef RNA_NEURAL_PRIVATE_H
#define RNA_NEURAL_PRIVATE_H

#include <math.h>

#include "fold/fold_input.h"
#include "fold/fold_small.h"
#include "fold/neural.h"
#include "fold/neural_rows.h"

#define NEURAL_REGIONS 16 /* rows of regions and of M that are kept: two blocks */
#define NEURAL_COLUMNS 16 /* columns of the score maps that are turned into rows together */

enum neural_part { NEURAL_C, NEURAL_R, NEURAL_T };

/* A piece of the structure that is still to be found. */
struct neural_work {
	enum neural_part part;
	int i, j;
};

enum neural_map { NEURAL_STACKING, NEURAL_MISMATCH, NEURAL_REGION };

/* Turner's figures as scores. */
struct neural_turner {
	float mismatch_hairpin[RNA_NPAIRS][5][5], mismatch_1n[RNA_NPAIRS][5][5], mismatch_interior[RNA_NPAIRS][5][5];
	float terminal[RNA_NPAIRS]; /* the end of a helix at a bulge */
	float stack[RNA_NPAIRS][RNA_NPAIRS];
	float multi[RNA_NPAIRS][6][6], exterior[RNA_NPAIRS][6][6]; /* stems by their neighbours or FOLD_NO_BASE */
	float closing[RNA_NPAIRS][5][5];                           /* of a multiloop, by the bases inside */
	float size[NEURAL_SIDES][NEURAL_SIDES + 1];                /* [n2][n1]: 0 where fold_small_energies has it */
};

struct rna_neural {
	const struct rna_energy *e;
	struct rna_energy *zero; /* in place of no energies; the workspace's */
	int max_helix;
	int threads; /* that share a long sequence */
	const struct neural_rows *rows;
	struct neural_turner turner;
	struct fold_input in;
	uint8_t *type_inner; /* [n + 2] types of the row before */

	/* the RNA at hand */
	struct rna_neural_scores scores;
	float lengths[RNA_LENGTHS];                 /* as handed in, or 0 */
	float size[NEURAL_SIDES][NEURAL_SIDES + 1]; /* [n2][n1]: Turner's and the network's length terms */
	const int32_t *reference;                   /* [n] of the augmented fold, or NULL */
	struct rna_margins margins;

	int32_t *pairs; /* [npairs] a structure of the workspace's own */
	size_t npairs;

	size_t cap;                /* nt that the memory is for */
	float *c, *r;              /* triangles, see rna_neural_row */
	float *t;                  /* tiles, see neural_tile */
	float *f;                  /* [n + 2] */
	float *hairpin;            /* [n + 1] by length */
	float *reward;             /* [n + 1] of the unpaired bases 1..i */
	struct neural_work *stack; /* [n + 2] of the trace: pieces do not overlap */
	/* rows of n + 2 * FOLD_PAD cells, pointers to column 0 */
	float *memory;
	float *cm[FOLD_RING], *cb[FOLD_RING], *c1[FOLD_RING], *cg[FOLD_RING]; /* C and the terms of the inner pair */
	float *n[FOLD_RING], *e_row[FOLD_RING], *stacked[FOLD_RING];          /* N, E, and the score of stacks */
	float *region[NEURAL_REGIONS], *m[NEURAL_REGIONS];                    /* of row i at i % NEURAL_REGIONS */
	float *region3[NEURAL_SIDES];                                 /* [n2][j]: region of the n2 bases before j */
	float *opening[NEURAL_COLUMNS], *stack_inner[NEURAL_COLUMNS]; /* mm(j,i) and st(j,i) by i % NEURAL_COLUMNS, j */
	float *loops; /* [threads][3] rows: the best bulge, 1 x n and generic loop, of a thread's columns */
	float *t_row; /* T of the row at hand */
	float *none;  /* -infinity */
};

/* Row i of a triangle, to be indexed by column; FOLD_PAD cells before column i are -infinity. */
static inline size_t
rna_neural_offset(const struct rna_neural *w, int i)
{
	size_t n = (size_t)w->in.n, k = (size_t)i;

	/* rows 1..i-1 have n - row + 1 cells and their pads; the row's own pad; column i is at its end */
	return (k - 1) * (n + FOLD_PAD) - (k - 1) * (k - 2) / 2 + FOLD_PAD - k;
}

static inline float *
rna_neural_row(const struct rna_neural *w, float *triangle, int i)
{
	return triangle + rna_neural_offset(w, i);
}

/* T(i,j) in its tile. */
static inline float *
rna_neural_t(const struct rna_neural *w, int i, int j)
{
	int tile = (j - 1) / NEURAL_TILE;

	return w->t + neural_tile(tile) + (size_t)(i - 1) * NEURAL_TILE + (size_t)(j - 1 - NEURAL_TILE * tile);
}

/* An entry of a score map, positions from 1. */
static inline float
rna_neural_score(const struct rna_neural *w, enum neural_map map, int i, int j)
{
	size_t n = (size_t)w->in.n;

	return w->scores.scores == NULL ? 0 : w->scores.scores[((size_t)map * n + (size_t)i - 1) * n + (size_t)j - 1];
}

/* Region i..j with its rewards; i-1 for j: an empty region, which is 0 before the first base and after the last. */
static inline float
rna_neural_region(const struct rna_neural *w, int i, int j)
{
	float x = i > w->in.n || j < 1 ? 0 : rna_neural_score(w, NEURAL_REGION, i, j);

	return w->reference != NULL ? x + (w->reward[j] - w->reward[i - 1]) : x;
}

/* What the pair (i,j) is rewarded. */
static inline float
rna_neural_reward(const struct rna_neural *w, int i, int j)
{
	if (w->reference == NULL)
		return 0;
	return w->reference[i - 1] == j - 1 ? -w->margins.pos_paired : w->margins.neg_paired;
}

/* Turner's part of the branch (i,j). */
static inline float
rna_neural_stem(const struct rna_neural *w, const float stem[RNA_NPAIRS][6][6], int type, int i, int j)
{
	int x = fold_before(&w->in, i), y = fold_after(&w->in, j);

	return stem[type][x >= 0 ? x : FOLD_NO_BASE][y >= 0 ? y : FOLD_NO_BASE];
}

/* HELIX[m]. */
static inline float
rna_neural_helix(const struct rna_neural *w, int m)
{
	return w->lengths[RNA_LENGTH_HELIX + (m < RNA_MAX_HELIX ? m : RNA_MAX_HELIX)];
}

/* neural_terms.c */
/* Entries of the lengths for an interior loop with n1 x n2 unpaired bases that is no stack; how many, 1 to 4. */
int rna_neural_entries(int n1, int n2, int entry[4]);
/* Turner's figures as scores, once. */
void rna_neural_set_turner(struct rna_neural *w);
/* Takes the scores in; w->in is set.  RNA_EINVAL: a score that is not finite or too large. */
enum rna_status
rna_neural_set_scores(struct rna_neural *w, const struct rna_neural_scores *scores, struct rna_err *err) RNA_CHECK;
/* What rna_energy_hairpin and rna_energy_interior round off for loops of n > RNA_MAXLOOP bases, in dcal/mol. */
double rna_neural_rounded(const struct rna_energy *e, int n);
/* Score of the hairpin (i,j) without mm(i,j). */
float rna_neural_hairpin(const struct rna_neural *w, int i, int j, int type);

/* neural_space.c */
/* Memory for w->in, rows of -infinity; RNA_EMEM. */
enum rna_status rna_neural_prepare(struct rna_neural *w, struct rna_err *err) RNA_CHECK;

/* neural_trace.c: pair[n] from the filled triangles. */
void rna_neural_trace(struct rna_neural *w, int32_t *pair);

#endif
