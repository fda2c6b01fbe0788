/*
 * cuda_maps.h: between cuda_conv.cu and cuda_maps.cu, which has the convolutions of folding networks: 3 x 3 and 5 x 5
 * over square maps in fp32.
 */
#ifndef CUDA_MAPS_H
#define CUDA_MAPS_H

#include "cuda_common.h"

int cuda_maps_take(const struct rk_call *c); /* 1: cuda_maps.cu has this convolution */
/* As an op's; RK_CONV2D (back 0) and RK_CONV2D_BACK_X (back 1). */
size_t cuda_maps_scratch(const struct rk_call *c, int back);
cudaError_t cuda_maps(const struct rk_call *c, int back, struct cuda_run *x);
/* partial[part][weight], CUDA_MAPS_PARTS parts, whose sum is dw. */
enum { CUDA_MAPS_PARTS = 64 };
cudaError_t cuda_maps_back_w(const struct rk_call *c, float *partial, struct cuda_run *x);

#endif
