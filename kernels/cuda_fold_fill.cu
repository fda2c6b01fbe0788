/*
 * cuda_fold_fill.cu: the triangles of the dynamic programme of lib/fold/mfe.h, many RNAs at once, a block an RNA.
 *
 * A block goes over the rows from the last to the first; a row's cells are its threads'.  Thread t has the column j
 * with i + j = t modulo the threads, so the cell (i+1,j-1) inside was its own: the best generic loops by size, V_s(i,j)
 * = min{ V_{s-2}(i+1,j-1), two unpaired bases on one side }, stay in its registers.  The 31 rows that interior loops
 * reach are in shared memory, with the terms of the inner pair added.
 */
#include <limits.h>

#include "cuda_fold.h"

enum {
	RING = 32,    /* rows i .. i+31 */
	PAD = 32,     /* cells without a structure before every row of the ring */
	SMALLEST = 4, /* unpaired bases of the smallest generic loop, a seed of V */
	SIZES = RK_FOLD_LOOP + 1 - SMALLEST,
	MIN_SPAN = 4
};

/* 1. A row of C */

/* A block's shared memory. */
struct fold_block {
	int pitch;
	int *cb, *c1, *cg;       /* the ring: cells with the terms of bulges, 1 x n and generic loops */
	int *dm, *fm, *stem, *f; /* dm: rows i and i + 1, one after the other */
	int2 *first;             /* candidates: column and energy, in the place of each warp */
	int *candidates, *low;   /* by warp */
	uint8_t *code;           /* code[0] and past the end: 0 */
};

static __host__ __device__ inline int
ring_cells(int threads)
{
	return PAD + RING * (threads + PAD);
}

size_t
cuda_fold_shared(int threads)
{
	return ((size_t)3 * ring_cells(threads) + 5 * (threads + 2) + 2 * threads + 2 * 32) * sizeof(int) + threads +
	       16;
}

__device__ __forceinline__ void
lay_out(struct fold_block *m, unsigned char *memory, int threads)
{
	int *p = (int *)memory;

	m->first = (int2 *)p;
	p += 2 * threads;
	m->pitch = threads + PAD;
	m->cb = p + PAD;
	m->c1 = m->cb + ring_cells(threads);
	m->cg = m->c1 + ring_cells(threads);
	p += 3 * ring_cells(threads);
	m->dm = p;
	m->fm = m->dm + 2 * (threads + 2);
	m->stem = m->fm + threads + 2;
	m->f = m->stem + threads + 2;
	m->candidates = m->f + threads + 2;
	m->low = m->candidates + 32;
	m->code = (uint8_t *)(m->low + 32);
}

__device__ __forceinline__ int
row_of(const struct fold_block *m, int i)
{
	return i % RING * m->pitch;
}

__device__ __forceinline__ int *
dm_row(const struct fold_block *m, int i)
{
	return m->dm + (i & 1) * (m->pitch - PAD + 2);
}

/* V_s(i,j) for all sizes from those of (i+1,j-1); the best of them with their size's term. */
__device__ __forceinline__ int
generic_loops(const struct fold_block *m, const struct fold_sizes *z, int i, int j, int (&v)[SIZES])
{
	const int *inner = m->cg + row_of(m, i + 3) + j - 1;
	int best = RK_FOLD_INF;

#pragma unroll
	for (int s = RK_FOLD_LOOP; s >= SMALLEST; s--) {
		int x = min(inner[2 - s], m->cg[row_of(m, i + s - 1) + j - 3]) + z->asymmetry[s - 4];

		if (s >= SMALLEST + 2) {
			x = min(x, v[s - 2 - SMALLEST]);
			best = min(best, x + z->generic[s]);
		}
		v[s - SMALLEST] = x;
	}
	return best;
}

__device__ __forceinline__ int
bulges(const struct fold_block *m, const struct fold_sizes *z, int i, int j)
{
	const int *inner = m->cb + row_of(m, i + 1) + j - 1;
	int best = RK_FOLD_INF;

#pragma unroll
	for (int s = 2; s <= RK_FOLD_LOOP; s++)
		best = min(best, min(inner[-s], m->cb[row_of(m, i + 1 + s) + j - 1]) + z->bulge[s]);
	return best;
}

/* One unpaired base on one side, 3 to 29 on the other. */
__device__ __forceinline__ int
one_by_n(const struct fold_block *m, const struct fold_sizes *z, int i, int j)
{
	const int *inner = m->c1 + row_of(m, i + 2) + j - 1;
	int best = RK_FOLD_INF;

#pragma unroll
	for (int n = 3; n < RK_FOLD_LOOP; n++)
		best = min(best, min(inner[-n], m->c1[row_of(m, i + 1 + n) + j - 2]) + z->one_n[n + 1]);
	return best;
}

/* A loop whose tables look at all its bases: n1 unpaired ones on the left, n2 on the right. */
template <int n1, int n2>
__device__ __forceinline__ int
small_loop(const struct fold_block *m, const struct rk_fold_tables *e, int i, int j, int type)
{
	const int k = i + 1 + n1, l = j - 1 - n2;
	int c, q;

	if (l - k < MIN_SPAN || (c = m->cb[row_of(m, k) + l]) >= RK_FOLD_NONE)
		return RK_FOLD_INF;
	q = e->pair_type[m->code[l]][m->code[k]];
	return c - (q > 2 ? e->terminal_au : 0) + fold_interior(e, m->code, i, j, k, l, type, q);
}

/* Stacks, bulges of one, up to 2 x 3. */
__device__ __forceinline__ int
small_loops(const struct fold_block *m, const struct rk_fold_tables *e, int i, int j, int type)
{
	int best = min(small_loop<0, 0>(m, e, i, j, type), small_loop<0, 1>(m, e, i, j, type));

	best = min(best, small_loop<1, 0>(m, e, i, j, type));
	best = min(best, small_loop<1, 1>(m, e, i, j, type));
	best = min(best, small_loop<1, 2>(m, e, i, j, type));
	best = min(best, small_loop<2, 1>(m, e, i, j, type));
	best = min(best, small_loop<2, 2>(m, e, i, j, type));
	best = min(best, small_loop<2, 3>(m, e, i, j, type));
	return min(best, small_loop<3, 2>(m, e, i, j, type));
}

/* Row i of C in column j, which may pair as type; dm: row i+1 of DM. */
__device__ __forceinline__ int
best_loop(const struct fold_block *m, const struct fold_some *s, int i, int j, int type, int generic, const int *dm)
{
	const struct rk_fold_tables *e = s->e;
	const int a = m->code[i + 1], b = m->code[j - 1];
	int best = min(fold_hairpin(e, m->code, i, j, type), small_loops(m, e, i, j, type));

	best = min(best, bulges(m, &s->sizes, i, j) + (type > 2 ? e->terminal_au : 0));
	best = min(best, one_by_n(m, &s->sizes, i, j) + e->mismatch_1n[type][a][b]);
	best = min(best, generic + e->mismatch_interior[type][a][b]);
	best = min(best, dm[j - 1] + fold_closing(e, m->code, i, j));
	return best < RK_FOLD_NONE ? best : RK_FOLD_INF;
}

/* What (i,j) contributes as the inner pair of a loop. */
__device__ __forceinline__ void
fold_in(const struct fold_block *m, const struct rk_fold_tables *e, int i, int j, int c)
{
	const int at = row_of(m, i) + j, q = e->pair_type[m->code[j]][m->code[i]], x = m->code[j + 1],
		  y = m->code[i - 1];
	const int there = c < RK_FOLD_NONE;

	m->cb[at] = there ? c + (q > 2 ? e->terminal_au : 0) : RK_FOLD_INF;
	m->c1[at] = there ? c + e->mismatch_1n[q][x][y] : RK_FOLD_INF;
	m->cg[at] = there ? c + e->mismatch_interior[q][x][y] : RK_FOLD_INF;
}

/* 2. Rows of DM, FM and F */

/* The least of x in this and all lower threads of the block; *before: in lower ones.  low: a place for each warp. */
__device__ __forceinline__ int
least_so_far(int x, int *low, int *before)
{
	const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
	int up;

#pragma unroll
	for (int d = 1; d < 32; d *= 2) {
		up = __shfl_up_sync(~0u, x, d);
		x = lane >= d ? min(x, up) : x;
	}
	if (lane == 31)
		low[warp] = x;
	__syncthreads();
	up = __shfl_up_sync(~0u, x, 1);
	*before = lane > 0 ? up : INT_MAX;
	for (int w = 0; w < warp; w++)
		*before = min(*before, low[w]);
	return min(x, *before);
}

/*
 * DM, FM of row i; thread t has column i + t.  A stem is tried as the first of several branches only where it beats
 * every way to fill i..j that is known without it (as in lib/fold/mfe.c).
 */
__device__ __forceinline__ void
branches(const struct fold_block *m, int base, int i, int n, int32_t *fm)
{
	const int t = threadIdx.x, j = i + t, lane = t % 32, warp = t / 32;
	int *dm = dm_row(m, i), stem = RK_FOLD_INF, d = RK_FOLD_INF, inner = RK_FOLD_INF, other, before, x;
	uint32_t mask;

	if (j <= n) {
		stem = m->stem[j];
		d = dm[j];
		inner = j > i ? m->fm[j] + base : RK_FOLD_INF;
	}
	other = min(d, inner);
	least_so_far(min(stem, other) - base * j, m->low, &before);
	other = t > 0 ? min(other, before + base * j) : other;
	mask = __ballot_sync(~0u, j < n && stem < RK_FOLD_NONE && stem < other);
	if (mask >> lane & 1)
		m->first[warp * 32 + __popc(mask & ((1u << lane) - 1))] = {j, stem};
	if (lane == 0)
		m->candidates[warp] = __popc(mask);
	__syncthreads();
	for (int w = 0; w <= warp; w++)
		for (int k = 0; k < m->candidates[w]; k++) {
			const int2 from = m->first[w * 32 + k];

			if (from.x < j && j <= n)
				d = min(d, from.y + fm[fold_cell(n, from.x + 1, j)]);
		}
	x = least_so_far(min(stem, min(d, inner)) - base * j, m->low, &before) + base * j;
	if (j <= n) {
		dm[j] = d;
		m->fm[j] = fm[fold_cell(n, i, j)] = min(x, (int)RK_FOLD_INF);
	}
}

/* Row i of C and all that a thread says of its cell; returns the energy of the exterior loop with the pair in it. */
__device__ __forceinline__ int
cell(const struct fold_block *m, const struct fold_some *s, int i, int j, int n, int (&v)[SIZES], int32_t *c)
{
	const struct rk_fold_tables *e = s->e;
	const int *dm = dm_row(m, i + 1);
	int type = 0, x = RK_FOLD_INF, generic;

	if (j - i >= MIN_SPAN) {
		if (j - i < MIN_SPAN + 2)
#pragma unroll
			for (int k = 0; k < SIZES; k++)
				v[k] = RK_FOLD_INF;
		generic = generic_loops(m, &s->sizes, i, j, v);
		if (e->max_span == 0 || j - i < e->max_span)
			type = e->pair_type[m->code[i]][m->code[j]];
		if (type != 0)
			x = best_loop(m, s, i, j, type, generic, dm);
		fold_in(m, e, i, j, x);
	}
	c[fold_cell(n, i, j)] = x;
	dm_row(m, i)[j] = min(dm[j] + e->ml_base, (int)RK_FOLD_INF);
	m->stem[j] = x < RK_FOLD_NONE ? x + fold_stem(e->multi, m->code, n, i, j, type) : RK_FOLD_INF;
	return x < RK_FOLD_NONE ? x + fold_stem(e->exterior, m->code, n, i, j, type) + m->f[j + 1] : RK_FOLD_INF;
}

__device__ __forceinline__ int
warp_least(int v)
{
#pragma unroll
	for (int d = 16; d > 0; d /= 2)
		v = min(v, __shfl_xor_sync(~0u, v, d));
	return v;
}

static __global__ void
__launch_bounds__(RK_FOLD_LONGEST) fill_rnas(struct fold_some s)
{
	SHARED_MEMORY(memory);
	const int t = threadIdx.x, threads = blockDim.x, b = s.order[blockIdx.x];
	const int n = s.first[b + 1] - s.first[b];
	int32_t *c = s.memory + s.at[blockIdx.x], *fm = c + fold_triangle(n), *f = fm + fold_triangle(n);
	struct fold_block m;
	int v[SIZES], u;

	lay_out(&m, memory, threads);
	for (int k = t; k < 3 * ring_cells(threads) + 3 * (threads + 2); k += threads)
		(m.cb - PAD)[k] = RK_FOLD_INF; /* and dm, fm behind the ring */
	for (int k = t; k < threads + 16; k += threads)
		m.code[k] = k >= 1 && k <= n ? s.code[s.first[b] + k - 1] : 0;
	if (t == 0)
		m.f[n + 1] = f[n + 1] = 0;
	u = ((t - 2 * n) % threads + threads) % threads;
	for (int i = n; i >= 1; i--) {
		const int j = i + u;
		int ext = RK_FOLD_INF;

		__syncthreads();
		if (j <= n)
			ext = cell(&m, &s, i, j, n, v, c);
		ext = warp_least(ext);
		if (t % 32 == 0)
			m.low[t / 32] = ext;
		__syncthreads();
		if (t == 0) {
			int best = m.f[i + 1];

			for (int w = 0; w < threads / 32; w++)
				best = min(best, m.low[w]);
			m.f[i] = f[i] = best;
		}
		__syncthreads();
		branches(&m, s.e->ml_base, i, n, fm);
		u = u + 2 >= threads ? u + 2 - threads : u + 2;
	}
}

cudaError_t
cuda_fold_prepare(int longest)
{
	return cudaFuncSetAttribute(
	    fill_rnas, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)cuda_fold_shared(longest));
}

cudaError_t
cuda_fold_fill(const struct fold_some *s, int threads, cudaStream_t stream)
{
	LAUNCH(fill_rnas, dim3(s->count), dim3(threads), cuda_fold_shared(threads), stream, *s);
	return cudaGetLastError();
}
