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
};

#define RNA_FOLD_NONE (RNA_FOLD_INF / 2) /* at or above: no structure */

/* Row i of a triangle, to be indexed by column. */
static inline int32_t *
rna_mfe_row(const struct rna_mfe *m, int32_t *triangle, int i)
{
	size_t n = (size_t)m->in.n, r = (size_t)i;

	return triangle + ((r - 1) * n - (r - 1) * (r - 2) / 2) - r;
}

static inline int32_t
rna_mfe_at(const struct rna_mfe *m, int32_t *triangle, int i, int j)
{
	return rna_mfe_row(m, triangle, i)[j];
}

/* Stem terms at (i,j) with the neighbours that are there. */
static inline int
rna_mfe_multi_stem(const struct rna_mfe *m, int type, int i, int j)
{
	return rna_energy_multi_stem(m->e, type, fold_before(&m->in, i), fold_after(&m->in, j));
}

static inline int
rna_mfe_exterior_stem(const struct rna_mfe *m, int type, int i, int j)
{
	return rna_energy_exterior_stem(m->e, type, fold_before(&m->in, i), fold_after(&m->in, j));
}

/* The multiloop's part of the pair that closes it, seen from inside. */
static inline int
rna_mfe_closing(const struct rna_mfe *m, int i, int j)
{
	return m->e->ml_closing + rna_energy_multi_stem(m->e, rna_pair_type(m->in.code[j], m->in.code[i]),
				      m->in.code[j - 1], m->in.code[i + 1]);
}

/* pair[n] from the filled triangles; -1: the triangles do not agree with each other (a bug). RNA_EMEM. */
enum rna_status rna_mfe_trace(struct rna_mfe *m, int32_t *pair, struct rna_err *err) RNA_CHECK;

#endif
