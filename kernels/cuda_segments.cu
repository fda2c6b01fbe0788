/*
 * cuda_segments.cu: sums, means and softmax over segments of rows.  A warp has a segment; its rows are added in order.
 */
#include "cuda_common.h"

enum { THREADS = 256, WARPS = THREADS / 32 };

#define EACH_SEGMENT(b) for (int b = blockIdx.x * WARPS + threadIdx.x / 32; b < live[o.rows]; b += gridDim.x * WARPS)

template <class T>
__device__ __forceinline__ float
weight_of(const struct rk_segments &o, int b, int row)
{
	return o.weight != NULL ? to_float(((const T *)o.weight)[row]) : 1 / (float)o.count[b];
}

template <class T>
static __global__ void
__launch_bounds__(THREADS) sum_segments(struct rk_segments o, const int32_t *live)
{
	const int lane = threadIdx.x % 32, n = o.columns;

	EACH_SEGMENT(b)
	for (int i = lane; i < n; i += 32) {
		float s = 0;

		for (int r = o.first[b]; r < o.first[b] + o.count[b]; r++)
			s += weight_of<T>(o, b, r) * to_float(((const T *)o.x)[(size_t)r * n + i]);
		((T *)o.y)[(size_t)b * n + i] = from_float<T>(s);
	}
}

template <class T>
static __global__ void
__launch_bounds__(THREADS, 5) sum_segments_back(struct rk_segments o, const int32_t *live)
{
	const int lane = threadIdx.x % 32, n = o.columns;

	EACH_SEGMENT(b)
	for (int r = o.first[b]; r < o.first[b] + o.count[b]; r++) {
		const float w = weight_of<T>(o, b, r);
		float dot = 0;

		for (int i = lane; i < n; i += 32) {
			const float dy = to_float(((const T *)o.dy)[(size_t)b * n + i]);
			T *dx = (T *)o.dx + (size_t)r * n + i;

			*dx = from_float<T>(to_float(*dx) + w * dy);
			dot += to_float(((const T *)o.x)[(size_t)r * n + i]) * dy;
		}
		dot = warp_sum(dot);
		if (o.dweight != NULL && lane == 0) {
			T *dw = (T *)o.dweight + r;

			*dw = from_float<T>(to_float(*dw) + dot);
		}
	}
}

template <class T>
static __global__ void
__launch_bounds__(THREADS) soften_segments(struct rk_segments o, const int32_t *live)
{
	const int lane = threadIdx.x % 32;

	EACH_SEGMENT(b)
	{
		const T *x = (const T *)o.x + o.first[b];
		T *y = (T *)o.y + o.first[b];
		float top = -INFINITY, sum = 0;

		for (int r = lane; r < o.count[b]; r += 32)
			top = fmaxf(top, to_float(x[r]));
		top = warp_max(top);
		for (int r = lane; r < o.count[b]; r += 32)
			sum += expf(to_float(x[r]) - top);
		sum = warp_sum(sum);
		for (int r = lane; r < o.count[b]; r += 32)
			y[r] = from_float<T>(expf(to_float(x[r]) - top) / sum);
	}
}

template <class T>
static __global__ void
__launch_bounds__(THREADS) soften_segments_back(struct rk_segments o, const int32_t *live)
{
	const int lane = threadIdx.x % 32;

	EACH_SEGMENT(b)
	{
		const T *y = (const T *)o.y + o.first[b], *dy = (const T *)o.dy + o.first[b];
		T *dx = (T *)o.dx + o.first[b];
		float dot = 0;

		for (int r = lane; r < o.count[b]; r += 32)
			dot += to_float(y[r]) * to_float(dy[r]);
		dot = warp_sum(dot);
		for (int r = lane; r < o.count[b]; r += 32)
			dx[r] = from_float<T>(to_float(dx[r]) + to_float(y[r]) * (to_float(dy[r]) - dot));
	}
}

#define SEGMENT_OP(name, kernel)                                                                                       \
	cudaError_t cuda_##name(const struct rk_call *c, struct cuda_run *x)                                           \
	{                                                                                                              \
		const struct rk_segments *o = &c->u.segments;                                                          \
		void (*f)(struct rk_segments, const int32_t *) = c->store == RK_BF16 ? kernel<bf16> : kernel<float>;   \
                                                                                                                       \
		LAUNCH(f, dim3(cuda_blocks(o->cap, WARPS, (size_t)x->dev->processors * 16)), dim3(THREADS), 0,         \
		    x->stream, *o, x->live);                                                                           \
		return cudaGetLastError();                                                                             \
	}

SEGMENT_OP(segment_sum, sum_segments)
SEGMENT_OP(segment_sum_back, sum_segments_back)
SEGMENT_OP(segment_softmax, soften_segments)
SEGMENT_OP(segment_softmax_back, soften_segments_back)
