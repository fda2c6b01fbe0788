/*
 * cuda_linear.h: products of cuBLASLt, between cuda_linear.cu (the ops) and cuda_tune.cu (which algorithm).
 */
#ifndef CUDA_LINEAR_H
#define CUDA_LINEAR_H

#include "cuda_common.h"
#include "cuda_lt.h"

enum product_kind { PRODUCT_FORWARD, PRODUCT_BACK_X, PRODUCT_BACK_W };

/* What makes two products the same to cuBLASLt. */
struct product_key {
	enum product_kind kind;
	int rows, n, k; /* capacity; y has n columns, x has k */
	enum rk_precision store;
	int fp8;        /* operands are e4m3, and the bf16 result is scaled by rows of both */
	int bias, relu; /* epilogue that is wanted */
	int accumulate;
};

struct product {
	struct product_key key;
	int fused; /* 1: bias, ReLU and the scales of fp8 are in the product */
	cublasLtMatmulDesc_t desc;
	cublasLtMatrixLayout_t a, b, d;
	cublasLtMatmulAlgo_t algo;
};

/* Operands of one product: D = A B (+ D). */
struct product_data {
	const void *a, *b, *bias;
	void *d;
	const float *scale_a, *scale_b; /* of fp8, by row of w and of x */
};

struct cuda_linear {
	struct lt_api api;
	cublasLtHandle_t handle;
	void *workspace;
	size_t workspace_size;
	struct product *products;
	int nproducts, cap;
	char cache[512]; /* file of algorithms; empty: none */
};

/* Workspace by multiprocessor: 64 MiB on an H100, as NVIDIA advises. */
enum { LT_WORKSPACE = 512 << 10, LT_CANDIDATES = 16 };

/* Puts the product on the stream.  The bias of a fused one is of the stored type. */
cudaError_t cuda_product(struct cuda_linear *l, struct product *p, const struct product_data *at, cudaStream_t stream);
/* Descriptor and layouts of p->key, with the epilogue when fused. */
cublasStatus_t cuda_product_describe(struct cuda_linear *l, struct product *p, int fused);
void cuda_product_forget(struct cuda_linear *l, struct product *p);
/* cuda_tune.cu: chooses p->fused and p->algo; a sentence when cuBLASLt has no algorithm. */
const char *cuda_tune(struct cuda_device *dev, struct product *p);
void cuda_tune_open(struct cuda_linear *l, const char *gpu);
/* cuda_fp8.cu: as an op's; p is the product of the call. */
size_t cuda_fp8_scratch(const struct rk_linear *o);
cudaError_t cuda_fp8_linear(const struct rk_linear *o, struct product *p, struct cuda_run *x);
/* The rest of one that is not fused: y = act(y scales + bias). */
cudaError_t cuda_fp8_finish(const struct rk_linear *o, const struct product_data *at, struct cuda_run *x);
/* cuda_linear.cu: the bias as a product in bf16 adds it, [n] at `to`. */
cudaError_t cuda_round_bias(const void *bias, void *to, int n, struct cuda_run *x);
/* The rest of a forward product that is not fused: y = act(in + bias), pre as rk.h has it. */
cudaError_t cuda_finish_linear(const struct rk_linear *o, enum rk_precision store, int bias, struct cuda_run *x);

#endif
