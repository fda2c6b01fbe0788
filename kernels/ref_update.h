/*
 * ref_update.h: gradient norm and AdamW.  Text of ref_ops.h.
 */

static void
ref_sum_squares(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_sum_squares *o = &c->u.sum_squares;
	const real *x = o->x;
	double s = 0;

	(void)e;
	for (size_t i = 0; i < o->n; i++)
		s += (double)x[i] * x[i];
	*o->out = s;
}

static void
ref_adamw(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_adamw *o = &c->u.adamw;
	const struct rk_adamw_step *s = o->step;
	const double fix1 = 1 - pow(s->beta1, (double)s->t), fix2 = sqrt(1 - pow(s->beta2, (double)s->t));
	const real *g = o->g;
	real *p = o->p, *m = o->m, *v = o->v;
	double factor = 1;

	(void)e;
	if (o->norm2 != NULL && s->clip > 0)
		factor = s->clip / (sqrt(*o->norm2) + 1e-6);
	factor = factor < 1 ? factor : 1;
	for (size_t i = 0; i < o->n; i++) {
		real gi = g[i] * (real)factor;

		if (o->decay[i / 64])
			p[i] -= (real)(s->lr * s->weight_decay) * p[i];
		m[i] += (real)(1 - s->beta1) * (gi - m[i]);
		v[i] = (real)s->beta2 * v[i] + (real)(1 - s->beta2) * gi * gi;
		p[i] -= (real)(s->lr / fix1) * m[i] / (sqrt(v[i]) / (real)fix2 + (real)s->eps);
	}
}
