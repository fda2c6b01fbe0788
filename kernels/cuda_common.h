/*
 * cuda_common.h: what the files of the CUDA plug-in share: the device, what an op is given, elements and rows in
 * kernels.
 */
#ifndef CUDA_COMMON_H
#define CUDA_COMMON_H

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "cuda_warp.h"
#include "rk_device.h"

typedef __nv_bfloat16 bf16;

/* 1. Host */

struct cuda_linear; /* cuda_linear.cu: products of this device, their descriptors and algorithms */

struct cuda_device {
	cudaStream_t stream;        /* of lists, and of copies that are in order with them */
	cudaStream_t copies;        /* of images on their way (cuda_feed.cu) */
	int arch;                   /* 90: compute capability 9.0 */
	int processors, shared_max; /* multiprocessors; bytes of shared memory a block can have */
	size_t free_at_open;        /* bytes of the GPU's memory */
	char *ring;                 /* pinned memory that uploads pass through, in two halves */
	size_t ring_at;             /* filled of the half in use */
	int ring_half;
	cudaEvent_t ring_free[2]; /* after the last copy out of each half */
	int ring_used[2];
	int32_t *fault; /* pinned, so that the GPU writes it: 1 + the live count that exceeded a capacity */
	struct cuda_linear *linear;
	char err[256];
};

/* What an op is given to put its kernels on the stream. */
struct cuda_run {
	struct cuda_device *dev;
	cudaStream_t stream;
	const int32_t *live; /* the counts, no larger than any capacity */
	char *scratch;       /* of the op alone while it runs */
	float *dbias;        /* RK_ACT_BACK: where a later call of the list wants the column sums of dy, or NULL */
	const void *summed;  /* the dy whose column sums that call need not take any more */
};

/* scratch: bytes.  prepare, may be NULL: before the first run; a sentence when the device can't do the call. */
struct cuda_op {
	cudaError_t (*launch)(const struct rk_call *c, struct cuda_run *x);
	size_t (*scratch)(const struct rk_call *c);
	const char *(*prepare)(const struct rk_call *c, struct cuda_device *dev);
};

/* A launch function a file of ops has; bytes of scratch where it needs some. */
#define CUDA_OP(name)                                                                                                  \
	cudaError_t cuda_##name(const struct rk_call *c, struct cuda_run *x);                                          \
	size_t cuda_##name##_scratch(const struct rk_call *c)
CUDA_OP(pack);
CUDA_OP(embed);
CUDA_OP(embed_back);
CUDA_OP(linear);
CUDA_OP(linear_back_x);
CUDA_OP(linear_back_w);
CUDA_OP(act_back);
CUDA_OP(norm);
CUDA_OP(norm_back);
CUDA_OP(attention);
CUDA_OP(attention_back);
CUDA_OP(gather);
CUDA_OP(scatter_add);
CUDA_OP(segment_sum);
CUDA_OP(segment_sum_back);
CUDA_OP(segment_softmax);
CUDA_OP(segment_softmax_back);
CUDA_OP(cross_entropy);
CUDA_OP(zero);
CUDA_OP(add);
CUDA_OP(sum_squares);
CUDA_OP(adamw);
CUDA_OP(dropout);
CUDA_OP(lookup);
CUDA_OP(lookup_back);
CUDA_OP(columns);
CUDA_OP(turn);
CUDA_OP(conv1d);
CUDA_OP(conv1d_back_x);
CUDA_OP(conv1d_back_w);
CUDA_OP(conv2d);
CUDA_OP(conv2d_back_x);
CUDA_OP(conv2d_back_w);
CUDA_OP(max_pool);
CUDA_OP(max_pool_back);
CUDA_OP(group_norm);
CUDA_OP(group_norm_back);
CUDA_OP(lstm);
CUDA_OP(lstm_back);
CUDA_OP(cell_keys);
CUDA_OP(pair_map);
CUDA_OP(pair_map_back);
CUDA_OP(pair_merge);
CUDA_OP(pair_merge_back);

/* cuda_fp8.cu: the bytes of a packed matrix, and its packing. */
size_t cuda_fp8_pack_size(int n, int k);
cudaError_t cuda_fp8_pack(const struct rk_weight *w, struct cuda_run *x);

/* cuda_linear.cu */
struct cuda_linear *cuda_linear_create(struct cuda_device *dev, const char *gpu);
void cuda_linear_destroy(struct cuda_linear *l);
const char *cuda_linear_prepare(const struct rk_call *c, struct cuda_device *dev);
const char *cuda_attention_prepare(const struct rk_call *c, struct cuda_device *dev);

/* cuda_reduce.cu: dst[k][0..n) += the sum over blocks of partial[block][k][0..n), k < arrays, in the order of blocks.
 */
struct cuda_sums {
	float *dst[3];
};
cudaError_t cuda_add_partials(
    const struct cuda_sums *s, int arrays, const float *partial, int blocks, size_t n, cudaStream_t stream);
/* dst[0..n) += column sums of live rows of x[cap][n]; scratch: cuda_column_scratch(n). */
size_t cuda_column_scratch(int n);
cudaError_t
cuda_column_sums(const void *x, enum rk_precision store, int rows, int cap, int n, float *dst, struct cuda_run *r);
/* dy *= act'(.), and dst[0..n) += the column sums of what it becomes, unless NULL; scratch: as above. */
cudaError_t cuda_act_back_sums(const struct rk_linear *o, enum rk_precision store, float *dst, struct cuda_run *r);
/*
 * dst[key][0..n) += the sum of the live rows of x[cap][n] with that key, in order; key of 1 or 4 bytes; skip: a key
 * that is left out, or -1.
 */
struct cuda_keys {
	const void *key;
	int bytes, keys, skip;
};
size_t cuda_key_scratch(int cap, int keys, int n);
cudaError_t cuda_key_sums(const void *x, enum rk_precision store, const struct cuda_keys *k, int rows, int cap, int n,
    float *dst, char *scratch, struct cuda_run *r);

static inline unsigned
cuda_blocks(size_t n, size_t per_block, size_t most)
{
	const size_t b = (n + per_block - 1) / per_block;

	return (unsigned)(b < 1 ? 1 : b > most ? most : b);
}

static inline size_t
cuda_align(size_t n)
{
	return (n + 255) / 256 * 256;
}

/* 2. Kernels */

struct drop {
	uint32_t below, site; /* bits below: dropped; 0: no dropout */
	float scale;
	const uint64_t *key;
};

static inline struct drop
cuda_drop(const struct rk_dropout *d)
{
	const double below = ceil((double)d->p * 4294967296.0);
	struct drop r = {below < 4294967295.0 ? (uint32_t)below : 0xffffffffu, d->site, 1 / (1 - d->p), d->row_key};

	return r;
}

/* What element (row of key, column) of a site is multiplied by. */
__device__ __forceinline__ float
kept(const struct drop &d, uint64_t key, uint32_t site, uint32_t column)
{
	return rk_drop_bits(key, site, column) < d.below ? 0.0f : d.scale;
}

__device__ __forceinline__ float
to_float(float v)
{
	return v;
}

__device__ __forceinline__ float
to_float(bf16 v)
{
	return __bfloat162float(v);
}

template <class T> __device__ __forceinline__ T from_float(float v);

template <>
__device__ __forceinline__ float
from_float<float>(float v)
{
	return v;
}

template <>
__device__ __forceinline__ bf16
from_float<bf16>(float v)
{
	return __float2bfloat16_rn(v);
}

/* Two floats as a pair of bf16, the first in the low half. */
__device__ __forceinline__ uint32_t
pair(float lo, float hi)
{
	bf16 v[2] = {__float2bfloat16_rn(lo), __float2bfloat16_rn(hi)};
	uint32_t bits;

	memcpy(&bits, v, 4);
	return bits;
}

/* Columns c .. c+7 of a row of n elements, 0 past its end; n % 8 == 0: by 16 bytes. */
template <class T>
__device__ __forceinline__ void
load_row8(float (&v)[8], const T *row, int c, int n)
{
	T part[8] = {};

#pragma unroll
	for (int i = 0; c < n && i < (int)sizeof(part) / 16; i++) {
		const uint4 bits = ((const uint4 *)(row + c))[i];

		memcpy(part + i * (16 / sizeof(T)), &bits, 16);
	}
#pragma unroll
	for (int i = 0; i < 8; i++)
		v[i] = c < n ? to_float(part[i]) : 0;
}

template <class T>
__device__ __forceinline__ void
store_row8(T *row, int c, int n, const float (&v)[8])
{
	T part[8];

	if (c >= n)
		return;
#pragma unroll
	for (int i = 0; i < 8; i++)
		part[i] = from_float<T>(v[i]);
#pragma unroll
	for (int i = 0; i < (int)sizeof(part) / 16; i++) {
		uint4 bits;

		memcpy(&bits, part + i * (16 / sizeof(T)), 16);
		((uint4 *)(row + c))[i] = bits;
	}
}

/* The same; Whole says that n % 8 == 0. */
template <bool Whole, class T>
__device__ __forceinline__ void
load_part(float (&v)[8], const T *row, int c, int n)
{
	if (Whole)
		return load_row8(v, row, c, n);
#pragma unroll
	for (int i = 0; i < 8; i++)
		v[i] = c + i < n ? to_float(row[c + i]) : 0;
}

template <bool Whole, class T>
__device__ __forceinline__ void
store_part(T *row, int c, int n, const float (&v)[8])
{
	if (Whole)
		return store_row8(row, c, n, v);
#pragma unroll
	for (int i = 0; i < 8; i++)
		if (c + i < n)
			row[c + i] = from_float<T>(v[i]);
}

__device__ __forceinline__ float
act_of(enum rk_act act, float v)
{
	switch (act) {
	case RK_RELU:
		return v > 0 ? v : 0;
	case RK_GELU:
		return 0.5f * v * (1 + erff(v * 0.70710678f));
	case RK_TANH:
		return tanhf(v);
	case RK_CELU:
		return v > 0 ? v : expm1f(v);
	default:
		return v;
	}
}

/* d act / dv from the output y, and for GELU from v. */
__device__ __forceinline__ float
slope(enum rk_act act, float y, float v)
{
	switch (act) {
	case RK_RELU:
		return y > 0;
	case RK_TANH:
		return 1 - y * y;
	case RK_CELU:
		return y > 0 ? 1 : 1 + y;
	case RK_GELU:
		return 0.5f * (1 + erff(v * 0.70710678f)) + v * 0.39894228f * expf(-v * v / 2);
	default:
		return 1;
	}
}

/* The sequence that a row belongs to: first[b] <= row < first[b + 1], first[0 .. n]. */
__device__ __forceinline__ int
find_sequence(const int32_t *first, int n, int row)
{
	int low = 0, high = n - 1;

	while (low < high) {
		const int mid = (low + high + 1) / 2;

		if (first[mid] <= row)
			low = mid;
		else
			high = mid - 1;
	}
	return low;
}

/* Elements one after the other, by a grid of blocks of `threads` that strides over them. */
#define EACH(i, count, threads)                                                                                        \
	for (size_t i = (size_t)blockIdx.x * (threads) + threadIdx.x; i < (size_t)(count);                             \
	     i += (size_t)gridDim.x * (threads))

/* The sum over a warp, in every lane, always in the same order. */
__device__ __forceinline__ float
warp_sum(float v)
{
#pragma unroll
	for (int m = 16; m > 0; m /= 2)
		v += __shfl_xor_sync(~0u, v, m);
	return v;
}

__device__ __forceinline__ float
warp_max(float v)
{
#pragma unroll
	for (int m = 16; m > 0; m /= 2)
		v = fmaxf(v, __shfl_xor_sync(~0u, v, m));
	return v;
}

#endif
