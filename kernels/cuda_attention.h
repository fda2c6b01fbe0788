/*
 * cuda_attention.h: between cuda_attention.cu (which kernel), cuda_attention_mma.cu and cuda_attention_any.cu.
 */
#ifndef CUDA_ATTENTION_H
#define CUDA_ATTENTION_H

#include "cuda_common.h"

enum { TILE = 64 }; /* queries or keys of a block at a time */

/* Tiles of all live sequences, those of the longest first: list[0 .. *count). */
struct tiles {
	const int2 *list;
	const int32_t *count;
}; /* x: sequence, y: its first row of the tile */

struct attention {
	const void *qkv, *dout;
	void *o, *dqkv;
	float *lse, *delta; /* [tokens, heads]; delta: sums of o dout over a head */
	const int32_t *offsets;
	const int32_t *live;
	struct drop drop;
	struct tiles tiles;
	int heads, dim, max_len;
	float scale; /* 1 / sqrt(dim) */
};

/* 1 when tensor cores can: bf16 and a head of 32 or 64. */
int cuda_attention_has_mma(const struct attention *a, enum rk_precision store);
cudaError_t cuda_attention_mma(const struct attention *a, struct cuda_run *x);
cudaError_t cuda_attention_mma_back(const struct attention *a, struct cuda_run *x);
/* Bytes of shared memory of the kernels for any head and element. */
size_t cuda_attention_any_shared(int dim, int max_len);
cudaError_t cuda_attention_any(const struct attention *a, enum rk_precision store, struct cuda_run *x);
cudaError_t cuda_attention_any_back(const struct attention *a, enum rk_precision store, struct cuda_run *x);

#endif
