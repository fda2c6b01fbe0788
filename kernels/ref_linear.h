/*
 * ref_linear.h: y = act(x w^T + bias) and its gradients.  Text of ref_ops.h.
 */

static void
ref_pack(const struct rk_call *c, const struct rk_env *e)
{
	(void)c, (void)e;       /* w.w is used as it is */
}

static real
ref_phi(real x)         /* Phi(x), the normal distribution */
{
	return (real)0.5 * (1 + erf(x * (real)0.70710678118654752440));
}

static real
ref_act(real x, enum rk_act act)
{
	switch (act) {
	case RK_RELU:
		return x > 0 ? x : 0;
	case RK_GELU:
		return x * ref_phi(x);
	case RK_TANH:
		return tanh(x);
	case RK_CELU:
		return x > 0 ? x : expm1(x);
	default:
		return x;
	}
}

/* The value of e4m3 nearest to x, ties to even; 448 is the largest. */
static real
ref_e4m3(real x)
{
	int e;
	real step;

	if (x == 0 || isnan(x))
		return x;
	(void)frexp(x, &e);     /* |x| = m 2^e, m in [1/2, 1): three bits of mantissa after the first, or subnormal */
	step = ldexp((real)1, (e > -5 ? e : -5) - 4);
	return fmax((real)-448, fmin((real)448, step * rint(x / step)));
}

/* Rounds x[k] as RK_FP8 does; what a unit of it is worth.  Infinity makes NaN of everything. */
static real
ref_fp8_row(const real *x, int k, real *to)
{
	real top = 0, m, up;
	int e;

	for (int j = 0; j < k; j++)
		top = fmax(top, fabs(x[j]));
	if (isinf(top))
		top = (real)NAN;
	m = frexp(isnan(top) ? (real)1 : top, &e);
	up = ldexp((real)1, (m <= (real)0.875 ? 9 : 8) - (e > -100 ? e : -100));
	for (int j = 0; j < k; j++)
		to[j] = ref_e4m3(x[j] * up);
	return isnan(top) ? top : 1 / up;
}

/* From the sum of products of element (r, i) to pre and y. */
static void
ref_finish(const struct rk_linear *l, size_t r, int i, real s)
{
	const real *bias = l->bias;
	const size_t at = r * l->w.n + i;

	if (bias != NULL)
		s += bias[i];
	if (l->pre != NULL)
		((real *)l->pre)[at] = s;
	((real *)l->y)[at] = ref_act(s, l->act);
}

/* own: the rows of x and one of w, rounded, and what a unit of each row of x is worth. */
static void
ref_linear_fp8(const struct rk_linear *l, size_t rows, real *own)
{
	const int n = l->w.n, k = l->w.k;
	const real *w = l->w.w, *x = l->x;
	real *xs = own + k, *unit = xs + rows * k;

	for (size_t r = 0; r < rows; r++)
		unit[r] = ref_fp8_row(x + r * k, k, xs + r * k);
	for (int i = 0; i < n; i++) {
		const real of_w = ref_fp8_row(w + (size_t)i * k, k, own);

		for (size_t r = 0; r < rows; r++) {
			real s = 0;

			for (int j = 0; j < k; j++)
				s += xs[r * k + j] * own[j];
			ref_finish(l, r, i, s * unit[r] * of_w);
		}
	}
}

static void
ref_linear(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_linear *l = &c->u.linear;
	const int n = l->w.n, k = l->w.k;
	const real *w = l->w.w, *x = l->x;

	if (l->w.precision == RK_FP8 && rk_fp8_takes(n, k)) {
		ref_linear_fp8(l, (size_t)e->live[l->rows], e->own);
		return;
	}
	for (size_t r = 0; r < (size_t)e->live[l->rows]; r++)
		for (int i = 0; i < n; i++) {
			real s = 0;

			for (int j = 0; j < k; j++)
				s += x[r * k + j] * w[(size_t)i * k + j];
			ref_finish(l, r, i, s);
		}
}

static void
ref_linear_back_x(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_linear *l = &c->u.linear;
	const int n = l->w.n, k = l->w.k;
	const real *w = l->w.w, *dy = l->dy;
	real *dx = l->dx;

	for (size_t r = 0; r < (size_t)e->live[l->rows]; r++) {
		if (!l->accumulate)
			memset(dx + r * k, 0, k * sizeof(*dx));
		for (int i = 0; i < n; i++)
			for (int j = 0; j < k; j++)
				dx[r * k + j] += dy[r * n + i] * w[(size_t)i * k + j];
	}
}

static void
ref_linear_back_w(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_linear *l = &c->u.linear;
	const int n = l->w.n, k = l->w.k;
	const real *x = l->x, *dy = l->dy;
	real *dw = l->dw, *dbias = l->dbias;

	for (size_t r = 0; r < (size_t)e->live[l->rows]; r++)
		for (int i = 0; i < n; i++) {
			for (int j = 0; j < k; j++)
				dw[(size_t)i * k + j] += dy[r * n + i] * x[r * k + j];
			if (dbias != NULL)
				dbias[i] += dy[r * n + i];
		}
}

static void
ref_act_back(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_linear *l = &c->u.linear;
	const size_t len = (size_t)e->live[l->rows] * l->w.n;
	const real *y = l->y, *pre = l->pre;
	real *dy = l->dy;

	for (size_t i = 0; i < len; i++) {
		if (l->act == RK_RELU)
			dy[i] = y[i] > 0 ? dy[i] : 0;
		else if (l->act == RK_TANH)
			dy[i] *= 1 - y[i] * y[i];
		else if (l->act == RK_CELU)
			dy[i] *= y[i] > 0 ? 1 : 1 + y[i];
		else if (l->act == RK_GELU)
			dy[i] *= ref_phi(pre[i]) + pre[i] * (real)0.39894228040143267794 * exp(-pre[i] * pre[i] / 2);
	}
}
