/*
 * fold_rows_text.h: the vector loops, written once.  The including file defines ROWS (the table's name), NAME, LANES
 * and the vector operations V, LOAD, STORE, SET1, ADD, MIN on LANES int32.
 */

static void
min_add(int32_t *dst, const int32_t *src, int32_t c, int from, int to)
{
	V add = SET1(c);
	int j;

	for (j = from; j < to; j += LANES) /* may run over into the pad, where all is infinite and stays so */
		STORE(dst + j, MIN(LOAD(dst + j), ADD(LOAD(src + j), add)));
}

/* Bulges of 2..30: (k,l) = (i+1, j-1-s) and (i+1+s, j-1). */
static void
bulges(const struct fold_interior *f, int j)
{
	const int32_t *inner = f->cb[(f->i + 1) % FOLD_RING];
	V best = SET1(RNA_FOLD_INF);
	int s;

	for (s = 2; s <= RNA_MAXLOOP; s++)
		best = MIN(best, ADD(MIN(LOAD(inner + j - 1 - s), LOAD(f->cb[(f->i + 1 + s) % FOLD_RING] + j - 1)),
				     SET1(f->bulge[s])));
	STORE(f->bulge_min + j, best);
}

/* One unpaired base against n = 3..29: (i+2, j-1-n) and (i+1+n, j-2). */
static void
one_by_n(const struct fold_interior *f, int j)
{
	const int32_t *inner = f->c1[(f->i + 2) % FOLD_RING];
	V best = SET1(RNA_FOLD_INF);
	int n;

	for (n = 3; n < RNA_MAXLOOP; n++)
		best = MIN(best, ADD(MIN(LOAD(inner + j - 1 - n), LOAD(f->c1[(f->i + 1 + n) % FOLD_RING] + j - 2)),
				     SET1(f->one_n[n + 1])));
	STORE(f->one_n_min + j, best);
}

/* V_s(i,j) = min{ V_{s-2}(i+1,j-1); two unpaired bases on one side, s-2 on the other }: constant work for a size. */
static void
generic(const struct fold_interior *f, int j)
{
	const int32_t *inner = f->cg[(f->i + 3) % FOLD_RING];
	V best = SET1(RNA_FOLD_INF), v;
	int s;

	for (s = 4; s <= RNA_MAXLOOP; s++) {
		v = ADD(MIN(LOAD(inner + j - 1 - (s - 2)), LOAD(f->cg[(f->i + 1 + s - 2) % FOLD_RING] + j - 3)),
		    SET1(f->ninio[s - 4]));
		if (s >= 6) {
			v = MIN(v, LOAD(f->v_inner[s - 2] + j - 1));
			best = MIN(best, ADD(v, SET1(f->generic[s])));
		}
		STORE(f->v[s] + j, v);
	}
	STORE(f->generic_min + j, best);
}

static void
interior(const struct fold_interior *f)
{
	int j;

	for (j = f->from; j < f->to; j += LANES) {
		bulges(f, j);
		one_by_n(f, j);
		generic(f, j);
	}
}

const struct fold_rows ROWS = {NAME, interior, min_add};
