/*
 * neural_rows_text.h: the vector loops of the neural fold, written once.  The including file defines ROWS (the table's
 * name), NAME, LANES, AT_ONCE (rows of M that its registers hold two vectors of) and the vector operations V, LOAD,
 * STORE, SET1, ADD, MAX on LANES floats.
 */

/* Two vectors of cells side by side, so that a constant is loaded once for both. */
struct two {
	V a, b;
};

static inline __attribute__((always_inline)) void
better(struct two *best, const float *cells, float c)
{
	V add = SET1(c);

	best->a = MAX(best->a, ADD(LOAD(cells), add));
	best->b = MAX(best->b, ADD(LOAD(cells + LANES), add));
}

/* best = max(best, inner + the region of the 3' side) */
static inline __attribute__((always_inline)) void
with_region(struct two *best, const struct two *inner, const float *region)
{
	best->a = MAX(best->a, ADD(inner->a, LOAD(region)));
	best->b = MAX(best->b, ADD(inner->b, LOAD(region + LANES)));
}

static inline __attribute__((always_inline)) struct two
none(void)
{
	return (struct two){SET1(-INFINITY), SET1(-INFINITY)};
}

static inline __attribute__((always_inline)) void
put(float *row, const struct two *x)
{
	STORE(row, x->a);
	STORE(row + LANES, x->b);
}

/* Bulges of 2..30, on either side. */
static void
bulges(const struct neural_interior *f, int j)
{
	struct two best = none(), inner = none();
	int s;

	for (s = 2; s <= RNA_MAXLOOP; s++)
		better(&inner, f->cb[s] + j - 1, f->size[0][s]);
	with_region(&best, &inner, f->region3[0] + j);
	for (s = 2; s <= RNA_MAXLOOP; s++) {
		inner = none();
		better(&inner, f->cb[0] + j - 1 - s, f->size[s][0]);
		with_region(&best, &inner, f->region3[s] + j);
	}
	put(f->bulge + j, &best);
}

/* One unpaired base against 3..29, on either side. */
static void
one_by_n(const struct neural_interior *f, int j)
{
	struct two best = none(), inner = none();
	int s;

	for (s = 3; s < RNA_MAXLOOP; s++)
		better(&inner, f->c1[s] + j - 2, f->size[1][s]);
	with_region(&best, &inner, f->region3[1] + j);
	for (s = 3; s < RNA_MAXLOOP; s++) {
		inner = none();
		better(&inner, f->c1[1] + j - 1 - s, f->size[s][1]);
		with_region(&best, &inner, f->region3[s] + j);
	}
	put(f->one_n + j, &best);
}

/* Two unpaired bases or more on both sides, but for 2 x 2, 2 x 3 and 3 x 2; the region of a side is added once for each
 * n2. */
static void
generic(const struct neural_interior *f, int j)
{
	struct two best = none(), inner;
	int n1, n2;

	for (n2 = 2; n2 <= RNA_MAXLOOP - 2; n2++) {
		inner = none();
		for (n1 = n2 < 4 ? 6 - n2 : 2; n1 <= RNA_MAXLOOP - n2; n1++)
			better(&inner, f->cg[n1] + j - 1 - n2, f->size[n2][n1]);
		with_region(&best, &inner, f->region3[n2] + j);
	}
	put(f->generic + j, &best);
}

static void
interior(const struct neural_interior *f)
{
	int k = 0, j;

	while (k < f->njs) {
		j = f->js[k];
		bulges(f, j);
		one_by_n(f, j);
		generic(f, j);
		while (k < f->njs && f->js[k] < j + 2 * LANES)
			k++;
	}
}

/* Columns j .. j + 2 LANES - 1, at t in their tile, of AT_ONCE rows of M from row r on. */
static inline __attribute__((always_inline)) void
multi_part(const struct neural_multi *f, int r, int j, const float *t, int last)
{
	const float *const *region = f->region + r;
	struct two best[AT_ONCE];
	int k, q;

#pragma GCC unroll 8
	for (q = 0; q < AT_ONCE; q++)
		best[q] = none();
	for (k = f->first; k <= last; k++, t += NEURAL_TILE) {
		V a = LOAD(t), b = LOAD(t + LANES);

#pragma GCC unroll 8
		for (q = 0; q < AT_ONCE; q++) {
			V x = SET1(region[q][k - 1]);

			best[q].a = MAX(best[q].a, ADD(a, x));
			best[q].b = MAX(best[q].b, ADD(b, x));
		}
	}
#pragma GCC unroll 8
	for (q = 0; q < AT_ONCE; q++)
		put(f->m[r + q] + j, &best[q]);
}

static void
multi(const struct neural_multi *f)
{
	int tile, j, r, last;

	/* two branches take 10 bases: T(k,j) is -infinity for k > j - 9 */
	for (tile = (f->first + 8) / NEURAL_TILE; tile <= (f->n - 1) / NEURAL_TILE; tile++) {
		const float *t = f->t + neural_tile(tile) + (size_t)(f->first - 1) * NEURAL_TILE;

		for (j = 0; j < NEURAL_TILE; j += 2 * LANES) {
			last = NEURAL_TILE * tile + j + 2 * LANES - 9;
			last = last < f->n - 9 ? last : f->n - 9;
			for (r = 0; r < NEURAL_BLOCK; r += AT_ONCE)
				multi_part(f, r, NEURAL_TILE * tile + 1 + j, t + j, last);
		}
	}
}

static void
max_add(float *dst, const float *src, float c, int from, int to)
{
	V add = SET1(c);
	int j;

	for (j = from; j < to; j += LANES) /* may run over into the pad, where all is -infinity and stays so */
		STORE(dst + j, MAX(LOAD(dst + j), ADD(LOAD(src + j), add)));
}

const struct neural_rows ROWS = {NAME, interior, multi, max_add};
