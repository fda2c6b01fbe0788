/*
 * ref_conv.h: convolutions over sequences and over square maps, and pooling.  Text of ref_ops.h.
 *
 * One text for both: a sequence is a map of one row.  Cells are (i, j); taps (u, v), u = 0 in one dimension.
 */

/* The sequence or map b of a convolution: rows and columns of x and of y, and where they begin. */
struct ref_grid { int tall, wide, y_tall, y_wide, pad_u; size_t x0, y0; };

static struct ref_grid
ref_grid(const struct rk_conv *o, int b, int two)
{
	struct ref_grid g = { 1, o->x_first[b + 1] - o->x_first[b], 1, o->first[b + 1] - o->first[b], 0,
		(size_t)o->x_first[b], (size_t)o->first[b] };

	if (two) {
		g.tall = g.wide = g.y_tall = g.y_wide = o->side[b];
		g.pad_u = o->pad;
	}
	return g;
}

/* Row of x under tap (u, v) of cell (i, j), or -1: outside. */
static long
ref_under(const struct rk_conv *o, const struct ref_grid *g, int i, int j, int u, int v)
{
	const int p = i + u - g->pad_u, q = j + v - o->pad;

	if (p < 0 || p >= g->tall || q < 0 || q >= g->wide)
		return -1;
	return (long)(g->x0 + (size_t)p * g->wide + q);
}

/* Calls f for every cell of y, tap, and the row of x under it. */
typedef void ref_tap_fn(const struct rk_conv *o, size_t y, size_t x, int tap);

static void
ref_taps(const struct rk_conv *o, const struct rk_env *e, int two, ref_tap_fn *f)
{
	for (int b = 0; b < e->live[o->seqs]; b++) {
		const struct ref_grid g = ref_grid(o, b, two);

		for (int i = 0; i < g.y_tall; i++)
			for (int j = 0; j < g.y_wide; j++)
				for (int tap = 0; tap < o->w.taps; tap++) {
					const int u = two ? tap / o->width : 0, v = tap - u * o->width;
					const long x = ref_under(o, &g, i, j, u, v);

					if (x >= 0)
						f(o, g.y0 + (size_t)i * g.y_wide + j, (size_t)x, tap);
				}
	}
}

static void
ref_conv_tap(const struct rk_conv *o, size_t y, size_t x, int tap)
{
	const int n = o->w.n, k = o->w.k / o->w.taps;
	const real *w = o->w.w, *from = (const real *)o->x + x * k;
	real *to = (real *)o->y + y * n;

	for (int a = 0; a < n; a++)
		for (int c = 0; c < k; c++)
			to[a] += w[((size_t)a * k + c) * o->w.taps + tap] * from[c];
}

static void
ref_conv_tap_x(const struct rk_conv *o, size_t y, size_t x, int tap)
{
	const int n = o->w.n, k = o->w.k / o->w.taps;
	const real *w = o->w.w, *dy = (const real *)o->dy + y * n;
	real *dx = (real *)o->dx + x * k;

	for (int a = 0; a < n; a++)
		for (int c = 0; c < k; c++)
			dx[c] += w[((size_t)a * k + c) * o->w.taps + tap] * dy[a];
}

static void
ref_conv_tap_w(const struct rk_conv *o, size_t y, size_t x, int tap)
{
	const int n = o->w.n, k = o->w.k / o->w.taps;
	const real *from = (const real *)o->x + x * k, *dy = (const real *)o->dy + y * n;
	real *dw = o->dw;

	for (int a = 0; a < n; a++)
		for (int c = 0; c < k; c++)
			dw[((size_t)a * k + c) * o->w.taps + tap] += dy[a] * from[c];
}

static void
ref_conv(const struct rk_conv *o, const struct rk_env *e, int two)
{
	const size_t n = o->w.n, rows = o->first[e->live[o->seqs]];
	const real *bias = o->bias;
	real *y = o->y;

	for (size_t i = 0; i < rows * n; i++)
		y[i] = bias != NULL ? bias[i % n] : 0;
	ref_taps(o, e, two, ref_conv_tap);
	for (size_t i = 0; i < rows * n; i++)
		y[i] = ref_act(y[i], o->act);
}

static void
ref_conv_back_x(const struct rk_conv *o, const struct rk_env *e, int two)
{
	if (!o->accumulate)
		memset(o->dx, 0, sizeof(real) * o->x_first[e->live[o->seqs]] * (size_t)(o->w.k / o->w.taps));
	ref_taps(o, e, two, ref_conv_tap_x);
}

static void
ref_conv_back_w(const struct rk_conv *o, const struct rk_env *e, int two)
{
	const size_t n = o->w.n, len = o->first[e->live[o->seqs]] * n;

	ref_taps(o, e, two, ref_conv_tap_w);
	for (size_t i = 0; o->dbias != NULL && i < len; i++)
		((real *)o->dbias)[i % n] += ((const real *)o->dy)[i];
}

static void ref_conv1d(const struct rk_call *c, const struct rk_env *e) { ref_conv(&c->u.conv, e, 0); }
static void ref_conv2d(const struct rk_call *c, const struct rk_env *e) { ref_conv(&c->u.conv, e, 1); }
static void ref_conv1d_back_x(const struct rk_call *c, const struct rk_env *e) { ref_conv_back_x(&c->u.conv, e, 0); }
static void ref_conv2d_back_x(const struct rk_call *c, const struct rk_env *e) { ref_conv_back_x(&c->u.conv, e, 1); }
static void ref_conv1d_back_w(const struct rk_call *c, const struct rk_env *e) { ref_conv_back_w(&c->u.conv, e, 0); }
static void ref_conv2d_back_w(const struct rk_call *c, const struct rk_env *e) { ref_conv_back_w(&c->u.conv, e, 1); }

static void
ref_max_pool(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_max_pool *o = &c->u.max_pool;
	const size_t n = o->columns;

	for (int b = 0; b < e->live[RK_LIVE_SEQS]; b++)
		for (int t = 0; t < o->first[b + 1] - o->first[b]; t++) {
			const real *x = (const real *)o->x + (o->x_first[b] + 2 * (size_t)t) * n;
			real *y = (real *)o->y + (o->first[b] + (size_t)t) * n;

			for (size_t i = 0; i < n; i++)
				y[i] = x[n + i] > x[i] ? x[n + i] : x[i];
		}
}

static void
ref_max_pool_back(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_max_pool *o = &c->u.max_pool;
	const size_t n = o->columns;

	memset(o->dx, 0, sizeof(real) * n * o->x_first[e->live[RK_LIVE_SEQS]]);
	for (int b = 0; b < e->live[RK_LIVE_SEQS]; b++)
		for (int t = 0; t < o->first[b + 1] - o->first[b]; t++) {
			const size_t at = (o->x_first[b] + 2 * (size_t)t) * n;
			const real *x = (const real *)o->x + at;
			const real *dy = (const real *)o->dy + (o->first[b] + (size_t)t) * n;
			real *dx = (real *)o->dx + at;

			for (size_t i = 0; i < n; i++)
				dx[x[n + i] > x[i] ? n + i : i] = dy[i];
		}
}
