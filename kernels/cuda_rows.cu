/*
 * cuda_rows.cu: ops on whole rows: gather, scatter, dropout, sum, gradient of an activation, loss.
 */
#include "cuda_common.h"

enum { THREADS = 256, WARPS = THREADS / 32 };

static unsigned
grid_of(size_t elements, const struct cuda_run *x)
{
	return cuda_blocks(elements, THREADS, (size_t)x->dev->processors * 32);
}

template <class T>
static __global__ void
__launch_bounds__(THREADS) gather_rows(const T *x, T *y, const int32_t *index, int n, const int32_t *live, int rows)
{
	EACH(i, (size_t)live[rows] * n, THREADS)
	y[i] = x[(size_t)index[i / n] * n + i % n];
}

template <class T>
static __global__ void
__launch_bounds__(THREADS) scatter_rows(T *x, const T *y, const int32_t *index, int n, const int32_t *live, int rows)
{
	EACH(i, (size_t)live[rows] * n, THREADS)
	{
		T *to = x + (size_t)index[i / n] * n + i % n;

		*to = from_float<T>(to_float(*to) + to_float(y[i]));
	}
}

template <class T>
static __global__ void
__launch_bounds__(THREADS)
    drop_rows(const T *x, T *y, const int32_t *index, struct drop d, int n, const int32_t *live, int rows)
{
	EACH(i, (size_t)live[rows] * n, THREADS)
	y[i] = from_float<T>(
	    to_float(x[i]) *
	    (d.below ? kept(d, d.key[index != NULL ? (size_t)index[i / n] : i / n], d.site, (uint32_t)(i % n)) : 1));
}

template <class T>
static __global__ void
__launch_bounds__(THREADS) add_rows(const T *x, T *y, int n, const int32_t *live, int rows)
{
	EACH(i, (size_t)live[rows] * n, THREADS)
	y[i] = from_float<T>(to_float(y[i]) + to_float(x[i]));
}

/* A warp has a row. */
template <class T>
static __global__ void
__launch_bounds__(THREADS) entropy_rows(struct rk_cross_entropy o, const int32_t *live)
{
	const int lane = threadIdx.x % 32, n = o.classes, end = live[o.rows];
	const float smooth = o.smoothing;

	for (int r = blockIdx.x * WARPS + threadIdx.x / 32; r < end; r += gridDim.x * WARPS) {
		const T *z = (const T *)o.logits + (size_t)r * n;
		T *dz = o.dlogits != NULL ? (T *)o.dlogits + (size_t)r * n : NULL;
		const int target = o.target[r], counts = target >= 0 && target < n;
		float top = -INFINITY, sum = 0, loss = 0, lse;
		int best = 0;

		for (int i = lane; i < n; i += 32)
			if (to_float(z[i]) > top) {
				top = to_float(z[i]);
				best = i;
			}
#pragma unroll
		for (int m = 16; m > 0; m /= 2) {
			const float other = __shfl_xor_sync(~0u, top, m);
			const int at = __shfl_xor_sync(~0u, best, m);

			if (other > top || (other == top && at < best)) {
				top = other;
				best = at;
			}
		}
		for (int i = lane; i < n; i += 32)
			sum += expf(to_float(z[i]) - top);
		lse = top + logf(warp_sum(sum));
		for (int i = lane; i < n; i += 32) {
			const float q = (i == target ? 1 - smooth : 0) + smooth / n, logp = to_float(z[i]) - lse;

			loss -= q * logp;
			if (dz != NULL)
				dz[i] = from_float<T>(counts ? o.weight[r] * (expf(logp) - q) : 0);
		}
		loss = warp_sum(loss);
		if (lane == 0) {
			((float *)o.loss)[r] = counts ? loss : 0;
			o.hit[r] = counts && best == target;
		}
	}
}

/* The kernel of an element type, on so many elements. */
#define BY_STORE(kernel, elements, ...)                                                                                \
	do {                                                                                                           \
		const dim3 grid(grid_of(elements, x));                                                                 \
		if (c->store == RK_BF16) {                                                                             \
			typedef bf16 T;                                                                                \
			LAUNCH(kernel<T>, grid, dim3(THREADS), 0, x->stream, __VA_ARGS__);                             \
		} else {                                                                                               \
			typedef float T;                                                                               \
			LAUNCH(kernel<T>, grid, dim3(THREADS), 0, x->stream, __VA_ARGS__);                             \
		}                                                                                                      \
		return cudaGetLastError();                                                                             \
	} while (0)

cudaError_t
cuda_gather(const struct rk_call *c, struct cuda_run *x)
{
	const struct rk_rows *o = &c->u.rows;

	BY_STORE(gather_rows, (size_t)o->cap * o->columns, (const T *)o->x, (T *)o->y, o->index, o->columns, x->live,
	    o->rows);
}

cudaError_t
cuda_scatter_add(const struct rk_call *c, struct cuda_run *x)
{
	const struct rk_rows *o = &c->u.rows;

	BY_STORE(scatter_rows, (size_t)o->cap * o->columns, (T *)o->x, (const T *)o->y, o->index, o->columns, x->live,
	    o->rows);
}

cudaError_t
cuda_dropout(const struct rk_call *c, struct cuda_run *x)
{
	const struct rk_drop_rows *o = &c->u.drop_rows;

	BY_STORE(drop_rows, (size_t)o->cap * o->columns, (const T *)o->x, (T *)o->y, o->index, cuda_drop(&o->drop),
	    o->columns, x->live, o->rows);
}

cudaError_t
cuda_add(const struct rk_call *c, struct cuda_run *x)
{
	const struct rk_add *o = &c->u.add;

	BY_STORE(add_rows, (size_t)o->cap * o->columns, (const T *)o->x, (T *)o->y, o->columns, x->live, o->rows);
}

size_t
cuda_act_back_scratch(const struct rk_call *c)
{
	return cuda_column_scratch(c->u.linear.w.n);
}

cudaError_t
cuda_act_back(const struct rk_call *c, struct cuda_run *x)
{
	return c->u.linear.act != RK_NONE ? cuda_act_back_sums(&c->u.linear, c->store, x->dbias, x) : cudaSuccess;
}

cudaError_t
cuda_cross_entropy(const struct rk_call *c, struct cuda_run *x)
{
	const struct rk_cross_entropy *o = &c->u.cross_entropy;

	BY_STORE(entropy_rows, (size_t)o->cap * 32, *o, x->live);
}

cudaError_t
cuda_zero(const struct rk_call *c, struct cuda_run *x)
{
	return cudaMemsetAsync(c->u.bytes.p, 0, c->u.bytes.n, x->stream);
}
