/*
 * ref_pair.h: maps of pairs of tokens, their dropout keys, and one map out of two.  Text of ref_ops.h.
 */

/* Whether an image has cell (i, j). */
static int
ref_pair_has(const struct rk_pair *o, int image, int i, int j)
{
	return image == 1 ? j < i : o->diagonal ? j >= i : j > i;
}

/* The first row of an image of sequence b. */
static size_t
ref_pair_image(const struct rk_pair *o, int b, int image)
{
	return (size_t)o->maps[o->images * b + image];
}

/* Calls f for every cell that an image has. */
typedef void ref_cell_fn(const struct rk_pair *o, int b, size_t i, size_t j, size_t cell, size_t pair);

static void
ref_cells(const struct rk_pair *o, const struct rk_env *e, ref_cell_fn *f)
{
	for (int b = 0; b < e->live[RK_LIVE_SEQS]; b++)
		for (int image = 0; image < o->images; image++) {
			const int n = o->offsets[b + 1] - o->offsets[b];

			for (int i = 0; i < n; i++)
				for (int j = 0; j < n; j++)
					if (ref_pair_has(o, image, i, j))
						f(o, b, (size_t)(o->offsets[b] + i), (size_t)(o->offsets[b] + j),
						    ref_pair_image(o, b, image) + (size_t)i * n + j, (size_t)i * n + j);
		}
}

static void
ref_cell_keys(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_pair *o = &c->u.pair;
	const int images = o->pairs != NULL ? 1 : o->images;

	for (int b = 0; b < e->live[RK_LIVE_SEQS]; b++)
		for (int image = 0; image < images; image++) {
			const int n = o->offsets[b + 1] - o->offsets[b];
			const uint64_t *row = o->row_key + o->offsets[b];
			uint64_t *key = o->key + (o->pairs != NULL ? (size_t)o->pairs[b] : ref_pair_image(o, b, image));

			for (int i = 0; i < n; i++)
				for (int j = 0; j < n; j++)
					key[(size_t)i * n + j] = rk_cell_key(row[i], row[j], image);
		}
}

static void
ref_pair_cell(const struct rk_pair *o, int b, size_t i, size_t j, size_t cell, size_t pair)
{
	const int n = o->columns;
	const real *xi = (const real *)o->x + i * n, *xj = (const real *)o->x + j * n;
	real *y = (real *)o->y + cell * n;

	(void)b, (void)pair;
	for (int c = 0; c < n / 2; c++) {
		y[c] = xi[2 * c];
		y[n / 2 + c] = xj[n - 1 - 2 * c];
	}
}

static void
ref_pair_map(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_pair *o = &c->u.pair;

	memset(o->y, 0, sizeof(real) * o->columns * (size_t)o->maps[o->images * e->live[RK_LIVE_SEQS]]);
	ref_cells(o, e, ref_pair_cell);
}

static void
ref_pair_cell_back(const struct rk_pair *o, int b, size_t i, size_t j, size_t cell, size_t pair)
{
	const int n = o->columns;
	const real *dy = (const real *)o->dy + cell * n;
	real *di = (real *)o->dx + i * n, *dj = (real *)o->dx + j * n;

	(void)b, (void)pair;
	for (int c = 0; c < n / 2; c++) {
		di[2 * c] += dy[c];
		dj[n - 1 - 2 * c] += dy[n / 2 + c];
	}
}

static void
ref_pair_map_back(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_pair *o = &c->u.pair;

	memset(o->dx, 0, sizeof(real) * o->columns * (size_t)o->offsets[e->live[RK_LIVE_SEQS]]);
	ref_cells(o, e, ref_pair_cell_back);
}

static void
ref_merge_cell(const struct rk_pair *o, int b, size_t i, size_t j, size_t cell, size_t pair)
{
	const size_t n = o->columns;

	(void)i, (void)j;
	memcpy((real *)o->y + (o->pairs[b] + pair) * n, (const real *)o->x + cell * n, n * sizeof(real));
}

static void
ref_pair_merge(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_pair *o = &c->u.pair;

	memset(o->y, 0, sizeof(real) * o->columns * (size_t)o->pairs[e->live[RK_LIVE_SEQS]]);
	ref_cells(o, e, ref_merge_cell);
}

static void
ref_merge_cell_back(const struct rk_pair *o, int b, size_t i, size_t j, size_t cell, size_t pair)
{
	const size_t n = o->columns;

	(void)i, (void)j;
	memcpy((real *)o->dx + cell * n, (const real *)o->dy + (o->pairs[b] + pair) * n, n * sizeof(real));
}

static void
ref_pair_merge_back(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_pair *o = &c->u.pair;

	memset(o->dx, 0, sizeof(real) * o->columns * (size_t)o->maps[o->images * e->live[RK_LIVE_SEQS]]);
	ref_cells(o, e, ref_merge_cell_back);
}
