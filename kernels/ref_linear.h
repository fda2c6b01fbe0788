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

static void
ref_linear(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_linear *l = &c->u.linear;
	const int n = l->w.n, k = l->w.k;
	const real *w = l->w.w, *bias = l->bias, *x = l->x;
	real *y = l->y, *pre = l->pre;

	for (size_t r = 0; r < (size_t)e->live[l->rows]; r++)
		for (int i = 0; i < n; i++) {
			real s = 0;

			for (int j = 0; j < k; j++)
				s += x[r * k + j] * w[(size_t)i * k + j];
			if (bias != NULL)
				s += bias[i];
			if (pre != NULL)
				pre[r * n + i] = s;
			y[r * n + i] = ref_act(s, l->act);
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
