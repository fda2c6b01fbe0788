/*
 * ref_segments.h: sums, means and softmax over segments of rows.  Text of ref_ops.h.
 */

static real
ref_segment_weight(const struct rk_segments *o, size_t b, size_t row)
{
	return o->weight != NULL ? ((const real *)o->weight)[row] : 1 / (real)o->count[b];
}

static void
ref_segment_sum(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_segments *o = &c->u.segments;
	const size_t n = o->columns;

	for (size_t b = 0; b < (size_t)e->live[o->rows]; b++) {
		real *y = (real *)o->y + b * n;

		memset(y, 0, n * sizeof(*y));
		for (size_t r = o->first[b]; r < (size_t)o->first[b] + o->count[b]; r++)
			for (size_t i = 0; i < n; i++)
				y[i] += ref_segment_weight(o, b, r) * ((const real *)o->x)[r * n + i];
	}
}

static void
ref_segment_sum_back(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_segments *o = &c->u.segments;
	const size_t n = o->columns;

	for (size_t b = 0; b < (size_t)e->live[o->rows]; b++) {
		const real *dy = (const real *)o->dy + b * n;

		for (size_t r = o->first[b]; r < (size_t)o->first[b] + o->count[b]; r++) {
			real dot = 0;

			for (size_t i = 0; i < n; i++) {
				((real *)o->dx)[r * n + i] += ref_segment_weight(o, b, r) * dy[i];
				dot += ((const real *)o->x)[r * n + i] * dy[i];
			}
			if (o->dweight != NULL)
				((real *)o->dweight)[r] += dot;
		}
	}
}

static void
ref_segment_softmax(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_segments *o = &c->u.segments;

	for (size_t b = 0; b < (size_t)e->live[o->rows]; b++) {
		const real *x = (const real *)o->x + o->first[b];
		real *y = (real *)o->y + o->first[b], sum = 0, top;

		if (o->count[b] == 0)
			continue;
		top = x[0];
		for (int r = 1; r < o->count[b]; r++)
			top = x[r] > top ? x[r] : top;
		for (int r = 0; r < o->count[b]; r++)
			sum += y[r] = exp(x[r] - top);
		for (int r = 0; r < o->count[b]; r++)
			y[r] /= sum;
	}
}

static void
ref_segment_softmax_back(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_segments *o = &c->u.segments;

	for (size_t b = 0; b < (size_t)e->live[o->rows]; b++) {
		const real *y = (const real *)o->y + o->first[b], *dy = (const real *)o->dy + o->first[b];
		real *dx = (real *)o->dx + o->first[b], dot = 0;

		for (int r = 0; r < o->count[b]; r++)
			dot += y[r] * dy[r];
		for (int r = 0; r < o->count[b]; r++)
			dx[r] += y[r] * (dy[r] - dot);
	}
}
