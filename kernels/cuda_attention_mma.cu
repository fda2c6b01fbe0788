/*
 * cuda_attention_mma.cu: attention of packed sequences on tensor cores (mma.sync, sm_80 and later), heads of 32 or 64.
 *
 * FlashAttention 2 (Dao 2023) without padding: a block of four warps has 64 queries of one sequence and head and goes
 * over its keys, 64 at a time; a warp has 16 of the queries.  Scores stay in registers.  The backward pass is two
 * kernels, one by queries (dq) and one by keys (dk, dv): nothing is added by two blocks, so its bits are always the
 * same.
 *
 * Tiles lie in shared memory as rows of bf16 in pieces of 16 bytes, turned by an xor of the row so that eight rows of
 * ldmatrix meet all banks.  Fragments are those of mma.m16n8k16: lane l has rows l/4 and l/4 + 8, columns 2 (l%4) +
 * 0, 1.
 */
#include "cuda_attention.h"

enum { THREADS = 128 };

static const float LOG2E = 1.44269504f, LN2 = 0.69314718f, NEVER = -1e30f;

/* Where piece c of row r lies in a tile of rows of D elements. */
template <int D>
__device__ __forceinline__ uint32_t
piece(int r, int c)
{
	return D == 64 ? r * 128 + ((c ^ (r & 7)) << 4) : r * 64 + ((c ^ (r >> 1 & 3)) << 4);
}

/* A tile of 64 rows from g, rows of ld elements; rows past `valid` are 0. */
template <int D>
__device__ __forceinline__ void
load_tile(uint32_t to, const bf16 *g, int ld, int valid)
{
	for (int i = threadIdx.x; i < TILE * (D / 8); i += THREADS) {
		const int r = i / (D / 8), c = i % (D / 8);

		copy_async(to + piece<D>(r, c), g + (size_t)(r < valid ? r : 0) * ld + c * 8, r < valid);
	}
}

/* Rows 16 w .. + 15 as the left operand: fragment k has columns 16 k .. + 15. */
template <int D>
__device__ __forceinline__ void
left(uint32_t (&f)[D / 16][4], uint32_t tile, int w, int lane)
{
#pragma unroll
	for (int k = 0; k < D / 16; k++)
		load_matrix(f[k], tile + piece<D>(w * 16 + (lane & 15), k * 2 + (lane >> 4)));
}

/* s[16 rows, 64] = left (16 x D) times the transpose of a tile (64 x D). */
template <int D>
__device__ __forceinline__ void
times_transposed(float (&s)[8][4], const uint32_t (&a)[D / 16][4], uint32_t tile, int lane)
{
#pragma unroll
	for (int j = 0; j < 4; j++) {
#pragma unroll
		for (int i = 0; i < 4; i++)
			s[2 * j][i] = s[2 * j + 1][i] = 0;
#pragma unroll
		for (int k = 0; k < D / 16; k++) {
			uint32_t b[4];

			load_matrix(
			    b, tile + piece<D>(j * 16 + (lane & 7) + (lane >> 4 << 3), k * 2 + (lane >> 3 & 1)));
			multiply(s[2 * j], a[k], b[0], b[1]);
			multiply(s[2 * j + 1], a[k], b[2], b[3]);
		}
	}
}

/* acc[16 rows, D] += p[16 rows, 64] times a tile (64 x D); p in fp32 is rounded to bf16. */
template <int D>
__device__ __forceinline__ void
times(float (&acc)[D / 8][4], const float (&p)[8][4], uint32_t tile, int lane)
{
#pragma unroll
	for (int k = 0; k < 4; k++) {
		const uint32_t a[4] = {pair(p[2 * k][0], p[2 * k][1]), pair(p[2 * k][2], p[2 * k][3]),
		    pair(p[2 * k + 1][0], p[2 * k + 1][1]), pair(p[2 * k + 1][2], p[2 * k + 1][3])};

#pragma unroll
		for (int j = 0; j < D / 16; j++) {
			uint32_t b[4];

			load_matrix_transposed(b, tile + piece<D>(k * 16 + (lane & 15), j * 2 + (lane >> 4)));
			multiply(acc[2 * j], a, b[0], b[1]);
			multiply(acc[2 * j + 1], a, b[2], b[3]);
		}
	}
}

/* Two rows of a fragment, r and r + 8, to rows of ld elements, times f0 and f1; rows past n are left out. */
template <int D>
__device__ __forceinline__ void
store_rows(bf16 *to, int ld, int r, int n, const float (&v)[D / 8][4], float f0, float f1, int lane)
{
#pragma unroll
	for (int j = 0; j < D / 8; j++) {
		const int c = j * 8 + (lane & 3) * 2;

		if (r < n)
			*(uint32_t *)(to + (size_t)r * ld + c) = pair(v[j][0] * f0, v[j][1] * f0);
		if (r + 8 < n)
			*(uint32_t *)(to + (size_t)(r + 8) * ld + c) = pair(v[j][2] * f1, v[j][3] * f1);
	}
}

/* What a block works on: a tile of a sequence, and a head. */
struct place {
	int first, len, row, head, ld;
}; /* first token, length, first row of the tile, columns of qkv */

__device__ __forceinline__ struct place
place_of(const struct attention &a, int item)
{
	const int2 t = a.tiles.list[item / a.heads];
	const int first = a.offsets[t.x];

	return {first, a.offsets[t.x + 1] - first, t.y, item % a.heads, 3 * a.heads * a.dim};
}

/* The sum and maximum over the four lanes that share a row. */
__device__ __forceinline__ float
row_sum(float v)
{
	v += __shfl_xor_sync(~0u, v, 1);
	return v + __shfl_xor_sync(~0u, v, 2);
}

__device__ __forceinline__ float
row_max(float v)
{
	v = fmaxf(v, __shfl_xor_sync(~0u, v, 1));
	return fmaxf(v, __shfl_xor_sync(~0u, v, 2));
}

/* The softmax of a tile of scores goes on from maximum m and sum l: s becomes probabilities, acc is scaled to fit. */
template <int D>
__device__ __forceinline__ void
soften(float (&s)[8][4], float (&acc)[D / 8][4], float (&m)[2], float (&l)[2], float scale2, int left_over, int lane)
{
	float top[2] = {m[0], m[1]}, shrink[2];

#pragma unroll
	for (int j = 0; j < 8; j++)
#pragma unroll
		for (int i = 0; i < 4; i++) {
			if (j * 8 + (lane & 3) * 2 + (i & 1) >= left_over)
				s[j][i] = NEVER;
			top[i >> 1] = fmaxf(top[i >> 1], s[j][i]);
		}
#pragma unroll
	for (int i = 0; i < 2; i++) {
		top[i] = row_max(top[i]);
		shrink[i] = exp2f((m[i] - top[i]) * scale2);
		m[i] = top[i];
		l[i] *= shrink[i];
	}
#pragma unroll
	for (int j = 0; j < 8; j++)
#pragma unroll
		for (int i = 0; i < 4; i++) {
			s[j][i] = exp2f((s[j][i] - top[i >> 1]) * scale2);
			l[i >> 1] += s[j][i];
		}
#pragma unroll
	for (int j = 0; j < D / 8; j++)
#pragma unroll
		for (int i = 0; i < 4; i++)
			acc[j][i] *= shrink[i >> 1];
}

template <int D>
static __global__ void
__launch_bounds__(THREADS) attend(struct attention a)
{
	SHARED_MEMORY(memory);
	const uint32_t bytes = TILE * D * 2, sq = shared_address(memory), sk = sq + bytes, sv = sk + 2 * bytes;
	const int lane = threadIdx.x % 32, w = threadIdx.x / 32, items = *a.tiles.count * a.heads;
	const float scale2 = a.scale * LOG2E;

	for (int item = blockIdx.x; item < items; item += gridDim.x) {
		const struct place p = place_of(a, item);
		const int hidden = a.heads * D, r = p.row + w * 16 + (lane >> 2), tiles = (p.len + TILE - 1) / TILE;
		const bf16 *q = (const bf16 *)a.qkv + (size_t)p.first * p.ld + p.head * D, *k = q + hidden,
			   *v = k + hidden;
		uint64_t key[2] = {0, 0};
		float acc[D / 8][4] = {}, m[2] = {NEVER, NEVER}, l[2] = {0, 0};
		uint32_t fq[D / 16][4];

		for (int i = 0; a.drop.below && i < 2; i++)
			key[i] = r + 8 * i < p.len ? a.drop.key[p.first + r + 8 * i] : 0;
		load_tile<D>(sq, q + (size_t)p.row * p.ld, p.ld, p.len - p.row);
		load_tile<D>(sk, k, p.ld, p.len);
		load_tile<D>(sv, v, p.ld, p.len);
		copy_commit();
		for (int t = 0; t < tiles; t++) {
			const uint32_t now = (t & 1) * bytes, next = bytes - now;
			float s[8][4];

			if (t + 1 < tiles) {
				load_tile<D>(
				    sk + next, k + (size_t)(t + 1) * TILE * p.ld, p.ld, p.len - (t + 1) * TILE);
				load_tile<D>(
				    sv + next, v + (size_t)(t + 1) * TILE * p.ld, p.ld, p.len - (t + 1) * TILE);
			}
			copy_commit();
			copy_wait<1>();
			__syncthreads();
			if (t == 0)
				left<D>(fq, sq, w, lane);
			times_transposed<D>(s, fq, sk + now, lane);
			soften<D>(s, acc, m, l, scale2, p.len - t * TILE, lane);
			if (a.drop.below)
#pragma unroll
				for (int j = 0; j < 8; j++)
#pragma unroll
					for (int i = 0; i < 4; i++)
						s[j][i] *= kept(a.drop, key[i >> 1], a.drop.site + p.head,
						    t * TILE + j * 8 + (lane & 3) * 2 + (i & 1));
			times<D>(acc, s, sv + now, lane);
			__syncthreads();
		}
		l[0] = row_sum(l[0]);
		l[1] = row_sum(l[1]);
		store_rows<D>((bf16 *)a.o + (size_t)p.first * hidden + p.head * D, hidden, r, p.len, acc, 1 / l[0],
		    1 / l[1], lane);
		for (int i = 0; a.lse != NULL && i < 2; i++)
			if ((lane & 3) == 0 && r + 8 * i < p.len)
				a.lse[(size_t)(p.first + r + 8 * i) * a.heads + p.head] =
				    m[i] * a.scale + log2f(l[i]) * LN2;
	}
}

/* delta of the block's 64 rows: the sum of o dout, two threads a row; for this kernel and the other. */
template <int D>
__device__ __forceinline__ void
row_deltas(const struct attention &a, const struct place &p, const bf16 *g, const bf16 *o, float *delta)
{
	const int hidden = a.heads * D, row = p.row + threadIdx.x / 2, first = (threadIdx.x & 1) * (D / 2);
	float sum = 0;

	for (int c = first; row < p.len && c < first + D / 2; c += 8) {
		float x[8], y[8];

		load_row8(x, g + (size_t)row * hidden + c, 0, 8);
		load_row8(y, o + (size_t)row * hidden + c, 0, 8);
#pragma unroll
		for (int i = 0; i < 8; i++)
			sum += x[i] * y[i];
	}
	sum += __shfl_xor_sync(~0u, sum, 1);
	if ((threadIdx.x & 1) == 0) {
		delta[threadIdx.x / 2] = sum;
		if (row < p.len)
			a.delta[(size_t)(p.first + row) * a.heads + p.head] = sum;
	}
}

/* dq of 64 queries, and delta of them for the other kernel. */
template <int D>
static __global__ void
__launch_bounds__(THREADS) attend_back_q(struct attention a)
{
	SHARED_MEMORY(memory);
	const uint32_t bytes = TILE * D * 2, sq = shared_address(memory), sg = sq + bytes, sk = sg + bytes,
		       sv = sk + 2 * bytes;
	float *delta = (float *)(memory + 6 * bytes);
	const int lane = threadIdx.x % 32, w = threadIdx.x / 32, items = *a.tiles.count * a.heads;
	const float scale2 = a.scale * LOG2E;

	for (int item = blockIdx.x; item < items; item += gridDim.x) {
		const struct place p = place_of(a, item);
		const int hidden = a.heads * D, r = p.row + w * 16 + (lane >> 2), tiles = (p.len + TILE - 1) / TILE;
		const bf16 *q = (const bf16 *)a.qkv + (size_t)p.first * p.ld + p.head * D, *k = q + hidden,
			   *v = k + hidden;
		const bf16 *g = (const bf16 *)a.dout + (size_t)p.first * hidden + p.head * D;
		const bf16 *o = (const bf16 *)a.o + (size_t)p.first * hidden + p.head * D;
		uint64_t key[2] = {0, 0};
		float acc[D / 8][4] = {}, lse[2], d[2];
		uint32_t fq[D / 16][4], fg[D / 16][4];

		load_tile<D>(sq, q + (size_t)p.row * p.ld, p.ld, p.len - p.row);
		load_tile<D>(sg, g + (size_t)p.row * hidden, hidden, p.len - p.row);
		load_tile<D>(sk, k, p.ld, p.len);
		load_tile<D>(sv, v, p.ld, p.len);
		copy_commit();
		row_deltas<D>(a, p, g, o, delta);
		for (int i = 0; i < 2; i++) {
			const int there = r + 8 * i < p.len;

			lse[i] = there ? a.lse[(size_t)(p.first + r + 8 * i) * a.heads + p.head] * LOG2E : 0;
			key[i] = there && a.drop.below ? a.drop.key[p.first + r + 8 * i] : 0;
		}
		for (int t = 0; t < tiles; t++) {
			const uint32_t now = (t & 1) * bytes, next = bytes - now;
			float s[8][4], dp[8][4];

			if (t + 1 < tiles) {
				load_tile<D>(
				    sk + next, k + (size_t)(t + 1) * TILE * p.ld, p.ld, p.len - (t + 1) * TILE);
				load_tile<D>(
				    sv + next, v + (size_t)(t + 1) * TILE * p.ld, p.ld, p.len - (t + 1) * TILE);
			}
			copy_commit();
			copy_wait<1>();
			__syncthreads();
			if (t == 0) {
				left<D>(fq, sq, w, lane);
				left<D>(fg, sg, w, lane);
				d[0] = delta[w * 16 + (lane >> 2)];
				d[1] = delta[w * 16 + (lane >> 2) + 8];
			}
			times_transposed<D>(s, fq, sk + now, lane);
			times_transposed<D>(dp, fg, sv + now, lane);
#pragma unroll
			for (int j = 0; j < 8; j++)
#pragma unroll
				for (int i = 0; i < 4; i++) {
					const int column = t * TILE + j * 8 + (lane & 3) * 2 + (i & 1);
					const float prob = exp2f(s[j][i] * scale2 - lse[i >> 1]);

					if (a.drop.below)
						dp[j][i] *= kept(a.drop, key[i >> 1], a.drop.site + p.head, column);
					s[j][i] = column < p.len ? prob * (dp[j][i] - d[i >> 1]) : 0;
				}
			times<D>(acc, s, sk + now, lane);
			__syncthreads();
		}
		store_rows<D>(
		    (bf16 *)a.dqkv + (size_t)p.first * p.ld + p.head * D, p.ld, r, p.len, acc, a.scale, a.scale, lane);
	}
}

/*
 * What 16 keys and 16 queries (from query0 on) give to dk and dv of the keys.  Scores are made transposed: rows of the
 * fragments are keys.  p: probabilities through dropout, d: gradients of scores, as left operands of the two products.
 */
template <int D>
__device__ __forceinline__ void
back_16(const struct attention &a, const struct place &p, uint32_t sk, uint32_t sv, uint32_t sq, uint32_t sg, int j,
    int query0, int lane, int w, float (&dk)[D / 8][4], float (&dv)[D / 8][4])
{
	const int r = p.row + w * 16 + (lane >> 2), row = w * 16 + (lane & 15);
	const int column = j * 16 + (lane & 7) + (lane >> 4 << 3);
	float s[2][4] = {}, dp[2][4] = {};
	uint32_t fp[4], fd[4];

#pragma unroll
	for (int k = 0; k < D / 16; k++) {
		uint32_t x[4], y[4];

		load_matrix(x, sk + piece<D>(row, k * 2 + (lane >> 4)));
		load_matrix(y, sq + piece<D>(column, k * 2 + (lane >> 3 & 1)));
		multiply(s[0], x, y[0], y[1]);
		multiply(s[1], x, y[2], y[3]);
		load_matrix(x, sv + piece<D>(row, k * 2 + (lane >> 4)));
		load_matrix(y, sg + piece<D>(column, k * 2 + (lane >> 3 & 1)));
		multiply(dp[0], x, y[0], y[1]);
		multiply(dp[1], x, y[2], y[3]);
	}
#pragma unroll
	for (int u = 0; u < 2; u++)
#pragma unroll
		for (int c = 0; c < 2; c++) {
			const int query = query0 + u * 8 + (lane & 3) * 2 + c, there = query < p.len;
			const size_t at = (size_t)(p.first + query) * a.heads + p.head;
			const float lse = there ? a.lse[at] * LOG2E : 0, delta = there ? a.delta[at] : 0;
			const uint64_t key = there && a.drop.below ? a.drop.key[p.first + query] : 0;

#pragma unroll
			for (int i = c; i < 4; i += 2) {
				const int k = r + (i >> 1) * 8;
				const float prob = there && k < p.len ? exp2f(s[u][i] * (a.scale * LOG2E) - lse) : 0;
				const float keep = a.drop.below ? kept(a.drop, key, a.drop.site + p.head, k) : 1;

				s[u][i] = prob * keep;
				dp[u][i] = prob * (keep * dp[u][i] - delta);
			}
		}
#pragma unroll
	for (int u = 0; u < 2; u++) {
		fp[2 * u] = pair(s[u][0], s[u][1]);
		fp[2 * u + 1] = pair(s[u][2], s[u][3]);
		fd[2 * u] = pair(dp[u][0], dp[u][1]);
		fd[2 * u + 1] = pair(dp[u][2], dp[u][3]);
	}
#pragma unroll
	for (int k = 0; k < D / 16; k++) {
		uint32_t y[4];

		load_matrix_transposed(y, sg + piece<D>(j * 16 + (lane & 15), k * 2 + (lane >> 4)));
		multiply(dv[2 * k], fp, y[0], y[1]);
		multiply(dv[2 * k + 1], fp, y[2], y[3]);
		load_matrix_transposed(y, sq + piece<D>(j * 16 + (lane & 15), k * 2 + (lane >> 4)));
		multiply(dk[2 * k], fd, y[0], y[1]);
		multiply(dk[2 * k + 1], fd, y[2], y[3]);
	}
}

/* dk and dv of 64 keys: a warp has 16 of them and goes over the queries, 16 at a time. */
template <int D>
static __global__ void
__launch_bounds__(THREADS) attend_back_kv(struct attention a)
{
	SHARED_MEMORY(memory);
	const uint32_t bytes = TILE * D * 2, sk = shared_address(memory), sv = sk + bytes, sq = sv + bytes,
		       sg = sq + 2 * bytes;
	const int lane = threadIdx.x % 32, w = threadIdx.x / 32, items = *a.tiles.count * a.heads;

	for (int item = blockIdx.x; item < items; item += gridDim.x) {
		const struct place p = place_of(a, item);
		const int hidden = a.heads * D, r = p.row + w * 16 + (lane >> 2), tiles = (p.len + TILE - 1) / TILE;
		const bf16 *q = (const bf16 *)a.qkv + (size_t)p.first * p.ld + p.head * D, *k = q + hidden,
			   *v = k + hidden;
		const bf16 *g = (const bf16 *)a.dout + (size_t)p.first * hidden + p.head * D;
		float dk[D / 8][4] = {}, dv[D / 8][4] = {};
		bf16 *to = (bf16 *)a.dqkv + (size_t)p.first * p.ld + p.head * D;

		load_tile<D>(sk, k + (size_t)p.row * p.ld, p.ld, p.len - p.row);
		load_tile<D>(sv, v + (size_t)p.row * p.ld, p.ld, p.len - p.row);
		load_tile<D>(sq, q, p.ld, p.len);
		load_tile<D>(sg, g, hidden, p.len);
		copy_commit();
		for (int t = 0; t < tiles; t++) {
			const uint32_t now = (t & 1) * bytes, next = bytes - now;

			if (t + 1 < tiles) {
				load_tile<D>(
				    sq + next, q + (size_t)(t + 1) * TILE * p.ld, p.ld, p.len - (t + 1) * TILE);
				load_tile<D>(
				    sg + next, g + (size_t)(t + 1) * TILE * hidden, hidden, p.len - (t + 1) * TILE);
			}
			copy_commit();
			copy_wait<1>();
			__syncthreads();
			for (int j = 0; j < 4 && t * TILE + j * 16 < p.len; j++)
				back_16<D>(a, p, sk, sv, sq + now, sg + now, j, t * TILE + j * 16, lane, w, dk, dv);
			__syncthreads();
		}
		store_rows<D>(to + hidden, p.ld, r, p.len, dk, a.scale, a.scale, lane);
		store_rows<D>(to + 2 * hidden, p.ld, r, p.len, dv, 1, 1, lane);
	}
}

int
cuda_attention_has_mma(const struct attention *a, enum rk_precision store)
{
	return store == RK_BF16 && (a->dim == 32 || a->dim == 64);
}

/* So many blocks that each multiprocessor is full; they take tile after tile. */
static cudaError_t
launch(void (*kernel)(struct attention), const struct attention *a, int tiles, struct cuda_run *x)
{
	const size_t shared = (size_t)tiles * TILE * a->dim * 2 + TILE * sizeof(float);
	const cudaError_t e = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)shared);

	if (e != cudaSuccess)
		return e;
	LAUNCH(kernel, dim3(x->dev->processors * 5), dim3(THREADS), shared, x->stream, *a);
	return cudaGetLastError();
}

cudaError_t
cuda_attention_mma(const struct attention *a, struct cuda_run *x)
{
	return launch(a->dim == 64 ? attend<64> : attend<32>, a, 5, x);
}

cudaError_t
cuda_attention_mma_back(const struct attention *a, struct cuda_run *x)
{
	const cudaError_t e = launch(a->dim == 64 ? attend_back_q<64> : attend_back_q<32>, a, 6, x);

	return e != cudaSuccess ? e : launch(a->dim == 64 ? attend_back_kv<64> : attend_back_kv<32>, a, 6, x);
}
