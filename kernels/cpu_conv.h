/*
 * cpu_conv.h: convolutions over sequences and square maps as products of micro-tiles.  Rows that follow each other in
 * memory are the window of the next cell one row later, so a line of cells with zeros around it is the A operand as it
 * stands: stride k between cells, width * k words under a row of taps.  A sequence is a map of one line.
 */
#ifndef CPU_CONV_H
#define CPU_CONV_H

#include "cpu_linear.h"

enum {
	CONV_CELLS = 96,        /* cells of a line multiplied at once, multiple of MR */
	CONV_SUM = 512,         /* cells of a line in one visit of dw */
	CONV_TILES = 4          /* tiles of MR rows of dw in a piece of work */
};

/* 1. Packing: panels over (tap, channel) */

/* Word (tap, c) of column a is w[a * sa + c * sc + tap], of the tap counted from the end where `flip` is set. */
static void
conv_panels(float *dst, const float *w, int taps, int k, int n, size_t sc, size_t sa, int flip)
{
#pragma omp for schedule(dynamic)
	for (int c0 = 0; c0 < n; c0 += WIDE) {
		const int wide = VL * panel_vectors(n, c0);
		float *p = dst + panel_at(taps * k, c0);

		for (int tap = 0; tap < taps; tap++)
			for (int c = 0; c < k; c++, p += wide)
				for (int a = 0; a < wide; a++)
					p[a] = c0 + a < n ? w[(c0 + a) * sa + c * sc + (flip ? taps - 1 - tap : tap)]
					                  : 0;
	}
}

static void
conv_pack(const struct rk_weight *w)
{
	const int taps = w->taps, k = w->k / taps;

	conv_panels(w->fwd, w->w, taps, k, w->n, (size_t)taps, (size_t)k * taps, 0);
	if (w->bwd != NULL)
		conv_panels(w->bwd, w->w, taps, w->n, k, (size_t)k * taps, (size_t)taps, 1);
}

/* 2. y = act(bias + W x), and dx = W' dy, which is a convolution too */

struct conv_product {
	int two, width, pad, n, k;              /* k, n: channels of x and y */
	const int32_t *x_first, *first, *side;
	const float *x, *panels, *bias;
	float *y;
	enum rk_act act;
	int add;                                /* y += */
};

/* A map of a batch; of one line where it is a sequence. */
struct conv_grid { int tall, wide, y_tall, y_wide, pad_u; const float *x; float *y; };

static struct conv_grid
conv_grid(const struct conv_product *g, int b)
{
	struct conv_grid m = { 1, g->x_first[b + 1] - g->x_first[b], 1, g->first[b + 1] - g->first[b], 0,
		g->x + (size_t)g->x_first[b] * g->k, g->y + (size_t)g->first[b] * g->n };

	if (g->two) {
		m.tall = m.wide = m.y_tall = m.y_wide = g->side[b];
		m.pad_u = g->pad;
	}
	return m;
}

/* Cells from .. from+cells of a line of `wide` cells of k floats, zeros where there are none. */
static void
conv_line(float *dst, const float *line, int wide, int from, int cells, int k)
{
	const int left = most(0, least(-from, cells)), right = most(0, least(wide - from, cells));

	memset(dst, 0, sizeof(float) * left * k);
	if (right > left)
		memcpy(dst + (size_t)left * k, line + (size_t)(from + left) * k, sizeof(float) * (right - left) * k);
	if (right < cells)
		memset(dst + (size_t)most(left, right) * k, 0, sizeof(float) * (cells - most(left, right)) * k);
}

/* Sums of `cells` cells to y. */
static void
conv_finish(const struct conv_product *g, const float *sum, float *y, int cells, int c, int wide)
{
	for (int i = 0; i < cells; i++)
		for (int j = 0; j < wide; j += VL) {
			float *to = y + (size_t)i * g->n + c + j;
			const int left = g->n - c - j;
			vf v = vf_load(sum + i * WIDE + j);

			if (g->bias != NULL)
				v += vf_load_tail(g->bias + c + j, left);
			if (g->add)
				v += vf_load_tail(to, left);
			vf_store_tail(to, activate(v, g->act), left);
		}
}

/* Cells j .. j+cells of line i. */
static void
conv_cells(const struct conv_product *g, const struct conv_grid *m, int i, int j, int cells, float *own)
{
	const int kg = g->width * g->k, rows = padded(cells, MR), span = rows + g->width - 1;
	const int lines = g->two ? g->width : 1, first = most(0, m->pad_u - i);
	const int last = least(lines, m->tall + m->pad_u - i);
	float *sum = own, *line = own + CONV_CELLS * WIDE;

	for (int u = first; u < last; u++)
		conv_line(line + (size_t)u * span * g->k, m->x + (size_t)(i + u - m->pad_u) * m->wide * g->k, m->wide,
		    j - g->pad, span, g->k);
	for (int c = 0; c < g->n; c += WIDE) {
		const int wide = VL * panel_vectors(g->n, c);
		const float *b = g->panels + panel_at(lines * kg, c);
		micro_fn *micro = micro_of(F32, wide / VL);

		for (int u = first; u < last; u++)
			for (int r = 0; r < rows; r += MR)
				micro(kg, line + ((size_t)u * span + r) * g->k, g->k, 1, b + (size_t)u * kg * wide,
				    sum + r * WIDE, WIDE, u > first);
		conv_finish(g, sum, m->y + ((size_t)i * m->y_wide + j) * g->n, cells, c, wide);
	}
}

static void
conv_product(const struct conv_product *g, int seqs, const struct rk_env *e)
{
	for (int b = 0; b < seqs; b++) {
		const struct conv_grid m = conv_grid(g, b);
		const int pieces = blocks(m.y_wide, CONV_CELLS);

#pragma omp for schedule(dynamic) nowait
		for (int p = 0; p < m.y_tall * pieces; p++) {
			const int j = p % pieces * CONV_CELLS;

			conv_cells(g, &m, p / pieces, j, least(CONV_CELLS, m.y_wide - j), e->own);
		}
	}
#pragma omp barrier
}

static void
conv_forward(const struct rk_conv *o, const struct rk_env *e, int two)
{
	const struct conv_product g = { .two = two, .width = o->width, .pad = o->pad, .n = o->w.n,
		.k = o->w.k / o->w.taps, .x_first = o->x_first, .first = o->first, .side = o->side, .x = o->x,
		.panels = o->w.fwd, .bias = o->bias, .y = o->y, .act = o->act };

	conv_product(&g, e->live[o->seqs], e);
}

static void
conv_back_x(const struct rk_conv *o, const struct rk_env *e, int two)
{
	const struct conv_product g = { .two = two, .width = o->width, .pad = o->width - 1 - o->pad,
		.n = o->w.k / o->w.taps, .k = o->w.n, .x_first = o->first, .first = o->x_first, .side = o->side,
		.x = o->dy, .panels = o->w.bwd, .y = o->dx, .add = o->accumulate };

	conv_product(&g, e->live[o->seqs], e);
}

/* 3. dw += dy^T x under each tap */

/* Scratch of a team: a line of dy and the lines of x under its taps, and dw by taps. */
struct conv_sum {
	int n, k, wide, tall;   /* channels, and rows and columns of a tap's part of dw */
	int lines, span;
	float *dy, *x, *dw;
};

static struct conv_sum
conv_sum(const struct rk_conv *o, int two, float *shared)
{
	struct conv_sum s = { o->w.n, o->w.k / o->w.taps, padded(o->w.k / o->w.taps, VL), padded(o->w.n, MR),
		two ? o->width : 1, CONV_SUM + o->width - 1, shared, NULL, NULL };

	s.x = s.dy + (size_t)CONV_SUM * s.tall;
	s.dw = s.x + (size_t)s.lines * s.span * s.wide;
	return s;
}

/* `cells` cells of dy, each with zeros after it; and their sum to dbias. */
static void
conv_sum_dy(const struct conv_sum *s, const float *dy, int cells, float *dbias)
{
	for (int j = 0; j < cells; j++) {
		memcpy(s->dy + (size_t)j * s->tall, dy + (size_t)j * s->n, sizeof(float) * s->n);
		memset(s->dy + (size_t)j * s->tall + s->n, 0, sizeof(float) * (s->tall - s->n));
	}
	for (int c = 0; dbias != NULL && c < s->n; c += VL) {
		vf sum = vf_load_tail(dbias + c, s->n - c);

		for (int j = 0; j < cells; j++)
			sum += vf_load_tail(dy + (size_t)j * s->n + c, s->n - c);
		vf_store_tail(dbias + c, sum, s->n - c);
	}
}

/* Cells from .. from+cells of a line of x as panels. */
static void
conv_sum_x(const struct conv_sum *s, int u, const float *line, int wide, int from, int cells)
{
	float *x = s->x + (size_t)u * s->span * s->wide;

	for (int c = 0; c < s->k; c += WIDE) {
		const int columns = VL * panel_vectors(s->k, c);
		float *p = x + panel_at(s->span, c);

		for (int j = 0; j < cells; j++, p += columns)
			for (int a = 0; a < columns; a += VL) {
				const int at = from + j, left = s->k - c - a;

				vf_store(p + a, at < 0 || at >= wide
				                    ? vf_zero()
				                    : vf_load_tail(line + (size_t)at * s->k + c + a, left));
			}
	}
}

/* Tiles t0 .. t1 of a tap's part of dw, all columns. */
static void
conv_sum_tap(const struct conv_sum *s, int width, int tap, int cells, int t0, int t1)
{
	const int u = tap / width, v = tap % width;

	for (int c = 0; c < s->k; c += WIDE) {
		const int vectors = panel_vectors(s->k, c);
		const float *x = s->x + (size_t)u * s->span * s->wide + panel_at(s->span, c) + (size_t)v * vectors * VL;
		micro_fn *micro = micro_of(F32, vectors);

		for (int t = t0; t < t1; t++)
			micro(cells, s->dy + t * MR, 1, s->tall, x,
			    s->dw + ((size_t)tap * s->tall + t * MR) * s->wide + c, s->wide, 1);
	}
}

/* Cells j .. j+cells of line i of a map: packed by the team, then multiplied; each tile of dw has one owner. */
static void
conv_sum_cells(const struct rk_conv *o, const struct conv_sum *s, const struct conv_grid *m, const float *dy, int i,
    int j, int cells)
{
	const int first = most(0, m->pad_u - i), last = least(s->lines, m->tall + m->pad_u - i);
	const int tiles = s->tall / MR, groups = blocks(tiles, CONV_TILES);

#pragma omp for schedule(dynamic)
	for (int u = first - 1; u < last; u++) {
		if (u < first)
			conv_sum_dy(s, dy + ((size_t)i * m->y_wide + j) * s->n, cells, o->dbias);
		else
			conv_sum_x(s, u, m->x + (size_t)(i + u - m->pad_u) * m->wide * s->k, m->wide, j - o->pad,
			    cells + o->width - 1);
	}
#pragma omp for schedule(dynamic)
	for (int p = first * o->width * groups; p < last * o->width * groups; p++)
		conv_sum_tap(s, o->width, p / groups, cells, p % groups * CONV_TILES,
		    least(tiles, (p % groups + 1) * CONV_TILES));
}

static void
conv_back_w(const struct rk_conv *o, const struct rk_env *e, int two)
{
	const struct conv_product g = { .two = two, .pad = o->pad, .n = o->w.n, .k = o->w.k / o->w.taps,
		.x_first = o->x_first, .first = o->first, .side = o->side, .x = o->x, .y = (float *)o->dy };
	const struct conv_sum s = conv_sum(o, two, e->shared);
	const int taps = o->w.taps;
	float *dw = o->dw;

#pragma omp for schedule(static)
	for (int t = 0; t < taps; t++)
		memset(s.dw + (size_t)t * s.tall * s.wide, 0, sizeof(float) * s.tall * s.wide);
	for (int b = 0; b < e->live[o->seqs]; b++) {
		const struct conv_grid m = conv_grid(&g, b);

		for (int i = 0; i < m.y_tall; i++)
			for (int j = 0; j < m.y_wide; j += CONV_SUM)
				conv_sum_cells(o, &s, &m, m.y, i, j, least(CONV_SUM, m.y_wide - j));
	}
#pragma omp for schedule(static)
	for (int a = 0; a < s.n; a++)
		for (int c = 0; c < s.k; c++)
			for (int t = 0; t < taps; t++)
				dw[((size_t)a * s.k + c) * taps + t] += s.dw[((size_t)t * s.tall + a) * s.wide + c];
}

static void cpu_conv1d(const struct rk_call *c, const struct rk_env *e) { conv_forward(&c->u.conv, e, 0); }
static void cpu_conv2d(const struct rk_call *c, const struct rk_env *e) { conv_forward(&c->u.conv, e, 1); }
static void cpu_conv1d_back_x(const struct rk_call *c, const struct rk_env *e) { conv_back_x(&c->u.conv, e, 0); }
static void cpu_conv2d_back_x(const struct rk_call *c, const struct rk_env *e) { conv_back_x(&c->u.conv, e, 1); }
static void cpu_conv1d_back_w(const struct rk_call *c, const struct rk_env *e) { conv_back_w(&c->u.conv, e, 0); }
static void cpu_conv2d_back_w(const struct rk_call *c, const struct rk_env *e) { conv_back_w(&c->u.conv, e, 1); }

static struct rk_need
conv_need(const struct rk_conv *o, enum rk_op op)
{
	const int two = op >= RK_CONV2D;
	const size_t span = CONV_CELLS + o->width - 1, k = most(o->w.n, o->w.k / o->w.taps);
	struct rk_need need = { 0, 0 };

	if (op == RK_CONV1D_BACK_W || op == RK_CONV2D_BACK_W) {
		const struct conv_sum s = conv_sum(o, two, NULL);

		need.shared = sizeof(float) * ((size_t)CONV_SUM * s.tall + (size_t)s.lines * s.span * s.wide +
		                                  (size_t)o->w.taps * s.tall * s.wide);
	} else {
		need.own = sizeof(float) * (CONV_CELLS * WIDE + (two ? o->width : 1) * span * k);
	}
	return need;
}

#endif
