/*
 * cuda_fold.h: between cuda_fold.cu (filling the triangles, the host's side) and cuda_fold_trace.cu (the structures).
 *
 * Energies as in lib/fold/energy.c, by rk_fold.h's tables.  Positions are 1-based: code[1] is the first base.
 */
#ifndef CUDA_FOLD_H
#define CUDA_FOLD_H

#include "cuda_common.h"
#include "rk_fold.h"

/* Terms of loops by their unpaired bases, among a kernel's parameters: the same index in every thread. */
struct fold_sizes {
	int bulge[RK_FOLD_LOOP + 1], one_n[RK_FOLD_LOOP + 1], generic[RK_FOLD_LOOP + 1], asymmetry[RK_FOLD_LOOP + 1];
};

/*
 * Some of the RNAs, one a block or a warp.  The memory of an RNA begins at memory + at[]: triangles of C and FM, whose
 * row i holds columns i..n, then F, [n + 2].
 */
struct fold_some {
	const struct rk_fold_tables *e;
	const uint8_t *code;
	const int32_t *first; /* of RNA b in code and partner, and of b + 1 */
	const int32_t *order; /* which RNAs */
	const int64_t *at;    /* [count], beside order */
	int count;
	int32_t *memory;
	int32_t *energy; /* by RNA; RK_FOLD_INF: the triangles do not agree with themselves (a defect) */
	int16_t *partner;
	struct fold_sizes sizes;
};

static __host__ __device__ inline int
fold_triangle(int n)
{
	return n * (n + 1) / 2;
}

/* Place of (i,j) in a triangle. */
__device__ __forceinline__ int
fold_cell(int n, int i, int j)
{
	return (i - 1) * n - (i - 1) * (i - 2) / 2 + j - i;
}

__device__ __forceinline__ int
fold_hairpin(const struct rk_fold_tables *e, const uint8_t *code, int i, int j, int type)
{
	const int n = j - i - 1;

	if (n == 3 || n == 4 || n == 6) {
		const uint32_t key = rk_fold_key(code + i, n + 2);

		for (int k = 0; k < e->nspecial; k++)
			if (e->special_key[k] == key)
				return e->special_energy[k];
	}
	if (n == 3)
		return e->hairpin[3] + (type > 2 ? e->terminal_au : 0);
	return e->hairpin[n] + e->mismatch_hairpin[type][code[i + 1]][code[j - 1]];
}

/* The interior loop, bulge or stack between (i,j) of type t and (k,l), seen from inside of type q. */
__device__ __forceinline__ int
fold_interior(const struct rk_fold_tables *e, const uint8_t *code, int i, int j, int k, int l, int t, int q)
{
	const int n1 = k - i - 1, n2 = j - l - 1, n = n1 + n2, least = n1 < n2 ? n1 : n2;
	const int a = code[i + 1], b = code[j - 1], c = code[k - 1], d = code[l + 1];

	if (n == 0)
		return e->stack[t][q];
	if (least == 0)
		return e->bulge[n] +
		       (n == 1 ? e->stack[t][q] : (t > 2 ? e->terminal_au : 0) + (q > 2 ? e->terminal_au : 0));
	if (n == 2)
		return e->int11[t][q][a][b];
	if (n == 3)
		return n1 == 1 ? e->int21[t][q][a][d][b] : e->int21[q][t][d][a][c];
	if (n == 4 && least == 2)
		return e->int22[t][q][a][c][d][b];
	if (least == 1)
		return e->interior[n] + e->asymmetry[n - 2] + e->mismatch_1n[t][a][b] + e->mismatch_1n[q][d][c];
	if (n == 5)
		return e->loop_23 + e->mismatch_23[t][a][b] + e->mismatch_23[q][d][c];
	return e->interior[n] + e->asymmetry[n - 2 * least] + e->mismatch_interior[t][a][b] +
	       e->mismatch_interior[q][d][c];
}

/* A branch's term from its table; n: length of the RNA. */
__device__ __forceinline__ int
fold_stem(const int32_t table[8][6][6], const uint8_t *code, int n, int i, int j, int type)
{
	return table[type][i > 1 ? code[i - 1] : 5][j < n ? code[j + 1] : 5];
}

__device__ __forceinline__ int
fold_closing(const struct rk_fold_tables *e, const uint8_t *code, int i, int j)
{
	return e->closing[e->pair_type[code[j]][code[i]]][code[j - 1]][code[i + 1]];
}

/* cuda_fold.cu: as in rk_device.h. */
void *cuda_fold_create(void *dev, const struct rk_fold_tables *e);
int cuda_fold_longest(const void *folder);
enum rk_status
cuda_fold_run(void *folder, const uint8_t *code, const int32_t *first, int n, int32_t *energy, int16_t *partner);
void cuda_fold_destroy(void *folder);
/* cuda_fold_fill.cu: fills the triangles by blocks of so many threads, a multiple of 32 and no fewer than an RNA has
 * nt. */
cudaError_t cuda_fold_fill(const struct fold_some *s, int threads, cudaStream_t stream);
size_t cuda_fold_shared(int threads);       /* bytes of shared memory of a block */
cudaError_t cuda_fold_prepare(int longest); /* once, before the first */
/* cuda_fold_trace.cu: structures and energies of RNAs whose triangles are filled. */
cudaError_t cuda_fold_trace(const struct fold_some *s, cudaStream_t stream);

#endif
