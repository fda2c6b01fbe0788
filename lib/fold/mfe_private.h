/*
 * mfe_private.h: the workspace of the dynamic programme, between mfe.c (filling) and mfe_trace.c (the structure).
 */
#ifndef RNA_MFE_PRIVATE_H
#define RNA_MFE_PRIVATE_H

#include "fold/fold_input.h"
#include "fold/fold_rows.h"
#include "fold/mfe.h"

struct rna_mfe {
	const struct rna_energy *e;
	const struct fold_rows *rows;
	struct fold_input in;
	/* triangles: row i holds columns i..n */
	int32_t *c, *fm, *cc; /* cc only without lonely pairs: C with no demand on the pair inside */
	int32_t *f;           /* [n + 2] */
	/* rows of n + 2 * FOLD_PAD cells, pointers to column 0 */
	int32_t *memory;
	int32_t *cb[FOLD_RING], *c1[FOLD_RING], *cg[FOLD_RING];
	int32_t *v[2][RNA_MAXLOOP + 1];
	int32_t *dm[2];
	int32_t *bulge_min, *one_n_min, *generic_min;
	/* sizes with their fixed terms */
	int one_n[RNA_MAXLOOP + 1], ninio[RNA_MAXLOOP + 1];
	int *hairpin; /* [n + 1] by length */
	/* stems by their neighbours or FOLD_NO_BASE; the pair that closes a multiloop by those inside */
	int multi[RNA_NPAIRS][6][6], exterior[RNA_NPAIRS][6][6];
	int closing[RNA_NPAIRS][5][5];
	int32_t *none; /* a row of RNA_FOLD_INF */
	size_t cap;    /* nt that the memory is for */
	int threads;
};

#define RNA_FOLD_NONE (RNA_FOLD_INF / 2) /* at or above: no structure */

/* Row i of a triangle, to be indexed by column. */
static inline int32_t *
rna_mfe_row(const struct rna_mfe *m, int32_t *triangle, int i)
{
	return triangle + fold_triangle_row(m->in.n, i);
}

static inline int32_t
rna_mfe_at(const struct rna_mfe *m, int32_t *triangle, int i, int j)
{
	return rna_mfe_row(m, triangle, i)[j];
}

/* Stem terms at (i,j) with the neighbours that are there. */
static inline int
rna_mfe_stem(const struct rna_mfe *m, const int stem[RNA_NPAIRS][6][6], int type, int i, int j)
{
	int x = fold_before(&m->in, i), y = fold_after(&m->in, j);

	return stem[type][x >= 0 ? x : FOLD_NO_BASE][y >= 0 ? y : FOLD_NO_BASE];
}

/* The multiloop's part of the pair that closes it, seen from inside. */
static inline int
rna_mfe_closing(const struct rna_mfe *m, int i, int j)
{
	const uint8_t *code = m->in.code;

	return m->closing[rna_pair_type(code[j], code[i])][code[j - 1]][code[i + 1]];
}

/* pair[n] from the filled triangles; -1: the triangles do not agree with each other (a bug). RNA_EMEM. */
enum rna_status rna_mfe_trace(struct rna_mfe *m, int32_t *pair, struct rna_err *err) RNA_CHECK;

#endif
