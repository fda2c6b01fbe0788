/*
 * rk_backend.h: what stands between rk.c and a host backend: one table of functions.  Private to kernels/.
 *
 * A list runs inside one OpenMP parallel region.  Every thread of the team calls every op; an op shares its work by
 * orphaned `omp for` loops and returns after a barrier.  How work is cut never decides how a value is rounded.
 */
#ifndef RK_BACKEND_H
#define RK_BACKEND_H

#include "rk.h"

struct rk_env {
	const int32_t *live;      /* [RK_NLIVE] */
	void *shared;             /* scratch of the team */
	void *own;                /* scratch of this thread */
	int threads;
};

struct rk_need { size_t shared, own; };    /* bytes of scratch; rk.c rounds up to 64 */

struct rk_backend {
	const char *device, *level;
	size_t real_size;
	int team;                 /* 0: the ops know nothing of threads */
	unsigned precisions;      /* bits 1 << enum rk_precision */
	unsigned backward;        /* precisions that have a backward pass */
	void (*op[RK_NOPS])(const struct rk_call *c, const struct rk_env *e);
	size_t (*pack_size)(int n, int k, enum rk_precision precision, int backward);
	struct rk_need (*need)(const struct rk_call *c, int threads);
};

/* Elements of a partial sum of RK_SUM_SQUARES: the partition is fixed. */
enum { RK_SUM_CHUNK = 8192 };

extern const struct rk_backend rk_ref_f32, rk_ref_f64, rk_cpu_plain;
#if defined(__x86_64__)
extern const struct rk_backend rk_cpu_avx2, rk_cpu_avx512, rk_cpu_avx512bf16;
#endif

#endif
