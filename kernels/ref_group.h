/*
 * ref_group.h: norm over all rows of a group, with activation, dropout and residual after it.  Text of ref_ops.h.
 */

/* Rows of group g. */
static void
ref_group_rows(const struct rk_group_norm *o, int g, size_t *from, size_t *to)
{
	*from = o->first != NULL ? (size_t)o->first[g] : (size_t)g;
	*to = o->first != NULL ? (size_t)o->first[g + 1] : (size_t)g + 1;
}

static int
ref_groups(const struct rk_group_norm *o, const struct rk_env *e)
{
	return e->live[o->first != NULL ? o->groups : o->rows];
}

static void
ref_group_norm(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_group_norm *o = &c->u.group_norm;
	const size_t n = o->columns;
	const real *x = o->x, *gamma = o->gamma, *beta = o->beta, *residual = o->residual;
	real *y = o->y;

	for (int g = 0; g < ref_groups(o, e); g++) {
		real *stats = (real *)o->stats + 2 * (size_t)g;
		real mean = 0, var = 0;
		size_t from, to;

		ref_group_rows(o, g, &from, &to);
		for (size_t i = from * n; i < to * n; i++)
			mean += x[i] / ((to - from) * n);
		for (size_t i = from * n; i < to * n; i++)
			var += (x[i] - mean) * (x[i] - mean) / ((to - from) * n);
		stats[0] = mean;
		stats[1] = 1 / sqrt(var + (real)o->eps);
		for (size_t i = from * n; i < to * n; i++) {
			real u = ref_act((x[i] - mean) * stats[1] * gamma[i % n] + beta[i % n], o->act);

			y[i] = u * ref_keep(&o->drop, 0, i / n, i % n) + (residual != NULL ? residual[i] : 0);
		}
	}
}

/* The derivative of an activation at u. */
static real
ref_slope(real u, enum rk_act act)
{
	return act == RK_NONE || u > 0 ? 1 : act == RK_CELU ? exp(u) : 0;
}

static void
ref_group_norm_back(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_group_norm *o = &c->u.group_norm;
	const size_t n = o->columns;
	const real *x = o->x, *gamma = o->gamma, *beta = o->beta, *dy = o->dy;
	real *dgamma = o->dgamma, *dbeta = o->dbeta, *dx = o->dx, *dresidual = o->dresidual;

	for (int g = 0; g < ref_groups(o, e); g++) {
		const real *stats = (const real *)o->stats + 2 * (size_t)g;
		real a = 0, b = 0;
		size_t from, to;

		ref_group_rows(o, g, &from, &to);
		for (size_t i = from * n; i < to * n; i++) {
			const real zhat = (x[i] - stats[0]) * stats[1], u = zhat * gamma[i % n] + beta[i % n];
			const real d = dy[i] * ref_keep(&o->drop, 0, i / n, i % n) * ref_slope(u, o->act);

			if (dresidual != NULL)
				dresidual[i] = dy[i];
			dgamma[i % n] += d * zhat;
			dbeta[i % n] += d;
			a += d * gamma[i % n] / ((to - from) * n);
			b += d * gamma[i % n] * zhat / ((to - from) * n);
			dx[i] = d * gamma[i % n];
		}
		for (size_t i = from * n; i < to * n; i++)
			dx[i] = stats[1] * (dx[i] - a - (x[i] - stats[0]) * stats[1] * b);
	}
}
