/*
 * cpu_update.h: gradient norm and AdamW.
 */
#ifndef CPU_UPDATE_H
#define CPU_UPDATE_H

#include "simd.h"

static double
chunk_squares(const float *x, size_t n)
{
	vd s[4] = { { 0 } };
	double sum = 0;
	size_t i = 0;

	for (; i + 4 * VDL <= n; i += 4 * VDL)
		for (int j = 0; j < 4; j++) {
			vd v = vd_load_float(x + i + j * VDL);

			s[j] += v * v;
		}
	for (int j = 0; j < 4; j++)
		for (int k = 0; k < VDL; k++)
			sum += s[j][k];
	for (; i < n; i++)
		sum += (double)x[i] * x[i];
	return sum;
}

static void
cpu_sum_squares(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_sum_squares *o = &c->u.sum_squares;
	const size_t n = (o->n + RK_SUM_CHUNK - 1) / RK_SUM_CHUNK;

	(void)e;
#pragma omp for schedule(static)
	for (size_t i = 0; i < n; i++)
		o->scratch[i] = chunk_squares((const float *)o->x + i * RK_SUM_CHUNK,
		    i + 1 < n ? RK_SUM_CHUNK : o->n - i * RK_SUM_CHUNK);
#pragma omp single
	{
		double sum = 0;

		for (size_t i = 0; i < n; i++)
			sum += o->scratch[i];
		*o->out = sum;
	}
}

/* The numbers of a step, ready for use. */
struct adamw { float clip, shrink, beta1, beta2, rate, fix2, eps; };

static struct adamw
adamw_init(const struct rk_adamw *o)
{
	const struct rk_adamw_step *s = o->step;
	double clip = 1;

	if (o->norm2 != NULL && s->clip > 0)
		clip = s->clip / (sqrt(*o->norm2) + 1e-6);
	return (struct adamw){
		.clip = clip > 1 ? 1 : (float)clip,     /* NaN stays: the step must not look sane */
		.shrink = (float)(1 - s->lr * s->weight_decay),
		.beta1 = (float)(1 - s->beta1),
		.beta2 = (float)s->beta2,
		.rate = (float)(s->lr / (1 - pow(s->beta1, (double)s->t))),
		.fix2 = (float)sqrt(1 - pow(s->beta2, (double)s->t)),
		.eps = (float)s->eps,
	};
}

/* One block of up to 64 elements, of one decay. */
INLINE void
adamw_block(const struct adamw *a, int decay, float beta2, float *p, const float *g, float *m, float *v, int n)
{
	for (int i = 0; i < n; i += VL) {
		const int left = n - i;
		vf gi = vf_load_tail(g + i, left) * a->clip, pi = vf_load_tail(p + i, left);
		vf mi = vf_load_tail(m + i, left), si = vf_load_tail(v + i, left);

		if (decay)
			pi *= a->shrink;
		mi = vf_fma(gi - mi, vf_set1(a->beta1), mi);
		si = vf_fma(gi * beta2, gi, si * a->beta2);
		vf_store_tail(m + i, mi, left);
		vf_store_tail(v + i, si, left);
		vf_store_tail(p + i, pi - mi / (vf_sqrt(si) / a->fix2 + a->eps) * a->rate, left);
	}
}

static void
cpu_adamw(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_adamw *o = &c->u.adamw;
	const struct adamw a = adamw_init(o);
	const float beta2 = (float)(1 - o->step->beta2);

	(void)e;
#pragma omp for schedule(static)
	for (size_t b = 0; b < (o->n + 63) / 64; b++) {
		const size_t i = b * 64;

		adamw_block(&a, o->decay[b], beta2, (float *)o->p + i, (const float *)o->g + i, (float *)o->m + i,
		    (float *)o->v + i, o->n - i < 64 ? (int)(o->n - i) : 64);
	}
}

#endif
