/*
 * cuda_maps_mma.cu: convolutions of W x W taps over square maps on tensor cores, for 48 channels and more.
 *
 * A float is the sum of two bf16, to 16 bits and more, and a product of two floats is three products of those, summed
 * in fp32; what is left out is 2^-16 of it.  A block has a tile of 16 x 16 cells and 64 channels of the result, a warp
 * two rows of the tile.  Of DEPTH channels of the operand the block holds the tile and the cells around it, and of the
 * weights one row of taps after the other; a tap is a product of [16 cells, 16] by [16, 64] a row.
 *
 * dw: a block has a row of taps, 64 channels of y and 32 of x, and every CUDA_MAPS_PARTS-th row of the maps; dy^T x is
 * a product of [64, 16 cells] by [16 cells, 32] a tap.
 *
 * Rows of 16 bf16, 32 bytes, lie one after the other; the halves of every other four are exchanged, so that the eight
 * rows that ldmatrix reads lie in different banks.
 */
#include "cuda_maps.h"

enum { THREADS = 256, TALL = 16, WIDE = 16, CHANNELS = 64, OTHERS = 32, DEPTH = 16, LINE = 64, LEAST_CHANNELS = 48 };

/* What a block keeps in shared memory, in bf16: the high parts of all cells, the low ones, and weights. */
template <int W> struct layout {
	static const int tall = TALL + W - 1, wide = WIDE + W - 1, cells = tall * wide;
	static const int part = CHANNELS * DEPTH, weights = 2 * W * part; /* part: a tap's high or low parts */
	static const size_t shared = (2 * cells * DEPTH + weights) * sizeof(bf16);
};

/* Where half h (0, 1) of a row lies, in bf16. */
static __device__ __forceinline__ int
half_at(int row, int h)
{
	return row * DEPTH + (h ^ (row >> 2 & 1)) * 8;
}

static __device__ __forceinline__ bf16
low_part(float v)
{
	return __float2bfloat16_rn(v - __bfloat162float(__float2bfloat16_rn(v)));
}

/* Weights [out chunk][in chunk][u][v][high, low][CHANNELS][DEPTH] of w [n, k, taps]; back: n and k change places. */
static __global__ void
__launch_bounds__(THREADS) split_weights(const float *w, bf16 *to, int n, int k, int width, int back)
{
	const int in = back ? n : k, out = back ? k : n, taps = width * width, chunks = (in + DEPTH - 1) / DEPTH;

	EACH(e, (size_t)(out + CHANNELS - 1) / CHANNELS * chunks * taps * CHANNELS * DEPTH, THREADS)
	{
		const int at = (int)(e % (CHANNELS * DEPTH)), row = at / DEPTH, column = at % DEPTH;
		const size_t part = e / (CHANNELS * DEPTH);
		const int tap = (int)(part % taps), c = (int)(part / taps % chunks) * DEPTH + column;
		const int a = (int)(part / taps / chunks) * CHANNELS + row;
		bf16 *p = to + part * 2 * CHANNELS * DEPTH + half_at(row, column / 8) + column % 8;
		float v = 0;

		if (a < out && c < in)
			v = back ? w[((size_t)c * k + a) * taps + taps - 1 - tap] : w[((size_t)a * k + c) * taps + tap];
		p[0] = __float2bfloat16_rn(v);
		p[CHANNELS * DEPTH] = low_part(v);
	}
}

/* Eight values as high parts at `to` and low parts `apart` further on. */
static __device__ __forceinline__ void
put_parts(bf16 *to, int apart, const float (&v)[8])
{
	bf16 high[8], low[8];
	uint4 bits;

#pragma unroll
	for (int i = 0; i < 8; i++) {
		high[i] = __float2bfloat16_rn(v[i]);
		low[i] = low_part(v[i]);
	}
	memcpy(&bits, high, 16);
	*(uint4 *)to = bits;
	memcpy(&bits, low, 16);
	*(uint4 *)(to + apart) = bits;
}

/* Channels chunk * DEPTH .. of the cells around a tile, in two parts. */
template <int W>
__device__ __forceinline__ void
load_cells(const struct plane &o, bf16 *cells, const struct tile_place &at, int chunk)
{
	const int side = o.side[at.map];

	for (int e = threadIdx.x; e < 2 * layout<W>::cells; e += THREADS) {
		const int cell = e / 2, c = chunk * DEPTH + e % 2 * 8;
		const int p = at.i - W / 2 + cell / layout<W>::wide, q = at.j - W / 2 + cell % layout<W>::wide;
		float v[8] = {};

		if (p >= 0 && p < side && q >= 0 && q < side) {
			const float *from = o.x + (o.first[at.map] + (size_t)p * side + q) * o.in;

			if (o.in % 8 == 0)
				load_row8(v, from, c, o.in);
			else
				for (int i = 0; i < 8 && c + i < o.in; i++)
					v[i] = from[c + i];
		}
		put_parts(cells + half_at(cell, e % 2), layout<W>::cells * DEPTH, v);
	}
}

/* Adds a tap: the warp's two rows of cells, of which the first begins at cell `first` of the halo. */
template <int W>
__device__ __forceinline__ void
add_tap(float (&sum)[2][8][4], uint32_t cells, uint32_t weights, int first)
{
	const int lane = threadIdx.x % 32, matrix = lane / 8, row = lane % 8;
	uint32_t high[2][4], low[2][4];

#pragma unroll
	for (int m = 0; m < 2; m++) {
		const int cell = first + m * layout<W>::wide + row + matrix % 2 * 8;
		const uint32_t at = cells + half_at(cell, matrix / 2) * sizeof(bf16);

		load_matrix(high[m], at);
		load_matrix(low[m], at + layout<W>::cells * DEPTH * sizeof(bf16));
	}
#pragma unroll
	for (int p = 0; p < 4; p++) {
		const int channel = 16 * p + matrix / 2 * 8 + row;
		const uint32_t at = weights + half_at(channel, matrix % 2) * sizeof(bf16);
		uint32_t w[4], v[4];

		load_matrix(w, at);
		load_matrix(v, at + layout<W>::part * sizeof(bf16));
#pragma unroll
		for (int m = 0; m < 2; m++)
#pragma unroll
			for (int t = 0; t < 2; t++) {
				float(&s)[4] = sum[m][2 * p + t];

				multiply(s, low[m], w[2 * t], w[2 * t + 1]);
				multiply(s, high[m], v[2 * t], v[2 * t + 1]);
				multiply(s, high[m], w[2 * t], w[2 * t + 1]);
			}
	}
}

static __device__ __forceinline__ void
put(const struct plane &o, float *y, int a, float v)
{
	if (a >= o.out)
		return;
	v += o.bias != NULL ? o.bias[a] : 0;
	y[a] = o.accumulate ? y[a] + v : act_of(o.act, v);
}

/* The warp's two rows from (i, j) on, channels from a on. */
static __device__ __forceinline__ void
put_rows(const struct plane &o, const float (&sum)[2][8][4], int map, int i, int j, int a)
{
	const int side = o.side[map], lane = threadIdx.x % 32;

#pragma unroll
	for (int m = 0; m < 2; m++)
#pragma unroll
		for (int h = 0; h < 2; h++) {
			const int column = j + lane / 4 + 8 * h;
			float *y = o.y + (o.first[map] + (size_t)(i + m) * side + column) * o.out;

			if (i + m >= side || column >= side)
				continue;
#pragma unroll
			for (int t = 0; t < 8; t++) {
				put(o, y, a + 8 * t + lane % 4 * 2, sum[m][t][2 * h]);
				put(o, y, a + 8 * t + lane % 4 * 2 + 1, sum[m][t][2 * h + 1]);
			}
		}
}

template <int W>
__device__ __forceinline__ void
convolve_tile(const struct plane &o, bf16 *memory, const struct tile_place &at)
{
	const int row = threadIdx.x / 32 * 2, chunks = (o.in + DEPTH - 1) / DEPTH;
	const uint32_t cells = shared_address(memory), weights = cells + 2 * layout<W>::cells * DEPTH * sizeof(bf16);
	const bf16 *from = (const bf16 *)o.w + (size_t)blockIdx.y * chunks * W * layout<W>::weights;
	float sum[2][8][4] = {};

	for (int chunk = 0; chunk < chunks; chunk++)
		for (int u = 0; u < W; u++, from += layout<W>::weights) {
			__syncthreads();
			for (int e = threadIdx.x; e < layout<W>::weights / 8; e += THREADS)
				copy_async(weights + 16 * e, from + 8 * e, true);
			copy_commit();
			if (u == 0)
				load_cells<W>(o, memory, at, chunk);
			copy_wait<0>();
			__syncthreads();
#pragma unroll 1
			for (int v = 0; v < W; v++)
				add_tap<W>(sum, cells, weights + v * 2 * layout<W>::part * sizeof(bf16),
				    (row + u) * layout<W>::wide + v);
		}
	put_rows(o, sum, at.map, at.i + row, at.j, blockIdx.y * CHANNELS);
}

template <int W>
static __global__ void
__launch_bounds__(THREADS, 2) convolve_mma(struct plane o, const int32_t *live)
{
	SHARED_MEMORY(memory);
	const int maps = live[o.maps];
	struct tile_state state = {};
	struct tile_place at;

	while ((at = next_tile(&state, o.side, maps, TALL, WIDE)).map < maps)
		convolve_tile<W>(o, (bf16 *)memory, at);
}

/*
 * Gradients of the weights: rows of C channels, 64 or 32, in parts of 16 bytes that are exchanged by the cell, so that
 * those of eight cells lie in different banks.
 */
template <int C>
static __device__ __forceinline__ int
part_at(int cell, int part)
{
	return cell * C + (part ^ (C == 64 ? cell & 7 : cell >> 1 & 3)) * 8;
}

/* Channels a .. a + C - 1 of n of `count` cells from column j of row i of a map, in two parts; 0 outside. */
template <int C>
__device__ __forceinline__ void
load_line(const float *x, int n, const struct rk_conv &o, int map, int i, int j, int a, bf16 *high, int count)
{
	const int side = o.side[map];

	for (int e = threadIdx.x; e < count * (C / 8); e += THREADS) {
		const int cell = e / (C / 8), q = j + cell, c = a + e % (C / 8) * 8;
		float v[8] = {};

		if (q >= 0 && q < side) {
			const float *from = x + (o.first[map] + (size_t)i * side + q) * n;

			if (n % 8 == 0)
				load_row8(v, from, c, n);
			else
				for (int k = 0; k < 8 && c + k < n; k++)
					v[k] = from[c + k];
		}
		put_parts(high + part_at<C>(cell, e % (C / 8)), count * C, v);
	}
}

/*
 * Adds 16 cells, dy^T x under W taps: the warp's 16 channels of y from `mine` on and 16 of x from `theirs` on.  dy and
 * x: their high parts in shared memory at the first cell.
 */
template <int W>
__device__ __forceinline__ void
add_cells(float (&sum)[W][2][4], uint32_t dy, uint32_t x, int first, int mine, int theirs)
{
	const int lane = threadIdx.x % 32, matrix = lane / 8, row = lane % 8;
	const int cell = first + matrix / 2 * 8 + row, under = first + matrix % 2 * 8 + row;
	const uint32_t at = dy + part_at<CHANNELS>(cell, mine / 8 + matrix % 2) * sizeof(bf16);
	uint32_t high[4], low[4];

	load_matrix_transposed(high, at);
	load_matrix_transposed(low, at + LINE * CHANNELS * sizeof(bf16));
#pragma unroll
	for (int v = 0; v < W; v++) {
		const uint32_t from = x + part_at<OTHERS>(under + v, theirs / 8 + matrix / 2) * sizeof(bf16);
		uint32_t h[4], l[4];

		load_matrix_transposed(h, from);
		load_matrix_transposed(l, from + (LINE + W - 1) * OTHERS * sizeof(bf16));
#pragma unroll
		for (int t = 0; t < 2; t++) {
			multiply(sum[v][t], low, h[2 * t], h[2 * t + 1]);
			multiply(sum[v][t], high, l[2 * t], l[2 * t + 1]);
			multiply(sum[v][t], high, h[2 * t], h[2 * t + 1]);
		}
	}
}

/* Block (u, CHANNELS of y and OTHERS of x; part): every gridDim.y-th row of the maps. */
template <int W>
static __global__ void
__launch_bounds__(THREADS, 2) back_w_mma(struct rk_conv o, const int32_t *live, float *partial)
{
	SHARED_MEMORY(memory);
	const int n = o.w.n, k = o.w.k / o.w.taps, chunks = (k + OTHERS - 1) / OTHERS;
	const int u = blockIdx.x % W, c = blockIdx.x / W % chunks * OTHERS, a = blockIdx.x / W / chunks * CHANNELS;
	const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, mine = warp % 4 * 16, theirs = warp / 4 * 16;
	bf16 *dy = (bf16 *)memory, *x = dy + 2 * LINE * CHANNELS;
	float sum[W][2][4] = {};

	for (int b = 0, line = blockIdx.y; b < live[o.seqs]; line -= o.side[b++])
		for (; line < o.side[b]; line += gridDim.y) {
			const int p = line + u - W / 2, side = o.side[b];

			for (int j = 0; p >= 0 && p < side && j < side; j += LINE) {
				__syncthreads();
				load_line<CHANNELS>((const float *)o.dy, n, o, b, line, j, a, dy, LINE);
				load_line<OTHERS>((const float *)o.x, k, o, b, p, j - W / 2, c, x, LINE + W - 1);
				__syncthreads();
				for (int q = 0; q < LINE && j + q < side; q += 16)
					add_cells<W>(sum, shared_address(dy), shared_address(x), q, mine, theirs);
			}
		}
	partial += (size_t)blockIdx.y * n * o.w.k;
#pragma unroll
	for (int v = 0; v < W; v++)
#pragma unroll
		for (int t = 0; t < 2; t++)
#pragma unroll
			for (int q = 0; q < 4; q++) {
				const int row = a + mine + lane / 4 + q / 2 * 8;
				const int column = c + theirs + 8 * t + lane % 4 * 2 + q % 2;

				if (row < n && column < k)
					partial[((size_t)row * k + column) * o.w.taps + u * W + v] = sum[v][t][q];
			}
}

int
cuda_maps_has_mma(int in, int out)
{
	return in >= LEAST_CHANNELS && out >= LEAST_CHANNELS;
}

cudaError_t
cuda_maps_mma_back_w(const struct rk_conv *o, float *partial, struct cuda_run *x)
{
	const int w = o->width, k = o->w.k / o->w.taps;
	const dim3 grid(w * ((k + OTHERS - 1) / OTHERS) * ((o->w.n + CHANNELS - 1) / CHANNELS), CUDA_MAPS_PARTS);
	void (*kernel)(struct rk_conv, const int32_t *, float *) = w == 3 ? back_w_mma<3> : back_w_mma<5>;

	LAUNCH(kernel, grid, dim3(THREADS), 2 * (LINE * CHANNELS + (LINE + w - 1) * OTHERS) * sizeof(bf16), x->stream,
	    *o, x->live, partial);
	return cudaGetLastError();
}

template <int W>
static cudaError_t
forward(const struct plane *p, int cap, struct cuda_run *x)
{
	const dim3 grid(
	    cuda_blocks(cap, TALL * WIDE, (size_t)x->dev->processors * 2), (p->out + CHANNELS - 1) / CHANNELS);

	LAUNCH(convolve_mma<W>, grid, dim3(THREADS), layout<W>::shared, x->stream, *p, x->live);
	return cudaGetLastError();
}

cudaError_t
cuda_maps_mma(const struct plane *p, int width, int back, int cap, struct cuda_run *x)
{
	const size_t chunks = (size_t)((p->in + DEPTH - 1) / DEPTH) * ((p->out + CHANNELS - 1) / CHANNELS);
	struct plane split = *p;

	split.w = (const float *)x->scratch;
	LAUNCH(split_weights,
	    dim3(cuda_blocks(chunks * CHANNELS * DEPTH * width * width, THREADS, (size_t)x->dev->processors * 8)),
	    dim3(THREADS), 0, x->stream, p->w, (bf16 *)x->scratch, back ? p->in : p->out, back ? p->out : p->in, width,
	    back);
	return width == 3 ? forward<3>(&split, cap, x) : forward<5>(&split, cap, x);
}
