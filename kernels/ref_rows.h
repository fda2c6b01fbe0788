/*
 * ref_rows.h: ops on whole rows: gather, scatter, dropout, sum, and the loss.  Text of ref_ops.h.
 */

static void
ref_gather(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_rows *o = &c->u.rows;
	const size_t n = o->columns;

	for (size_t r = 0; r < (size_t)e->live[o->rows]; r++)
		memcpy((real *)o->y + r * n, (const real *)o->x + o->index[r] * n, n * sizeof(real));
}

static void
ref_scatter_add(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_rows *o = &c->u.rows;
	const size_t n = o->columns;

	for (size_t r = 0; r < (size_t)e->live[o->rows]; r++) {
		const real *y = (const real *)o->y + r * n;
		real *x = (real *)o->x + o->index[r] * n;

		for (size_t i = 0; i < n; i++)
			x[i] += y[i];
	}
}

static void
ref_dropout(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_drop_rows *o = &c->u.drop_rows;
	const size_t n = o->columns;

	for (size_t r = 0; r < (size_t)e->live[o->rows]; r++) {
		const int key = o->index != NULL && o->drop.p > 0 ? o->index[r] : (int)r;

		for (size_t i = 0; i < n; i++)
			((real *)o->y)[r * n + i] = ((const real *)o->x)[r * n + i] * ref_keep(&o->drop, 0, key, i);
	}
}

static void
ref_lookup(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_lookup *o = &c->u.lookup;
	const size_t n = o->columns;

	for (size_t r = 0; r < (size_t)e->live[RK_LIVE_TOKENS]; r++)
		memcpy((real *)o->y + r * n, (const real *)o->table + o->id[r] * n, n * sizeof(real));
}

static void
ref_lookup_back(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_lookup *o = &c->u.lookup;
	const size_t n = o->columns;

	for (size_t r = 0; r < (size_t)e->live[RK_LIVE_TOKENS]; r++)
		for (size_t i = 0; o->id[r] != o->pad && i < n; i++)
			((real *)o->dtable)[o->id[r] * n + i] += ((const real *)o->dy)[r * n + i];
}

static void
ref_columns(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_columns *o = &c->u.columns;

	for (size_t r = 0; r < (size_t)e->live[o->rows]; r++) {
		const real *x = (const real *)o->x + r * o->x_columns + o->x_at;
		real *y = (real *)o->y + r * o->y_columns + o->y_at;

		for (int i = 0; i < o->columns; i++)
			y[i] = (o->accumulate ? y[i] : 0) + x[i];
	}
}

static void
ref_turn(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_turn *o = &c->u.turn;
	const size_t n = (size_t)o->rows * o->columns;

	for (size_t b = 0; b < (size_t)e->live[RK_LIVE_SEQS]; b++)
		for (int r = 0; r < o->rows; r++)
			for (int i = 0; i < o->columns; i++)
				((real *)o->y)[b * n + (size_t)i * o->rows + r] =
				    ((const real *)o->x)[b * n + (size_t)r * o->columns + i];
}

static void
ref_add(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_add *o = &c->u.add;
	const size_t n = (size_t)e->live[o->rows] * o->columns;
	const real *x = o->x;
	real *y = o->y;

	for (size_t i = 0; i < n; i++)
		y[i] += x[i];
}

static void
ref_zero(const struct rk_call *c, const struct rk_env *e)
{
	(void)e;
	memset(c->u.bytes.p, 0, c->u.bytes.n);
}

/* One row: loss, hit, gradient.  q is the smoothed target: (1 - s) at the target plus s/classes everywhere. */
static void
ref_cross_entropy_row(const struct rk_cross_entropy *o, size_t r)
{
	const int n = o->classes, target = o->target[r];
	const real *z = (const real *)o->logits + r * n, s = o->smoothing;
	real *dz = o->dlogits != NULL ? (real *)o->dlogits + r * n : NULL;
	real sum = 0, loss = 0, lse;
	int best = 0;

	if (target < 0 || target >= n) {
		((real *)o->loss)[r] = 0;
		o->hit[r] = 0;
		if (dz != NULL)
			memset(dz, 0, n * sizeof(*dz));
		return;
	}
	for (int i = 1; i < n; i++)
		best = z[i] > z[best] ? i : best;
	for (int i = 0; i < n; i++)
		sum += exp(z[i] - z[best]);
	lse = z[best] + log(sum);
	for (int i = 0; i < n; i++) {
		real q = (i == target ? 1 - s : 0) + s / n, logp = z[i] - lse;

		loss -= q * logp;
		if (dz != NULL)
			dz[i] = o->weight[r] * (exp(logp) - q);
	}
	((real *)o->loss)[r] = loss;
	o->hit[r] = best == target;
}

static void
ref_cross_entropy(const struct rk_call *c, const struct rk_env *e)
{
	for (size_t r = 0; r < (size_t)e->live[c->u.cross_entropy.rows]; r++)
		ref_cross_entropy_row(&c->u.cross_entropy, r);
}
