/*
 * cuda_fp8.cu: linear layers in e4m3 (rk.h, RK_FP8).  Rows of x are rounded before each product, those of w when they
 * are packed: the bytes [n, k], then the scales [n].  Hopper's products scale by rows of both operands, add the bias
 * and take ReLU; elsewhere, and where it is faster, a kernel does that afterwards.
 */
#include "cuda_linear.h"

enum { THREADS = 256, WARPS = THREADS / 32 };

/* 2^e, e -126 to 127 */
static __device__ __forceinline__ float
power(int e)
{
	const uint32_t bits = (uint32_t)(e + 127) << 23;
	float v;

	memcpy(&v, &bits, 4);
	return v;
}

/* The power of two that brings a row's largest magnitude, below infinity, into (224, 448]. */
static __device__ __forceinline__ int
exponent_of(float top)
{
	uint32_t bits;
	int e;

	memcpy(&bits, &top, 4);
	e = max((int)(bits >> 23) - 126, -100); /* top = m 2^e, m in [1/2, 1), or it comes to 0 */
	return ((bits & 0x7fffff) <= 0x600000 ? 9 : 8) - e;
}

/* A warp a row; of x only the live ones (live not NULL), else n of them. */
template <class T>
static __global__ void
__launch_bounds__(THREADS)
    round_rows(const T *x, uint32_t *to, float *scale, int k, int n, const int32_t *live, int rows)
{
	const int lane = threadIdx.x % 32, count = live != NULL ? live[rows] : n;

	for (int r = blockIdx.x * WARPS + threadIdx.x / 32; r < count; r += gridDim.x * WARPS) {
		const T *row = x + (size_t)r * k;
		uint32_t *out = to + (size_t)r * k / 4;
		float v[8], top = 0, up;
		int e;

		for (int c = 8 * lane; c < k; c += 256) {
			load_row8(v, row, c, k);
			for (int i = 0; i < 8; i++)
				top = fmaxf(top, fabsf(v[i]));
		}
		top = warp_max(top);
		e = top < INFINITY ? exponent_of(top) : 0;
		up = power(e);
		for (int c = 8 * lane; c < k; c += 256) {
			load_row8(v, row, c, k);
			out[c / 4] = four_e4m3(v[0] * up, v[1] * up, v[2] * up, v[3] * up);
			out[c / 4 + 1] = four_e4m3(v[4] * up, v[5] * up, v[6] * up, v[7] * up);
		}
		if (lane == 0)
			scale[r] = top < INFINITY ? power(-e) : NAN;
	}
}

/* y = act(y scales + bias), 8 columns of a row at a time. */
static __global__ void
__launch_bounds__(THREADS) finish_fp8(bf16 *y, const float *of_x, const float *of_w, const float *bias, enum rk_act act,
    int n, const int32_t *live, int rows)
{
	EACH(i, (size_t)live[rows] * (n / 8), THREADS)
	{
		const int r = (int)(i / (n / 8)), c = (int)(i % (n / 8)) * 8;
		float v[8];

		load_row8(v, y + (size_t)r * n, c, n);
		for (int k = 0; k < 8; k++)
			v[k] = act_of(act, v[k] * of_x[r] * of_w[c + k] + (bias != NULL ? bias[c + k] : 0));
		store_row8(y + (size_t)r * n, c, n, v);
	}
}

static const float *
scales_of(const struct rk_weight *w)
{
	return (const float *)((const char *)w->fwd + cuda_align((size_t)w->n * w->k));
}

size_t
cuda_fp8_pack_size(int n, int k)
{
	return cuda_align((size_t)n * k) + n * sizeof(float);
}

cudaError_t
cuda_fp8_pack(const struct rk_weight *w, struct cuda_run *x)
{
	LAUNCH(round_rows<float>, dim3(cuda_blocks(w->n, WARPS, (size_t)x->dev->processors * 16)), dim3(THREADS), 0,
	    x->stream, (const float *)w->w, (uint32_t *)w->fwd, (float *)scales_of(w), w->k, w->n,
	    (const int32_t *)NULL, 0);
	return cudaGetLastError();
}

/* Scratch: x in bytes, its scales, the bias in bf16. */
size_t
cuda_fp8_scratch(const struct rk_linear *o)
{
	return cuda_align((size_t)o->cap * o->w.k) + cuda_align(o->cap * sizeof(float)) +
	       cuda_align(o->w.n * sizeof(bf16));
}

cudaError_t
cuda_fp8_finish(const struct rk_linear *o, const struct product_data *at, struct cuda_run *x)
{
	LAUNCH(finish_fp8, dim3(cuda_blocks((size_t)o->cap * o->w.n / 8, THREADS, (size_t)x->dev->processors * 32)),
	    dim3(THREADS), 0, x->stream, (bf16 *)o->y, at->scale_b, at->scale_a, (const float *)o->bias, o->act, o->w.n,
	    x->live, o->rows);
	return cudaGetLastError();
}

cudaError_t
cuda_fp8_linear(const struct rk_linear *o, struct product *p, struct cuda_run *x)
{
	float *scales = (float *)(x->scratch + cuda_align((size_t)o->cap * o->w.k));
	char *bias = (char *)scales + cuda_align(o->cap * sizeof(float));
	const struct product_data at = {o->w.fwd, x->scratch, bias, o->y, scales_of(&o->w), scales};
	cudaError_t e;

	LAUNCH(round_rows<bf16>, dim3(cuda_blocks(o->cap, WARPS, (size_t)x->dev->processors * 16)), dim3(THREADS), 0,
	    x->stream, (const bf16 *)o->x, (uint32_t *)x->scratch, scales, o->w.k, 0, x->live, o->rows);
	e = cudaGetLastError();
	if (e == cudaSuccess && p->fused && o->bias != NULL)
		e = cuda_round_bias(o->bias, bias, o->w.n, x);
	if (e == cudaSuccess)
		e = cuda_product(x->dev->linear, p, &at, x->stream);
	if (e != cudaSuccess)
		return e;
	if (!p->fused)
		return cuda_fp8_finish(o, &at, x);
	return o->act == RK_NONE || p->key.relu ? cudaSuccess : cuda_finish_linear(o, RK_BF16, 0, x);
}
