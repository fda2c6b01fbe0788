/*
 * cuda_update.cu: weights for products in bf16 (in fp8: cuda_fp8.cu), the norm of the gradient in double in a fixed
 * order, AdamW.
 */
#include "cuda_common.h"
#include "rk_backend.h"

enum { THREADS = 256, CHUNK = RK_SUM_CHUNK };

static __global__ void
__launch_bounds__(THREADS) round_weights(const float *w, bf16 *out, size_t n)
{
	for (size_t i = (size_t)blockIdx.x * THREADS + threadIdx.x; i < n; i += (size_t)gridDim.x * THREADS)
		out[i] = __float2bfloat16_rn(w[i]);
}

cudaError_t
cuda_pack(const struct rk_call *c, struct cuda_run *x)
{
	const struct rk_weight *w = &c->u.pack.w;
	const size_t n = (size_t)w->n * w->k;

	if (w->precision == RK_FP32)
		return cudaSuccess; /* its products take the weights as they are */
	if (w->precision == RK_FP8 && rk_fp8_takes(w->n, w->k))
		return cuda_fp8_pack(w, x);
	LAUNCH(round_weights, dim3(cuda_blocks(n, THREADS * 4, (size_t)x->dev->processors * 32)), dim3(THREADS), 0,
	    x->stream, (const float *)w->w, (bf16 *)w->fwd, n);
	return cudaGetLastError();
}

/* The sum over a block of 256 in the order of a tree, in thread 0; 0 in the others, which do not wait for it. */
__device__ __forceinline__ double
block_sum(double v, double *shared)
{
	shared[threadIdx.x] = v;
	for (int m = THREADS / 2; m > 0; m /= 2) {
		__syncthreads();
		if ((int)threadIdx.x < m)
			shared[threadIdx.x] += shared[threadIdx.x + m];
	}
	return threadIdx.x == 0 ? shared[0] : 0;
}

static __global__ void
__launch_bounds__(THREADS) square_chunks(const float *x, size_t n, double *part)
{
	SHARED_MEMORY(memory);
	const size_t first = (size_t)blockIdx.x * CHUNK, end = first + CHUNK < n ? first + CHUNK : n;
	double s = 0;

	for (size_t i = first + threadIdx.x; i < end; i += THREADS)
		s += (double)x[i] * x[i];
	s = block_sum(s, (double *)memory);
	if (threadIdx.x == 0)
		part[blockIdx.x] = s;
}

static __global__ void
__launch_bounds__(THREADS) add_chunks(const double *part, size_t n, double *out)
{
	SHARED_MEMORY(memory);
	double s = 0;

	for (size_t i = threadIdx.x; i < n; i += THREADS)
		s += part[i];
	s = block_sum(s, (double *)memory);
	if (threadIdx.x == 0)
		*out = s;
}

cudaError_t
cuda_sum_squares(const struct rk_call *c, struct cuda_run *x)
{
	const struct rk_sum_squares *o = &c->u.sum_squares;
	const size_t chunks = (o->n + CHUNK - 1) / CHUNK;
	const dim3 block(THREADS);

	if (chunks > 0)
		LAUNCH(square_chunks, dim3((unsigned)chunks), block, THREADS * sizeof(double), x->stream,
		    (const float *)o->x, o->n, o->scratch);
	LAUNCH(add_chunks, dim3(1), block, THREADS * sizeof(double), x->stream, o->scratch, chunks, o->out);
	return cudaGetLastError();
}

/* What every element of a step needs, computed once a block. */
struct adam_factors {
	float clip, decay, rate, one_beta1, beta2, one_beta2, root, eps;
};

static __global__ void
__launch_bounds__(THREADS) adamw(struct rk_adamw o)
{
	SHARED_MEMORY(memory);
	struct adam_factors *f = (struct adam_factors *)memory;

	if (threadIdx.x == 0) {
		const struct rk_adamw_step s = *o.step;
		const double clip = o.norm2 != NULL && s.clip > 0 ? s.clip / (sqrt(*o.norm2) + 1e-6) : 1;

		*f = {(float)(clip < 1 ? clip : 1), (float)(s.lr * s.weight_decay),
		    (float)(s.lr / (1 - pow(s.beta1, (double)s.t))), (float)(1 - s.beta1), (float)s.beta2,
		    (float)(1 - s.beta2), (float)sqrt(1 - pow(s.beta2, (double)s.t)), (float)s.eps};
	}
	__syncthreads();
	const struct adam_factors k = *f;
	float *p = (float *)o.p, *m = (float *)o.m, *v = (float *)o.v;

	for (size_t i = (size_t)blockIdx.x * THREADS + threadIdx.x; i < o.n; i += (size_t)gridDim.x * THREADS) {
		const float g = ((const float *)o.g)[i] * k.clip;
		float w = p[i], mi = m[i], vi = v[i];

		if (o.decay[i / 64])
			w -= k.decay * w;
		mi += k.one_beta1 * (g - mi);
		vi = k.beta2 * vi + k.one_beta2 * g * g;
		p[i] = w - k.rate * mi / (sqrtf(vi) / k.root + k.eps);
		m[i] = mi;
		v[i] = vi;
	}
}

cudaError_t
cuda_adamw(const struct rk_call *c, struct cuda_run *x)
{
	const struct rk_adamw *o = &c->u.adamw;

	LAUNCH(adamw, dim3(cuda_blocks(o->n, THREADS * 4, (size_t)x->dev->processors * 16)), dim3(THREADS),
	    sizeof(struct adam_factors), x->stream, *o);
	return cudaGetLastError();
}
