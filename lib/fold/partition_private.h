/*
 * partition_private.h: the workspace of the partition function, between partition.c (inside), partition_outside.c
 * (probabilities) and partition_sample.c.
 */
#ifndef RNA_PARTITION_PRIVATE_H
#define RNA_PARTITION_PRIVATE_H

#include "fold/fold_input.h"
#include "fold/fold_small.h"
#include "fold/partition.h"
#include "fold/sum_rows.h"

#define WEIGHT_LOW (-2500) /* weights of energies from here to WEIGHT_HIGH are looked up */
#define WEIGHT_HIGH 2500
#define LONG_LOOP 9 /* hairpins from here on are neither special nor triloops */

/* Boltzmann weights at the temperature of the energies; s: with the scale of the bases that the term adds. */
struct fold_weights {
	double kt; /* dcal/mol */
	double table[WEIGHT_HIGH - WEIGHT_LOW + 1];
	double terminal[RNA_NPAIRS], mismatch_1n[RNA_NPAIRS][5][5], mismatch_interior[RNA_NPAIRS][5][5];
	double mismatch_hairpin[RNA_NPAIRS][5][5];
	double multi[RNA_NPAIRS][6][6], exterior[RNA_NPAIRS][6][6]; /* stems, by the neighbours outside */
	double ninio[RNA_MAXLOOP + 1];
	double log_scale;      /* ln of what a base is divided by */
	double closing;        /* s */
	double base, unpaired; /* s: of a multiloop, of the exterior loop */
	double bulge[RNA_MAXLOOP + 1], one_n[RNA_MAXLOOP + 1], generic[RNA_MAXLOOP + 1]; /* s */
	double small[RNA_MAXLOOP + 1]; /* s of a loop with so many unpaired bases, and its pair */
	double *hairpin;               /* s, [n + 1] by length, from LONG_LOOP on */
	size_t nhairpin;
};

struct rna_partition {
	const struct rna_energy *e;
	const struct sum_rows *rows;
	struct fold_input in;
	struct fold_weights w;
	size_t cap; /* nt that the memory is for */
	/* triangles: row i holds columns i..n; q1_hat becomes the probabilities */
	double *qb, *q1, *qm, *q1_hat;
	double *f, *f_hat; /* [n + 2] */
	/* rows of n + 2 * FOLD_PAD cells, pointers to column 0 */
	double *memory;
	double *cb[FOLD_RING], *c1[FOLD_RING], *cg[FOLD_RING], *qb_hat[FOLD_RING];
	double *v[2][RNA_MAXLOOP + 1];
	double *qd[2], *qs, *bulge_sum, *one_n_sum, *generic_sum;
	int filled, walked; /* inside and outside are done */
	int threads;        /* that share a long sequence */
	int done;           /* tiles of the row at hand that are, where threads share it */
	struct rna_pair_prob *pairs;
};

enum rna_status rna_weights_set(struct fold_weights *w, const struct rna_energy *e) RNA_CHECK;
/* The terms that depend on the scale, for n nt. */
enum rna_status rna_weights_scale(
    struct fold_weights *w, const struct rna_energy *e, double log_scale, size_t n, struct rna_err *err) RNA_CHECK;
double rna_weight_far(const struct fold_weights *w, int energy); /* of an energy that is not in the table */

static inline double
rna_weight(const struct fold_weights *w, int energy)
{
	return energy >= WEIGHT_LOW && energy <= WEIGHT_HIGH ? w->table[energy - WEIGHT_LOW]
	                                                     : rna_weight_far(w, energy);
}

/* Row i of a triangle, to be indexed by column. */
static inline double *
rna_sum_row(const struct rna_partition *q, double *triangle, int i)
{
	return triangle + fold_triangle_row(q->in.n, i);
}

static inline double
rna_stem_weight(const struct rna_partition *q, const double stem[RNA_NPAIRS][6][6], int type, int i, int j)
{
	int x = fold_before(&q->in, i), y = fold_after(&q->in, j);

	return stem[type][x >= 0 ? x : FOLD_NO_BASE][y >= 0 ? y : FOLD_NO_BASE];
}

/* The pair (i,j) as it closes a multiloop. */
static inline double
rna_closing_weight(const struct rna_partition *q, int i, int j)
{
	const uint8_t *code = q->in.code;

	return q->w.closing * q->w.multi[rna_pair_type(code[j], code[i])][code[j - 1]][code[i + 1]];
}

/* The loop of (i,j) around (k,l), of any kind. */
static inline double
rna_loop_weight(const struct rna_partition *q, int i, int j, int k, int l)
{
	return rna_weight(&q->w, rna_energy_interior(q->e, q->in.code, i, j, k, l)) * q->w.small[k - i + j - l - 2];
}

/*
 * The sums over multiloops of a row depend on each other from column to column, in tiles of so many columns: a thread
 * takes every so manieth tile, adds to it what the tiles before it give, as they become done, and then its own.
 */
#define FOLD_TILE 512

#define PARTITION_SHARED_N 1200 /* from so many nt on, threads share the rows: three tiles */

/* What thread `part` of `parts` does of row i. */
struct fold_part {
	int i, part, parts;
};

/* Threads for the sequence at hand. */
static inline int
rna_partition_team(const struct rna_partition *q)
{
	return q->in.n >= PARTITION_SHARED_N ? q->threads : 1;
}

/* Waits until `tiles` tiles of the row are done. */
void rna_partition_wait(const struct rna_partition *q, int tiles);
void rna_partition_done(struct rna_partition *q, int tiles);

/* The hairpin of (i,j). */
double rna_hairpin_weight(const struct rna_partition *q, int i, int j, int type);
/* Every row that rings and sums use is made 0. */
void rna_partition_clear_rows(struct rna_partition *q);

#endif
