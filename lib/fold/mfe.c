/*
 * mfe.c: fills the dynamic programme of mfe.h, from the last row to the first.
 *
 * Exact ideas that replace RNAfold's work of ~500 inner pairs a cell (spec C.3):
 *  - What depends on the inner pair is added to its cell once (cb, c1, cg); a loop is then a shifted row and a
 * constant.
 *  - Generic interior loops by size (Lyngso, Zuker and Pedersen 1999): V_s(i,j), the best loop with s unpaired bases,
 * comes from V_{s-2}(i+1,j-1) or has exactly two unpaired bases on one side.
 *  - A branch (i,k) needs to be tried as the first of a multiloop only if it beats every other way to fill i..k
 *    (Wexler, Zilberstein and Ziv-Ukelson 2007): about one cell in a hundred.
 *  - All of it on rows of cells, 16 at once.
 *
 * 1. Workspace   2. Cells of C   3. Rows
 */
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "fold/fold_small.h"
#include "fold/mfe_private.h"

#define NROWS (3 * FOLD_RING + 2 * (RNA_MAXLOOP + 1) + 2 + 4)
#define LONG_LOOP 9 /* hairpins from here on are neither special nor triloops */

/* 1. Workspace */

/* Stems with every combination of neighbours. */
static void
set_stems(struct rna_mfe *m)
{
	int t, x, y, a, b;

	for (t = 1; t < RNA_NPAIRS; t++) {
		for (x = 0; x <= FOLD_NO_BASE; x++) {
			for (y = 0; y <= FOLD_NO_BASE; y++) {
				a = x == FOLD_NO_BASE ? -1 : x;
				b = y == FOLD_NO_BASE ? -1 : y;
				m->multi[t][x][y] = rna_energy_multi_stem(m->e, t, a, b);
				m->exterior[t][x][y] = rna_energy_exterior_stem(m->e, t, a, b);
				if (a >= 0 && b >= 0)
					m->closing[t][x][y] = m->e->ml_closing + m->multi[t][x][y];
			}
		}
	}
}

struct rna_mfe *
rna_mfe_create(const struct rna_energy *e)
{
	struct rna_mfe *m = calloc(1, sizeof(*m));
	int s;

	if (m == NULL)
		return NULL;
	m->e = e;
	m->rows = rna_fold_rows();
	set_stems(m);
	for (s = 0; s <= RNA_MAXLOOP; s++) {
		m->ninio[s] = s * e->ninio < e->ninio_max ? s * e->ninio : e->ninio_max;
		m->one_n[s] = s >= 2 ? e->interior[s] + m->ninio[s - 2] : RNA_FOLD_INF;
	}
	return m;
}

static void
release(struct rna_mfe *m)
{
	free(m->c);
	free(m->fm);
	free(m->cc);
	free(m->f);
	free(m->memory);
	free(m->hairpin);
	m->c = m->fm = m->cc = m->f = m->memory = NULL;
	m->hairpin = NULL;
	m->cap = 0;
}

void
rna_mfe_destroy(struct rna_mfe *m)
{
	if (m != NULL) {
		release(m);
		rna_fold_input_fini(&m->in);
	}
	free(m);
}

uint64_t
rna_mfe_bytes(size_t n, int no_lonely)
{
	uint64_t triangles = no_lonely ? 3 : 2;

	return 4 * (triangles * fold_triangle_cells(n) + NROWS * (uint64_t)fold_row_cells(n));
}

void
rna_mfe_trim(struct rna_mfe *m)
{
	if (m != NULL)
		release(m);
}

void
rna_mfe_share(struct rna_mfe *m, int threads)
{
	m->threads = threads;
}

static int32_t *
next_row(struct rna_mfe *m, int *k)
{
	return m->memory + (size_t)(*k)++ * fold_row_cells((size_t)m->in.n) + FOLD_PAD;
}

static void
lay_out_rows(struct rna_mfe *m)
{
	size_t i, cells = NROWS * fold_row_cells((size_t)m->in.n);
	int k = 0, s;

	for (i = 0; i < cells; i++)
		m->memory[i] = RNA_FOLD_INF;
	for (s = 0; s < FOLD_RING; s++) {
		m->cb[s] = next_row(m, &k);
		m->c1[s] = next_row(m, &k);
		m->cg[s] = next_row(m, &k);
	}
	for (s = 0; s <= RNA_MAXLOOP; s++) {
		m->v[0][s] = next_row(m, &k);
		m->v[1][s] = next_row(m, &k);
	}
	m->dm[0] = next_row(m, &k);
	m->dm[1] = next_row(m, &k);
	m->bulge_min = next_row(m, &k);
	m->one_n_min = next_row(m, &k);
	m->generic_min = next_row(m, &k);
	m->none = next_row(m, &k);
}

static enum rna_status
prepare(struct rna_mfe *m, size_t n, struct rna_err *err)
{
	size_t u;

	if (m->c == NULL || m->cap < n) {
		release(m);
		m->c = malloc(fold_triangle_cells(n) * sizeof(int32_t));
		m->fm = malloc(fold_triangle_cells(n) * sizeof(int32_t));
		m->f = malloc((n + 2) * sizeof(int32_t));
		m->memory = malloc(NROWS * fold_row_cells(n) * sizeof(int32_t));
		m->hairpin = malloc((n + 1) * sizeof(int));
		m->cap = n;
		for (u = 0; m->hairpin != NULL && u <= n; u++)
			m->hairpin[u] = rna_energy_length(m->e, m->e->hairpin, (int)u);
	}
	if (m->in.opts.no_lonely && m->cc == NULL)
		m->cc = malloc(fold_triangle_cells(m->cap) * sizeof(int32_t));
	if (m->c == NULL || m->fm == NULL || m->f == NULL || m->memory == NULL || m->hairpin == NULL ||
	    (m->in.opts.no_lonely && m->cc == NULL)) {
		release(m);
		return rna_fail(err, RNA_EMEM, "folding %zu nt takes %llu MiB, which can't be had", n,
		    (unsigned long long)(rna_mfe_bytes(n, m->in.opts.no_lonely) >> 20) + 1);
	}
	lay_out_rows(m);
	return RNA_OK;
}

/* 2. Cells of C */

static inline int
least(int a, int b)
{
	return a < b ? a : b;
}

/* Loops whose tables look at both pairs and all bases between them. */
static int
small_loops(const struct rna_mfe *m, int i, int j, int type, int32_t *const *c)
{
	int energy[FOLD_SMALL], best = RNA_FOLD_INF, s, k, l, x;

	if (j - i >= FOLD_SMALL_SPAN) {
		fold_small_energies(m->e, m->in.code, i, j, type, energy);
		for (s = 0; s < FOLD_SMALL; s++)
			best = least(best, c[fold_small[s].n1][j - 1 - fold_small[s].n2] + energy[s]);
		return best;
	}
	for (s = 0; s < FOLD_SMALL; s++) {
		k = i + 1 + fold_small[s].n1;
		l = j - 1 - fold_small[s].n2;
		if (l - k >= RNA_MIN_SPAN && (x = c[fold_small[s].n1][l]) < RNA_FOLD_NONE)
			best = least(best, x + rna_energy_interior(m->e, m->in.code, i, j, k, l));
	}
	return best;
}

static inline int
hairpin(const struct rna_mfe *m, int i, int j, int type)
{
	const uint8_t *code = m->in.code;

	if (j - i - 1 < LONG_LOOP)
		return rna_energy_hairpin(m->e, code, i, j);
	return m->hairpin[j - i - 1] + m->e->mismatch_hairpin[type][code[i + 1]][code[j - 1]];
}

/* The best of all loops that (i,j) closes; c: rows i+1 to i+4 of C. */
static int
best_loop(const struct rna_mfe *m, int i, int j, int type, const int32_t *dm_inner, int32_t *const *c)
{
	const struct rna_energy *e = m->e;
	int a = m->in.code[i + 1], b = m->in.code[j - 1], best;

	best = least(hairpin(m, i, j, type), small_loops(m, i, j, type, c));
	best = least(best, m->bulge_min[j] + (type > 2 ? e->terminal_au : 0));
	best = least(best, m->one_n_min[j] + e->mismatch_1n[type][a][b]);
	best = least(best, m->generic_min[j] + e->mismatch_interior[type][a][b]);
	return least(best, dm_inner[j - 1] + rna_mfe_closing(m, i, j));
}

/* Without lonely pairs (i,j) must stack on (i+1,j-1), which may then close anything. */
static int
stacked(struct rna_mfe *m, int i, int j, int best)
{
	int32_t *row = rna_mfe_row(m, m->cc, i);
	int inner = j - i > 5 ? rna_mfe_at(m, m->cc, i + 1, j - 1) : RNA_FOLD_INF;

	inner =
	    inner < RNA_FOLD_NONE ? inner + rna_energy_interior(m->e, m->in.code, i, j, i + 1, j - 1) : RNA_FOLD_INF;
	row[j] = least(best, inner);
	return inner;
}

/* Adds to the cell (i,j) what it contributes as the inner pair of a loop. */
static void
fold_in(struct rna_mfe *m, int i, int j, int32_t c)
{
	const struct rna_energy *e = m->e;
	int q = rna_pair_type(m->in.code[j], m->in.code[i]), at = i % FOLD_RING, x = m->in.code[j + 1],
	    y = m->in.code[i - 1];

	m->cb[at][j] = c + (q > 2 ? e->terminal_au : 0);
	m->c1[at][j] = c + e->mismatch_1n[q][x][y];
	m->cg[at][j] = c + e->mismatch_interior[q][x][y];
}

/* 3. Rows */

/* Part k of n of row i of C. */
static void
fill_c(struct rna_mfe *m, int i, int part, int nparts)
{
	const int32_t *dm_inner = m->dm[(i + 1) & 1];
	int32_t *c = rna_mfe_row(m, m->c, i), *inner[4];
	int j, x, k, at = i % FOLD_RING, from, to;
	size_t bytes;

	rna_fold_input_share(&m->in, i, part, nparts, &from, &to);
	struct fold_interior in = {i, from < i + RNA_MIN_SPAN ? i + RNA_MIN_SPAN : from, to, m->cb, m->c1, m->cg,
	    m->v[i & 1], m->v[(i + 1) & 1], m->e->bulge, m->one_n, m->e->interior, m->ninio, m->bulge_min, m->one_n_min,
	    m->generic_min};

	for (k = 0; k < 4; k++)
		inner[k] = rna_mfe_row(m, m->c, i + 1 + k <= m->in.n ? i + 1 + k : i);
	bytes = (size_t)(to - from) * sizeof(int32_t);
	memcpy(c + from, m->none + from, bytes);
	memcpy(m->cb[at] + from, m->none + from, bytes);
	memcpy(m->c1[at] + from, m->none + from, bytes);
	memcpy(m->cg[at] + from, m->none + from, bytes);
	if (m->in.opts.no_lonely)
		memcpy(rna_mfe_row(m, m->cc, i) + from, m->none + from, bytes);
	m->rows->interior(&in);
	for (k = rna_fold_input_first(&m->in, from); k < m->in.njs && (j = m->in.js[k]) < to; k++) {
		x = best_loop(m, i, j, m->in.type[j], dm_inner, inner);
		if (m->in.opts.no_lonely)
			x = stacked(m, i, j, x);
		if (x >= RNA_FOLD_NONE)
			continue;
		c[j] = x;
		fold_in(m, i, j, x);
	}
}

/* A stem that beats all else that fills i..j is pushed to the right as a first branch; returns its energy or x. */
static inline int
candidate(struct rna_mfe *m, int i, int j, int c, int x, int32_t *dm)
{
	int stem = c + rna_mfe_stem(m, m->multi, m->in.type[j], i, j);

	if (stem >= x)
		return x;
	if (j < m->in.n)
		m->rows->min_add(dm, rna_mfe_row(m, m->fm, j + 1), stem, j + 1, m->in.n + 1);
	return stem;
}

static void
fill_multi(struct rna_mfe *m, int i)
{
	int32_t *dm = m->dm[i & 1], *fm = rna_mfe_row(m, m->fm, i), *c = rna_mfe_row(m, m->c, i);
	const int32_t *dm_inner = m->dm[(i + 1) & 1], *inner = i < m->in.n ? rna_mfe_row(m, m->fm, i + 1) : NULL;
	int base = m->e->ml_base, j, x, before = RNA_FOLD_INF;

	for (j = i; j <= m->in.n; j++)
		dm[j] = least(dm_inner[j] + base, RNA_FOLD_INF);
	for (j = i; j <= m->in.n; j++) {
		x = least(before + base, dm[j]);
		if (j > i)
			x = least(x, inner[j] + base);
		if (m->in.type[j] != 0 && c[j] < RNA_FOLD_NONE)
			x = candidate(m, i, j, c[j], x, dm);
		fm[j] = before = least(x, RNA_FOLD_INF);
	}
}

static void
fill_exterior(struct rna_mfe *m, int i)
{
	const int32_t *c = rna_mfe_row(m, m->c, i);
	int k, j, best = m->f[i + 1];

	for (k = 0; k < m->in.njs; k++) {
		j = m->in.js[k];
		best = least(best, c[j] + rna_mfe_stem(m, m->exterior, m->in.type[j], i, j) + m->f[j + 1]);
	}
	m->f[i] = best;
}

static void
fill(struct rna_mfe *m)
{
	int i;

	for (i = m->in.n; i >= 1; i--) {
		rna_fold_input_row(&m->in, i);
		fill_c(m, i, 0, 1);
		fill_multi(m, i);
		fill_exterior(m, i);
	}
}

/* The same by several threads: they share the cells of C in a row, which know only rows below; the rest is one's. */
static void
fill_shared(struct rna_mfe *m, int threads)
{
#pragma omp parallel num_threads(threads)
	{
		int i;

		for (i = m->in.n; i >= 0; i--) {
#pragma omp single
			{
				if (i < m->in.n) {
					fill_multi(m, i + 1);
					fill_exterior(m, i + 1);
				}
				if (i > 0)
					rna_fold_input_row(&m->in, i);
			}
			if (i > 0)
				fill_c(m, i, omp_get_thread_num(), omp_get_num_threads());
#pragma omp barrier
		}
	}
}

enum rna_status
rna_mfe_fold(struct rna_mfe *m, const char *letters, size_t n, const struct rna_fold_options *opts, int32_t *pair,
    int *energy, struct rna_err *err)
{
	enum rna_status s;

	*energy = 0;
	if ((s = rna_fold_input_set(&m->in, letters, n, opts, err)) != RNA_OK || n == 0)
		return s;
	if ((s = prepare(m, n, err)) != RNA_OK)
		return s;
	m->f[n + 1] = 0;
	if (m->threads > 1 && n >= FOLD_SHARED_N)
		fill_shared(m, m->threads);
	else
		fill(m);
	*energy = m->f[1];
	return rna_mfe_trace(m, pair, err);
}
