/*
 * cuda_maps.h: between cuda_conv.cu, cuda_maps.cu and cuda_maps_mma.cu, which have the convolutions of folding
 * networks: 3 x 3 and 5 x 5 over square maps in fp32.
 */
#ifndef CUDA_MAPS_H
#define CUDA_MAPS_H

#include "cuda_common.h"

int cuda_maps_take(const struct rk_call *c); /* 1: these files have this convolution */
/* As an op's; RK_CONV2D (back 0) and RK_CONV2D_BACK_X (back 1). */
size_t cuda_maps_scratch(const struct rk_call *c, int back);
cudaError_t cuda_maps(const struct rk_call *c, int back, struct cuda_run *x);
/* partial[part][weight], CUDA_MAPS_PARTS parts, whose sum is dw. */
enum { CUDA_MAPS_PARTS = 64 };
cudaError_t cuda_maps_back_w(const struct rk_call *c, float *partial, struct cuda_run *x);

/* What y, or dx with the taps turned about, is made from. */
struct plane {
	const float *x, *w, *bias; /* w: turned, in scratch; bias may be NULL */
	float *y;
	int in, out, maps; /* channels of x and y; enum rk_live */
	const int32_t *first, *side;
	enum rk_act act;
	int accumulate;
};

/* A tile of a map that begins at (i, j). */
struct tile_place {
	int map, i, j;
};

/* The next tile of a block that takes every gridDim.x-th; state begins at zero, and map == maps says there is none. */
struct tile_state {
	int t, map, first, tiles, across; /* t: of the next; first: tiles of the maps before */
};

static __device__ __forceinline__ struct tile_place
next_tile(struct tile_state *s, const int32_t *side, int maps, int tall, int wide)
{
	const int t = s->t + blockIdx.x;

	s->t += gridDim.x;
	for (; s->map < maps; s->map++, s->first += s->tiles) {
		s->across = (side[s->map] + wide - 1) / wide;
		s->tiles = s->across * ((side[s->map] + tall - 1) / tall);
		if (t < s->first + s->tiles)
			return {s->map, (t - s->first) / s->across * tall, (t - s->first) % s->across * wide};
	}
	return {maps, 0, 0};
}

/* cuda_maps_mma.cu: on tensor cores, where there are channels enough; p->w is w as rk.h has it, [n, k, taps]. */
int cuda_maps_has_mma(int in, int out);
cudaError_t cuda_maps_mma_back_w(const struct rk_conv *o, float *partial, struct cuda_run *x);
cudaError_t cuda_maps_mma(const struct plane *p, int width, int back, int cap, struct cuda_run *x);

#endif
