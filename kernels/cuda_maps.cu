/*
 * cuda_maps.cu: convolutions of W x W taps over square maps, W 3 or 5, channels last, fp32.
 *
 * y, and dx, which is the same with the taps turned about: a block has a tile of cells and CHANNELS channels of the
 * result.  Of DEPTH channels of the operand it holds the tile and the cells around it, and of the weights one row of
 * taps after the other; a thread has 8 cells of a row and 4 channels, and each cell that it reads serves W taps.
 * dw: a block has a row of taps, CHANNELS channels of y, DEPTH of x, and every CUDA_MAPS_PARTS-th row of the maps.
 */
#include "cuda_maps.h"

enum { THREADS = 256, TALL = 8, WIDE = 16, CHANNELS = 64, DEPTH = 16, LINE = 60 };

/* What a block of convolve_maps keeps in shared memory, in floats. */
template <int W> struct tile {
	static const int tall = TALL + W - 1, wide = WIDE + W - 1;
	static const int cells = (tall * wide) | 1; /* odd: a cell's channels lie in different banks */
	static const int weights = W * DEPTH * CHANNELS;
	static const size_t shared = (weights + DEPTH * cells) * sizeof(float);
};

/* Weights [out chunk][in chunk][u][v][DEPTH][CHANNELS], 0 past the last channel; back: in and out change places. */
static __global__ void
__launch_bounds__(THREADS) turn_weights(const float *w, float *to, int n, int k, int width, int back)
{
	const int in = back ? n : k, out = back ? k : n, taps = width * width, chunks = (in + DEPTH - 1) / DEPTH;

	EACH(e, (size_t)(out + CHANNELS - 1) / CHANNELS * chunks * taps * DEPTH * CHANNELS, THREADS)
	{
		const size_t part = e / (DEPTH * CHANNELS);
		const int tap = (int)(part % taps), chunk = (int)(part / taps % chunks);
		const int a = (int)(part / taps / chunks) * CHANNELS + (int)(e % CHANNELS);
		const int c = chunk * DEPTH + (int)(e / CHANNELS % DEPTH);
		float v = 0;

		if (a < out && c < in)
			v = back ? w[((size_t)c * k + a) * taps + taps - 1 - tap] : w[((size_t)a * k + c) * taps + tap];
		to[e] = v;
	}
}

/* Channels chunk * DEPTH .. of the cells around a tile that begins at (i, j). */
template <int W>
__device__ __forceinline__ void
load_cells(const struct plane &o, float *cells, int b, int i, int j, int chunk)
{
	const int side = o.side[b];

	for (int e = threadIdx.x; e < tile<W>::tall * tile<W>::wide * DEPTH; e += THREADS) {
		const int cell = e / DEPTH, c = chunk * DEPTH + e % DEPTH;
		const int p = i - W / 2 + cell / tile<W>::wide, q = j - W / 2 + cell % tile<W>::wide;
		const int there = p >= 0 && p < side && q >= 0 && q < side && c < o.in;

		cells[e % DEPTH * tile<W>::cells + cell] =
		    there ? o.x[(o.first[b] + (size_t)p * side + q) * o.in + c] : 0;
	}
}

/* Adds a row of taps: cells from the thread's first one on, in the row of the taps. */
template <int W>
__device__ __forceinline__ void
add_taps(float (&sum)[8][4], const float *cells, const float *weights)
{
#pragma unroll 2
	for (int c = 0; c < DEPTH; c++) {
		float x[8 + W - 1];

#pragma unroll
		for (int i = 0; i < 8 + W - 1; i++)
			x[i] = cells[c * tile<W>::cells + i];
#pragma unroll
		for (int v = 0; v < W; v++) {
			const float4 w = *(const float4 *)(weights + (v * DEPTH + c) * CHANNELS);

#pragma unroll
			for (int i = 0; i < 8; i++) {
				sum[i][0] += x[i + v] * w.x;
				sum[i][1] += x[i + v] * w.y;
				sum[i][2] += x[i + v] * w.z;
				sum[i][3] += x[i + v] * w.w;
			}
		}
	}
}

/* The thread's 8 cells from (i, j) on and 4 channels from a on. */
static __device__ __forceinline__ void
put_cells(const struct plane &o, const float (&sum)[8][4], int b, int i, int j, int a)
{
	const int side = o.side[b];

	for (int q = 0; q < 8 && i < side && j + q < side; q++) {
		float *y = o.y + (o.first[b] + (size_t)i * side + j + q) * o.out;

#pragma unroll
		for (int k = 0; k < 4; k++)
			if (a + k < o.out) {
				const float v = sum[q][k] + (o.bias != NULL ? o.bias[a + k] : 0);

				y[a + k] = o.accumulate ? y[a + k] + v : act_of(o.act, v);
			}
	}
}

template <int W>
__device__ __forceinline__ void
convolve_tile(const struct plane &o, float *memory, int b, int i, int j)
{
	const int lane = threadIdx.x % 16, group = threadIdx.x / 16, chunks = (o.in + DEPTH - 1) / DEPTH;
	const int row = group / 2, column = group % 2 * 8;
	float *weights = memory, *cells = memory + tile<W>::weights, sum[8][4] = {};
	const float *from = o.w + (size_t)blockIdx.y * chunks * W * tile<W>::weights;

	for (int chunk = 0; chunk < chunks; chunk++)
		for (int u = 0; u < W; u++, from += tile<W>::weights) {
			__syncthreads();
			if (u == 0)
				load_cells<W>(o, cells, b, i, j, chunk);
			for (int e = threadIdx.x; e < tile<W>::weights / 4; e += THREADS)
				((float4 *)weights)[e] = ((const float4 *)from)[e];
			__syncthreads();
			add_taps<W>(sum, cells + (row + u) * tile<W>::wide + column, weights + 4 * lane);
		}
	put_cells(o, sum, b, i + row, j + column, blockIdx.y * CHANNELS + 4 * lane);
}

template <int W>
static __global__ void
__launch_bounds__(THREADS, 2) convolve_maps(struct plane o, const int32_t *live)
{
	SHARED_MEMORY(memory);
	const int maps = live[o.maps];
	struct tile_state state = {};
	struct tile_place at;

	while ((at = next_tile(&state, o.side, maps, TALL, WIDE)).map < maps)
		convolve_tile<W>(o, (float *)memory, at.map, at.i, at.j);
}

/* Cells j .. j + LINE - 1 of row i of a map: dy there, [LINE][CHANNELS] from channel a on, and x around row p. */
template <int W>
__device__ __forceinline__ void
load_lines(const struct rk_conv &o, float *memory, int b, int i, int p, int j, int a, int c)
{
	const int side = o.side[b], n = o.w.n, k = o.w.k / o.w.taps;
	float *xs = memory + LINE * CHANNELS;

	for (int e = threadIdx.x; e < LINE * CHANNELS; e += THREADS) {
		const int q = j + e / CHANNELS, at = a + e % CHANNELS;

		memory[e] =
		    q < side && at < n ? ((const float *)o.dy)[(o.first[b] + (size_t)i * side + q) * n + at] : 0;
	}
	for (int e = threadIdx.x; e < (LINE + W - 1) * DEPTH; e += THREADS) {
		const int q = j - W / 2 + e / DEPTH, at = c + e % DEPTH;

		xs[e] = q >= 0 && q < side && at < k
		            ? ((const float *)o.x)[(o.first[b] + (size_t)p * side + q) * k + at]
		            : 0;
	}
}

/* Adds dy x of `count` cells, a multiple of W, to the thread's 4 channels of y, one of x and W taps. */
template <int W>
__device__ __forceinline__ void
add_line(float (&sum)[4][W], const float *memory, int count)
{
	const float *dy = memory + threadIdx.x / DEPTH * 4, *x = memory + LINE * CHANNELS + threadIdx.x % DEPTH;
	float seen[W];

#pragma unroll
	for (int v = 0; v < W - 1; v++)
		seen[v] = x[v * DEPTH];
	for (int j = 0; j < count; j += W) {
#pragma unroll
		for (int s = 0; s < W; s++) {
			const float4 d = *(const float4 *)(dy + (j + s) * CHANNELS);

			seen[(s + W - 1) % W] = x[(j + s + W - 1) * DEPTH];
#pragma unroll
			for (int v = 0; v < W; v++) {
				sum[0][v] += d.x * seen[(s + v) % W];
				sum[1][v] += d.y * seen[(s + v) % W];
				sum[2][v] += d.z * seen[(s + v) % W];
				sum[3][v] += d.w * seen[(s + v) % W];
			}
		}
	}
}

template <int W>
static __global__ void
__launch_bounds__(THREADS, 3) maps_back_w(struct rk_conv o, const int32_t *live, float *partial)
{
	SHARED_MEMORY(memory);
	const int n = o.w.n, k = o.w.k / o.w.taps, chunks = (k + DEPTH - 1) / DEPTH;
	const int u = blockIdx.x % W, c = blockIdx.x / W % chunks * DEPTH, a = blockIdx.x / W / chunks * CHANNELS;
	const int ours = a + threadIdx.x / DEPTH * 4, column = c + threadIdx.x % DEPTH;
	float sum[4][W] = {};

	for (int b = 0, line = blockIdx.y; b < live[o.seqs]; line -= o.side[b++])
		for (; line < o.side[b]; line += gridDim.y) {
			const int p = line + u - W / 2;

			for (int j = 0; p >= 0 && p < o.side[b] && j < o.side[b]; j += LINE) {
				__syncthreads();
				load_lines<W>(o, (float *)memory, b, line, p, j, a, c);
				__syncthreads();
				add_line<W>(sum, (float *)memory, (min((int)LINE, o.side[b] - j) + W - 1) / W * W);
			}
		}
	partial += (size_t)blockIdx.y * n * o.w.k;
	for (int q = 0; q < 4; q++)
		for (int v = 0; v < W && ours + q < n && column < k; v++)
			partial[((size_t)(ours + q) * k + column) * o.w.taps + u * W + v] = sum[q][v];
}

int
cuda_maps_take(const struct rk_call *c)
{
	const struct rk_conv *o = &c->u.conv;

	return c->store != RK_BF16 && (o->width == 3 || o->width == 5) && o->pad == o->width / 2;
}

size_t
cuda_maps_scratch(const struct rk_call *c, int back)
{
	const struct rk_conv *o = &c->u.conv;
	const size_t n = o->w.n, k = o->w.k / o->w.taps, in = back ? n : k, out = back ? k : n;

	return (out + CHANNELS - 1) / CHANNELS * CHANNELS * ((in + DEPTH - 1) / DEPTH * DEPTH) * o->w.taps *
	       sizeof(float);
}

template <int W>
static cudaError_t
forward(const struct plane *p, const struct rk_conv *o, struct cuda_run *x)
{
	const dim3 grid(
	    cuda_blocks(o->cap, TALL * WIDE, (size_t)x->dev->processors * 4), (p->out + CHANNELS - 1) / CHANNELS);

	LAUNCH(convolve_maps<W>, grid, dim3(THREADS), tile<W>::shared, x->stream, *p, x->live);
	return cudaGetLastError();
}

cudaError_t
cuda_maps(const struct rk_call *c, int back, struct cuda_run *x)
{
	const struct rk_conv *o = &c->u.conv;
	const int n = o->w.n, k = o->w.k / o->w.taps;
	struct plane p = {(const float *)(back ? o->dy : o->x), (const float *)o->w.w,
	    (const float *)(back ? NULL : o->bias), (float *)(back ? o->dx : o->y), back ? n : k, back ? k : n, o->seqs,
	    o->first, o->side, back ? RK_NONE : o->act, back && o->accumulate};

	if (cuda_maps_has_mma(p.in, p.out))
		return cuda_maps_mma(&p, o->width, back, o->cap, x);
	p.w = (const float *)x->scratch;
	LAUNCH(turn_weights,
	    dim3(cuda_blocks(cuda_maps_scratch(c, back) / sizeof(float), THREADS, (size_t)x->dev->processors * 8)),
	    dim3(THREADS), 0, x->stream, (const float *)o->w.w, (float *)x->scratch, n, k, o->width, back);
	return o->width == 3 ? forward<3>(&p, o, x) : forward<5>(&p, o, x);
}

cudaError_t
cuda_maps_back_w(const struct rk_call *c, float *partial, struct cuda_run *x)
{
	const struct rk_conv *o = &c->u.conv;
	const int w = o->width, k = o->w.k / o->w.taps;
	const dim3 grid(w * ((k + DEPTH - 1) / DEPTH) * ((o->w.n + CHANNELS - 1) / CHANNELS), CUDA_MAPS_PARTS);
	void (*kernel)(struct rk_conv, const int32_t *, float *) = w == 3 ? maps_back_w<3> : maps_back_w<5>;

	if (cuda_maps_has_mma(k, o->w.n))
		return cuda_maps_mma_back_w(o, partial, x);
	LAUNCH(kernel, grid, dim3(THREADS), (LINE * CHANNELS + (LINE + w - 1) * DEPTH) * sizeof(float), x->stream, *o,
	    x->live, partial);
	return cudaGetLastError();
}
