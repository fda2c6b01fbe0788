/*
 * cuda_group.cu: norm over all rows of a group, with activation, dropout and residual after it.  A group is dealt to
 * blocks in parts whose size depends on it alone; what the parts found is summed in order by every block that wants it.
 * Where every row is a group, a warp-sized block has it whole.
 */
#include "cuda_common.h"

enum { THREADS = 256, PARTS = 256, MOST = 128, LEAST = 4096 };

/* Elements from .. from + count - 1; of a group, or of a part of one. */
struct span {
	size_t from, count;
};

__device__ __forceinline__ struct span
span_of(const struct rk_group_norm &o, int g)
{
	const size_t n = o.columns, from = o.first != NULL ? o.first[g] : g,
		     to = o.first != NULL ? o.first[g + 1] : g + 1;

	return {from * n, (to - from) * n};
}

/* Elements of a part: LEAST or more, so that there are no more than MOST of them. */
__device__ __forceinline__ size_t
part_of(const struct span &s)
{
	const size_t n = (s.count + MOST - 1) / MOST;

	return n < LEAST ? (size_t)LEAST : n;
}

/* This block's part of a group; without parts, the group. */
__device__ __forceinline__ struct span
ours(const struct span &s, int whole)
{
	const size_t n = part_of(s), from = blockIdx.y * n, left = from < s.count ? s.count - from : 0;

	return {s.from + (whole ? 0 : from), whole ? s.count : left < n ? left : n};
}

/* The sum over a block, in every thread, in the order of a tree; `shared` has a float for each. */
__device__ __forceinline__ float
team_sum(float v, float *shared)
{
	float s;

	__syncthreads();
	shared[threadIdx.x] = v;
	for (int m = blockDim.x / 2; m > 0; m /= 2) {
		__syncthreads();
		if ((int)threadIdx.x < m)
			shared[threadIdx.x] += shared[threadIdx.x + m];
	}
	__syncthreads();
	s = shared[0];
	return s;
}

/*
 * A sum over a group, in every thread: of v over the block's threads where it has the group, else of what the blocks of
 * the parts left in partial[group][MOST].
 */
__device__ __forceinline__ float
whole_sum(float v, const float *partial, int g, const struct span &s, float *shared)
{
	if (partial == NULL)
		return team_sum(v, shared);
	v = 0;
	for (size_t p = threadIdx.x; p * part_of(s) < s.count; p += blockDim.x)
		v += partial[(size_t)g * MOST + p];
	return team_sum(v, shared);
}

/* What the threads of a block found of its part. */
static __device__ __forceinline__ void
leave(float v, float *partial, int g, float *shared)
{
	v = team_sum(v, shared);
	if (threadIdx.x == 0)
		partial[(size_t)g * MOST + blockIdx.y] = v;
}

template <class T>
__device__ __forceinline__ float
sum_of(const T *x, const struct span &s)
{
	float v = 0;

	for (size_t i = threadIdx.x; i < s.count; i += blockDim.x)
		v += to_float(x[s.from + i]);
	return v;
}

template <class T>
__device__ __forceinline__ float
squares_of(const T *x, const struct span &s, float mean)
{
	float v = 0;

	for (size_t i = threadIdx.x; i < s.count; i += blockDim.x)
		v += (to_float(x[s.from + i]) - mean) * (to_float(x[s.from + i]) - mean);
	return v;
}

/* The sums of parts; and, with sums, their squares' distances from the mean. */
template <class T>
static __global__ void
__launch_bounds__(THREADS) norm_parts(struct rk_group_norm o, const int32_t *live, const float *sums, float *partial)
{
	SHARED_MEMORY(memory);
	const T *x = (const T *)o.x;

	for (int g = blockIdx.x; g < live[o.groups]; g += gridDim.x) {
		const struct span s = span_of(o, g), part = ours(s, 0);

		if (part.count == 0)
			continue;
		if (sums == NULL)
			leave(sum_of(x, part), partial, g, (float *)memory);
		else {
			const float mean = whole_sum(0, sums, g, s, (float *)memory) / s.count;

			leave(squares_of(x, part, mean), partial, g, (float *)memory);
		}
	}
}

/* sums and squares: of the parts; NULL: a block has a group. */
template <class T>
static __global__ void
__launch_bounds__(THREADS)
    norm_groups(struct rk_group_norm o, struct drop d, const int32_t *live, const float *sums, const float *squares)
{
	SHARED_MEMORY(memory);
	const int n = o.columns, groups = live[o.first != NULL ? o.groups : o.rows], whole = sums == NULL;
	const float *gamma = (const float *)o.gamma, *beta = (const float *)o.beta;
	const T *x = (const T *)o.x;

	for (int g = blockIdx.x; g < groups; g += gridDim.x) {
		const struct span s = span_of(o, g), part = ours(s, whole);
		float mean, var, rstd;

		if (part.count == 0)
			continue;
		mean = whole_sum(whole ? sum_of(x, s) : 0, sums, g, s, (float *)memory) / s.count;
		var = whole_sum(whole ? squares_of(x, s, mean) : 0, squares, g, s, (float *)memory) / s.count;
		rstd = 1 / sqrtf(var + o.eps);
		if (threadIdx.x == 0 && blockIdx.y == 0) {
			((float *)o.stats)[2 * (size_t)g] = mean;
			((float *)o.stats)[2 * (size_t)g + 1] = rstd;
		}
		for (size_t i = threadIdx.x; i < part.count; i += blockDim.x) {
			const size_t at = part.from + i, c = at % n;
			float v = act_of(o.act, (to_float(x[at]) - mean) * rstd * gamma[c] + beta[c]);

			if (d.below)
				v *= kept(d, d.key[at / n], d.site, (uint32_t)c);
			if (o.residual != NULL)
				v += to_float(((const T *)o.residual)[at]);
			((T *)o.y)[at] = from_float<T>(v);
		}
	}
}

/* The gradient before gamma and beta of element `at` of a group with these statistics, and its normalised value. */
template <class T>
__device__ __forceinline__ float
inner(const struct rk_group_norm &o, const struct drop &d, const float *stats, size_t at, float *zhat)
{
	const size_t c = at % o.columns;
	float u, v = to_float(((const T *)o.dy)[at]);

	*zhat = (to_float(((const T *)o.x)[at]) - stats[0]) * stats[1];
	u = *zhat * ((const float *)o.gamma)[c] + ((const float *)o.beta)[c];
	if (d.below)
		v *= kept(d, d.key[at / o.columns], d.site, (uint32_t)c);
	return v * (o.act == RK_NONE || u > 0 ? 1 : o.act == RK_CELU ? expf(u) : 0);
}

/* dgamma and dbeta: block (columns, part); a thread has a column and goes over the rows of the part. */
template <class T>
static __global__ void
__launch_bounds__(THREADS) group_sums(struct rk_group_norm o, struct drop d, const int32_t *live, float *partial)
{
	const int n = o.columns, c = blockIdx.x * THREADS + threadIdx.x, groups = live[o.groups];
	const int rows = live[o.rows], per = (rows + (int)gridDim.y - 1) / (int)gridDim.y;
	float sums[2] = {0, 0};

	for (int r = blockIdx.y * per; c < n && r < rows && r < (int)(blockIdx.y + 1) * per; r++) {
		const int g = o.first != NULL ? find_sequence(o.first, groups, r) : r;
		float zhat, v = inner<T>(o, d, (const float *)o.stats + 2 * (size_t)g, (size_t)r * n + c, &zhat);

		sums[0] += v * zhat;
		sums[1] += v;
	}
	for (int k = 0; c < n && k < 2; k++)
		partial[((size_t)blockIdx.y * 2 + k) * n + c] = sums[k];
}

/* The sums of v and v zhat over a span, v the gradient times gamma. */
template <class T>
__device__ __forceinline__ void
back_sums(
    const struct rk_group_norm &o, const struct drop &d, const float *stats, const struct span &s, float (&sum)[2])
{
	float zhat, v;

	sum[0] = sum[1] = 0;
	for (size_t i = threadIdx.x; i < s.count; i += blockDim.x) {
		v = inner<T>(o, d, stats, s.from + i, &zhat) * ((const float *)o.gamma)[(s.from + i) % o.columns];
		sum[0] += v;
		sum[1] += v * zhat;
	}
}

/* Those of parts, to partial[2][groups][MOST]; most: groups there is room for. */
template <class T>
static __global__ void
__launch_bounds__(THREADS)
    back_parts(struct rk_group_norm o, struct drop d, const int32_t *live, float *partial, int most)
{
	SHARED_MEMORY(memory);
	float sum[2];

	for (int g = blockIdx.x; g < live[o.groups]; g += gridDim.x) {
		const struct span part = ours(span_of(o, g), 0);

		if (part.count == 0)
			continue;
		back_sums<T>(o, d, (const float *)o.stats + 2 * (size_t)g, part, sum);
		leave(sum[0], partial, g, (float *)memory);
		leave(sum[1], partial + (size_t)most * MOST, g, (float *)memory);
	}
}

template <class T>
static __global__ void
__launch_bounds__(THREADS, 5)
    norm_groups_back(struct rk_group_norm o, struct drop d, const int32_t *live, const float *partial, int most)
{
	SHARED_MEMORY(memory);
	const int n = o.columns, groups = live[o.first != NULL ? o.groups : o.rows], whole = partial == NULL;
	const float *gamma = (const float *)o.gamma;

	for (int g = blockIdx.x; g < groups; g += gridDim.x) {
		const struct span s = span_of(o, g), part = ours(s, whole);
		const float *stats = (const float *)o.stats + 2 * (size_t)g;
		float sum[2] = {}, a, b, zhat, v;

		if (part.count == 0)
			continue;
		if (whole)
			back_sums<T>(o, d, stats, s, sum);
		a = whole_sum(sum[0], partial, g, s, (float *)memory) / s.count;
		b = whole_sum(sum[1], whole ? NULL : partial + (size_t)most * MOST, g, s, (float *)memory) / s.count;
		for (size_t i = threadIdx.x; i < part.count; i += blockDim.x) {
			const size_t at = part.from + i;
			const T dy = ((const T *)o.dy)[at];

			v = inner<T>(o, d, stats, at, &zhat) * gamma[at % n];
			if (o.dresidual != NULL)
				((T *)o.dresidual)[at] = dy;
			((T *)o.dx)[at] = from_float<T>(stats[1] * (v - a - zhat * b));
		}
	}
}

/* Threads of a group's block, blocks, and the parts that a group may have. */
static unsigned
team_of(const struct rk_group_norm *o)
{
	return o->first != NULL ? THREADS : 32;
}

static dim3
blocks_of(const struct rk_group_norm *o, const struct cuda_run *x)
{
	if (o->first == NULL)
		return dim3(cuda_blocks(o->cap, 1, (size_t)x->dev->processors * 32));
	return dim3(cuda_blocks(o->cap_groups, 1, (size_t)x->dev->processors * 32),
	    cuda_blocks((size_t)o->cap * o->columns, LEAST, MOST));
}

static size_t
parts_scratch(const struct rk_group_norm *o)
{
	return o->first != NULL ? 2 * (size_t)o->cap_groups * MOST * sizeof(float) : 0;
}

size_t
cuda_group_norm_scratch(const struct rk_call *c)
{
	return parts_scratch(&c->u.group_norm);
}

template <class T>
static cudaError_t
forward(const struct rk_group_norm *o, struct cuda_run *x)
{
	const unsigned team = team_of(o);
	const dim3 grid = blocks_of(o, x);
	float *sums = o->first != NULL ? (float *)x->scratch : NULL;
	float *squares = sums != NULL ? sums + (size_t)o->cap_groups * MOST : NULL;

	if (sums != NULL) {
		LAUNCH(norm_parts<T>, grid, dim3(team), team * sizeof(float), x->stream, *o, x->live,
		    (const float *)NULL, sums);
		LAUNCH(norm_parts<T>, grid, dim3(team), team * sizeof(float), x->stream, *o, x->live, sums, squares);
	}
	LAUNCH(norm_groups<T>, grid, dim3(team), team * sizeof(float), x->stream, *o, cuda_drop(&o->drop), x->live,
	    sums, squares);
	return cudaGetLastError();
}

cudaError_t
cuda_group_norm(const struct rk_call *c, struct cuda_run *x)
{
	return c->store == RK_BF16 ? forward<bf16>(&c->u.group_norm, x) : forward<float>(&c->u.group_norm, x);
}

size_t
cuda_group_norm_back_scratch(const struct rk_call *c)
{
	const size_t sums = (size_t)PARTS * 2 * c->u.group_norm.columns * sizeof(float),
		     parts = parts_scratch(&c->u.group_norm);

	return sums > parts ? sums : parts;
}

template <class T>
static cudaError_t
backward(const struct rk_group_norm *o, struct cuda_run *x)
{
	const struct cuda_sums s = {{(float *)o->dgamma, (float *)o->dbeta, NULL}};
	const unsigned team = team_of(o);
	const struct drop d = cuda_drop(&o->drop);
	const dim3 grid = blocks_of(o, x);
	float *partial = o->first != NULL ? (float *)x->scratch : NULL;
	cudaError_t e;

	/* first what reads dy: dx may be dy */
	LAUNCH(group_sums<T>, dim3((o->columns + THREADS - 1) / THREADS, PARTS), dim3(THREADS), 0, x->stream, *o, d,
	    x->live, (float *)x->scratch);
	if ((e = cuda_add_partials(&s, 2, (float *)x->scratch, PARTS, o->columns, x->stream)) != cudaSuccess)
		return e;
	if (partial != NULL)
		LAUNCH(back_parts<T>, grid, dim3(team), team * sizeof(float), x->stream, *o, d, x->live, partial,
		    o->cap_groups);
	LAUNCH(norm_groups_back<T>, grid, dim3(team), team * sizeof(float), x->stream, *o, d, x->live, partial,
	    o->cap_groups);
	return cudaGetLastError();
}

cudaError_t
cuda_group_norm_back(const struct rk_call *c, struct cuda_run *x)
{
	return c->store == RK_BF16 ? backward<bf16>(&c->u.group_norm, x) : backward<float>(&c->u.group_norm, x);
}
