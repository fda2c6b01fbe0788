/*
 * cuda_fold_trace.cu: the structures behind the energies.  A warp has an RNA; its lanes look at 32 places at once and
 * take the first that fits, in the order in which lib/fold/mfe_trace.c looks, so that among equals the same structure
 * comes out.
 */
#include "cuda_fold.h"

enum { TRACERS = 4, STACK = RK_FOLD_LONGEST + 2 };

enum part { PART_C, PART_FM };

struct trace {
	const struct rk_fold_tables *e;
	const uint8_t *code;
	const int32_t *c, *fm, *f;
	int n;
	uint32_t *stack; /* part, i and j of pieces of work, in shared memory */
	int depth;
	int16_t *partner; /* of position 1 at [1] */
};

__device__ __forceinline__ int
lane_of(void)
{
	return threadIdx.x % 32;
}

__device__ __forceinline__ void
push(struct trace *t, enum part part, int i, int j)
{
	__syncwarp();
	if (lane_of() == 0)
		t->stack[t->depth] = (uint32_t)part << 30 | (uint32_t)i << 15 | (uint32_t)j;
	t->depth++;
	__syncwarp();
}

/* The first lane for which it holds, or -1. */
__device__ __forceinline__ int
first_lane(int holds)
{
	return __ffs((int)__ballot_sync(~0u, holds)) - 1;
}

__device__ __forceinline__ int
type_at(const struct trace *t, int i, int j)
{
	return t->e->pair_type[t->code[i]][t->code[j]];
}

/* FM(i,k) + FM(k+1,j) = x; 0 when there is no such k. */
static __device__ int
split(struct trace *t, int i, int j, int x)
{
	for (int from = i; from < j; from += 32) {
		const int k = from + lane_of();
		const int left = k < j ? t->fm[fold_cell(t->n, i, k)] : RK_FOLD_INF;
		const int at = first_lane(left < RK_FOLD_NONE && left + t->fm[fold_cell(t->n, k + 1, j)] == x);

		if (at >= 0) {
			push(t, PART_FM, i, from + at);
			push(t, PART_FM, from + at + 1, j);
			return 1;
		}
	}
	return 0;
}

/* What (i,j) closes: C of the pair inside, or a multiloop. */
static __device__ int
trace_pair(struct trace *t, int i, int j)
{
	const int x = t->c[fold_cell(t->n, i, j)], type = type_at(t, i, j);

	if (lane_of() == 0) {
		t->partner[i] = (int16_t)(j - 1);
		t->partner[j] = (int16_t)(i - 1);
	}
	if (x == fold_hairpin(t->e, t->code, i, j, type))
		return 1;
	for (int k = i + 1; k - i - 1 <= RK_FOLD_LOOP && k < j - 4; k++) {
		const int l = j - 1 - lane_of();
		const int may = k - i - 1 + lane_of() <= RK_FOLD_LOOP && l - k >= 4;
		const int c = may ? t->c[fold_cell(t->n, k, l)] : RK_FOLD_INF;
		const int at = first_lane(
		    c < RK_FOLD_NONE && c + fold_interior(t->e, t->code, i, j, k, l, type, type_at(t, l, k)) == x);

		if (at >= 0) {
			push(t, PART_C, k, j - 1 - at);
			return 1;
		}
	}
	return split(t, i + 1, j - 1, x - fold_closing(t->e, t->code, i, j));
}

/* Unpaired bases at the end (step 1 of j down) or the start of a stretch of FM; how many. */
static __device__ int
unpaired(const struct trace *t, int i, int j, int from_end)
{
	const int lane = lane_of();
	int n = 0, run;

	do {
		const int a = from_end ? i : i + n + lane, b = from_end ? j - n - lane : j;
		const int same = a < b && t->fm[fold_cell(t->n, a, b)] ==
		                              t->fm[from_end ? fold_cell(t->n, a, b - 1) : fold_cell(t->n, a + 1, b)] +
		                                  t->e->ml_base;

		run = first_lane(!same);
		run = run < 0 ? 32 : run;
		n += run;
	} while (run == 32);
	return n;
}

static __device__ int
trace_multi(struct trace *t, int i, int j)
{
	int type, x;

	j -= unpaired(t, i, j, 1);
	i += unpaired(t, i, j, 0);
	x = t->fm[fold_cell(t->n, i, j)];
	type = type_at(t, i, j);
	if (type != 0 && t->c[fold_cell(t->n, i, j)] < RK_FOLD_NONE &&
	    x == t->c[fold_cell(t->n, i, j)] + fold_stem(t->e->multi, t->code, t->n, i, j, type)) {
		push(t, PART_C, i, j);
		return 1;
	}
	return split(t, i, j, x);
}

/* The stems of the exterior loop. */
static __device__ int
trace_exterior(struct trace *t)
{
	for (int i = 1; i <= t->n;) {
		int at = -1, from = i + 4;

		if (t->f[i] == t->f[i + 1]) {
			i++;
			continue;
		}
		for (; from <= t->n && at < 0; from += 32) {
			const int j = from + lane_of(), type = j <= t->n ? type_at(t, i, j) : 0;
			const int c = type != 0 ? t->c[fold_cell(t->n, i, j)] : RK_FOLD_INF;

			at = first_lane(
			    c < RK_FOLD_NONE &&
			    t->f[i] == c + fold_stem(t->e->exterior, t->code, t->n, i, j, type) + t->f[j + 1]);
		}
		if (at < 0)
			return 0;
		at += from - 32;
		push(t, PART_C, i, at);
		i = at + 1;
	}
	return 1;
}

static __global__ void __launch_bounds__(32 * TRACERS, 6) trace_rnas(struct fold_some s)
{
	SHARED_MEMORY(memory);
	const int warp = threadIdx.x / 32, w = blockIdx.x * TRACERS + warp, b = w < s.count ? s.order[w] : 0;
	const int n = s.first[b + 1] - s.first[b];
	const int32_t *own = s.memory + (w < s.count ? s.at[w] : 0);
	struct trace t = {s.e, s.code + s.first[b] - 1, own, own + fold_triangle(n), own + 2 * fold_triangle(n), n,
	    (uint32_t *)memory + warp * STACK, 0, s.partner + s.first[b] - 1};
	int good;

	if (w >= s.count)
		return;
	for (int i = lane_of(); i < n; i += 32)
		t.partner[i + 1] = -1;
	__syncwarp();
	good = trace_exterior(&t);
	while (good && t.depth > 0) {
		const uint32_t work = t.stack[--t.depth];
		const int i = work >> 15 & 0x7fff, j = work & 0x7fff;

		good = work >> 30 == PART_FM ? trace_multi(&t, i, j) : trace_pair(&t, i, j);
	}
	if (lane_of() == 0)
		s.energy[b] = good ? t.f[1] : RK_FOLD_INF;
}

cudaError_t
cuda_fold_trace(const struct fold_some *s, cudaStream_t stream)
{
	LAUNCH(trace_rnas, dim3((s->count + TRACERS - 1) / TRACERS), dim3(32 * TRACERS),
	    TRACERS * STACK * sizeof(uint32_t), stream, *s);
	return cudaGetLastError();
}
