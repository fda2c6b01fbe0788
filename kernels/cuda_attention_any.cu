/*
 * cuda_attention_any.cu: attention for any head and element, in fp32: what cuda_attention_mma.cu can't.  A warp has one
 * query, or one key in the backward pass; its row of scores lies in shared memory.  Sums are in a fixed order.
 */
#include "cuda_attention.h"

enum { WARPS = 4 };

/* q . k for the keys lane, lane + 32, ...: one lane a key; the query's row is the same for all. */
template <class T>
__device__ __forceinline__ float
dot(const T *a, const T *b, int n)
{
	float s = 0;

	for (int i = 0; i < n; i++)
		s += to_float(a[i]) * to_float(b[i]);
	return s;
}

/* One row of a tile: rows are shared out to the warps of its block. */
struct row {
	int first, len, at, head;
};

/* The row that a warp has in turn; 0 when there is none left. */
__device__ __forceinline__ int
row_of(const struct attention &a, int turn, struct row *r)
{
	const int item = (blockIdx.x + turn * (int)gridDim.x) * WARPS + (int)threadIdx.x / 32;
	const int tile = item / (a.heads * TILE), in_tile = item / a.heads % TILE;

	if (tile >= *a.tiles.count)
		return 0;
	const int2 t = a.tiles.list[tile];

	r->first = a.offsets[t.x];
	r->len = a.offsets[t.x + 1] - r->first;
	r->at = t.y + in_tile;
	r->head = item % a.heads;
	return 1;
}

template <class T> static __global__ void __launch_bounds__(32 * WARPS) attend_row(struct attention a)
{
	SHARED_MEMORY(memory);
	const int lane = threadIdx.x % 32, d = a.dim, hidden = a.heads * d, ld = 3 * hidden;
	float *p = (float *)memory + (size_t)(threadIdx.x / 32) * 2 * a.max_len;
	struct row r;

	for (int turn = 0; row_of(a, turn, &r); turn++) {
		const T *q = (const T *)a.qkv + (size_t)(r.first + r.at) * ld + r.head * d;
		const T *k = (const T *)a.qkv + (size_t)r.first * ld + hidden + r.head * d, *v = k + hidden;
		const int len = r.at < r.len ? r.len : 0;
		T *out = (T *)a.o + (size_t)(r.first + r.at) * hidden + r.head * d;
		float top = -INFINITY, sum = 0;

		for (int j = lane; j < len; j += 32) {
			p[j] = a.scale * dot(q, k + (size_t)j * ld, d);
			top = fmaxf(top, p[j]);
		}
		top = warp_max(top);
		for (int j = lane; j < len; j += 32)
			sum += p[j] = expf(p[j] - top);
		sum = warp_sum(sum);
		for (int j = lane; j < len; j += 32)
			p[j] = p[j] / sum *
			       (a.drop.below ? kept(a.drop, a.drop.key[r.first + r.at], a.drop.site + r.head, j) : 1);
		__syncwarp();
		for (int i = lane; len > 0 && i < d; i += 32) {
			float s = 0;

			for (int j = 0; j < len; j++)
				s += p[j] * to_float(v[(size_t)j * ld + i]);
			out[i] = from_float<T>(s);
		}
		if (a.lse != NULL && lane == 0 && len > 0)
			a.lse[(size_t)(r.first + r.at) * a.heads + r.head] = top + logf(sum);
		__syncwarp();
	}
}

template <class T> static __global__ void __launch_bounds__(32 * WARPS) attend_row_back_q(struct attention a)
{
	SHARED_MEMORY(memory);
	const int lane = threadIdx.x % 32, d = a.dim, hidden = a.heads * d, ld = 3 * hidden;
	float *ds = (float *)memory + (size_t)(threadIdx.x / 32) * 2 * a.max_len;
	struct row r;

	for (int turn = 0; row_of(a, turn, &r); turn++) {
		const size_t token = r.first + r.at;
		const T *q = (const T *)a.qkv + token * ld + r.head * d;
		const T *k = (const T *)a.qkv + (size_t)r.first * ld + hidden + r.head * d, *v = k + hidden;
		const T *g = (const T *)a.dout + token * hidden + r.head * d,
			*o = (const T *)a.o + token * hidden + r.head * d;
		const int len = r.at < r.len ? r.len : 0;
		T *dq = (T *)a.dqkv + token * ld + r.head * d;
		float delta = 0;

		for (int i = lane; len > 0 && i < d; i += 32)
			delta += to_float(g[i]) * to_float(o[i]);
		delta = warp_sum(delta);
		if (lane == 0 && len > 0)
			a.delta[token * a.heads + r.head] = delta;
		for (int j = lane; j < len; j += 32) {
			const float keep = a.drop.below ? kept(a.drop, a.drop.key[token], a.drop.site + r.head, j) : 1;
			const float p = expf(a.scale * dot(q, k + (size_t)j * ld, d) - a.lse[token * a.heads + r.head]);

			ds[j] = a.scale * p * (keep * dot(g, v + (size_t)j * ld, d) - delta);
		}
		__syncwarp();
		for (int i = lane; len > 0 && i < d; i += 32) {
			float s = 0;

			for (int j = 0; j < len; j++)
				s += ds[j] * to_float(k[(size_t)j * ld + i]);
			dq[i] = from_float<T>(s);
		}
		__syncwarp();
	}
}

template <class T> static __global__ void __launch_bounds__(32 * WARPS) attend_row_back_kv(struct attention a)
{
	SHARED_MEMORY(memory);
	const int lane = threadIdx.x % 32, d = a.dim, hidden = a.heads * d, ld = 3 * hidden;
	float *p = (float *)memory + (size_t)(threadIdx.x / 32) * 2 * a.max_len, *ds = p + a.max_len;
	struct row r;

	for (int turn = 0; row_of(a, turn, &r); turn++) {
		const T *q = (const T *)a.qkv + (size_t)r.first * ld + r.head * d;
		const T *k = q + hidden + (size_t)r.at * ld, *v = k + hidden;
		const T *g = (const T *)a.dout + (size_t)r.first * hidden + r.head * d;
		const int len = r.at < r.len ? r.len : 0;
		T *dk = (T *)a.dqkv + (size_t)(r.first + r.at) * ld + hidden + r.head * d, *dv = dk + hidden;

		for (int t = lane; t < len; t += 32) {
			const size_t at = (size_t)(r.first + t) * a.heads + r.head;
			const float keep =
			    a.drop.below ? kept(a.drop, a.drop.key[r.first + t], a.drop.site + r.head, r.at) : 1;
			const float prob = expf(a.scale * dot(q + (size_t)t * ld, k, d) - a.lse[at]);

			p[t] = keep * prob;
			ds[t] = a.scale * prob * (keep * dot(g + (size_t)t * hidden, v, d) - a.delta[at]);
		}
		__syncwarp();
		for (int i = lane; len > 0 && i < d; i += 32) {
			float sk = 0, sv = 0;

			for (int t = 0; t < len; t++) {
				sk += ds[t] * to_float(q[(size_t)t * ld + i]);
				sv += p[t] * to_float(g[(size_t)t * hidden + i]);
			}
			dk[i] = from_float<T>(sk);
			dv[i] = from_float<T>(sv);
		}
		__syncwarp();
	}
}

size_t
cuda_attention_any_shared(int, int max_len)
{
	return (size_t)WARPS * 2 * max_len * sizeof(float);
}

static cudaError_t
launch(void (*kernel)(struct attention), const struct attention *a, struct cuda_run *x)
{
	const size_t shared = cuda_attention_any_shared(a->dim, a->max_len);
	const cudaError_t e = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)shared);

	if (e != cudaSuccess)
		return e;
	LAUNCH(kernel, dim3(x->dev->processors * 16), dim3(32 * WARPS), shared, x->stream, *a);
	return cudaGetLastError();
}

cudaError_t
cuda_attention_any(const struct attention *a, enum rk_precision store, struct cuda_run *x)
{
	return launch(store == RK_BF16 ? attend_row<bf16> : attend_row<float>, a, x);
}

cudaError_t
cuda_attention_any_back(const struct attention *a, enum rk_precision store, struct cuda_run *x)
{
	const cudaError_t e = launch(store == RK_BF16 ? attend_row_back_q<bf16> : attend_row_back_q<float>, a, x);

	return e != cudaSuccess ? e
	                        : launch(store == RK_BF16 ? attend_row_back_kv<bf16> : attend_row_back_kv<float>, a, x);
}
