/*
 * cuda_group.cu: norm over all rows of a group, with activation, dropout and residual after it.  A block has a group;
 * where every row is one, a warp-sized block has it.
 */
#include "cuda_common.h"

enum { THREADS = 256, PARTS = 64 };

/* Elements of group g: from, and how many. */
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

template <class T>
static __global__ void
__launch_bounds__(THREADS) norm_groups(struct rk_group_norm o, struct drop d, const int32_t *live)
{
	SHARED_MEMORY(memory);
	const int n = o.columns, groups = live[o.first != NULL ? o.groups : o.rows];
	const float *gamma = (const float *)o.gamma, *beta = (const float *)o.beta;

	for (int g = blockIdx.x; g < groups; g += gridDim.x) {
		const struct span s = span_of(o, g);
		const T *x = (const T *)o.x + s.from;
		float mean = 0, var = 0, rstd;

		for (size_t i = threadIdx.x; i < s.count; i += blockDim.x)
			mean += to_float(x[i]);
		mean = team_sum(mean, (float *)memory) / s.count;
		for (size_t i = threadIdx.x; i < s.count; i += blockDim.x)
			var += (to_float(x[i]) - mean) * (to_float(x[i]) - mean);
		rstd = 1 / sqrtf(team_sum(var, (float *)memory) / s.count + o.eps);
		if (threadIdx.x == 0) {
			((float *)o.stats)[2 * (size_t)g] = mean;
			((float *)o.stats)[2 * (size_t)g + 1] = rstd;
		}
		for (size_t i = threadIdx.x; i < s.count; i += blockDim.x) {
			const size_t at = s.from + i, c = at % n;
			float v = act_of(o.act, (to_float(x[i]) - mean) * rstd * gamma[c] + beta[c]);

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
	float sums[2] = { 0, 0 };

	for (int r = blockIdx.y * per; c < n && r < rows && r < (int)(blockIdx.y + 1) * per; r++) {
		const int g = o.first != NULL ? find_sequence(o.first, groups, r) : r;
		float zhat, v = inner<T>(o, d, (const float *)o.stats + 2 * (size_t)g, (size_t)r * n + c, &zhat);

		sums[0] += v * zhat;
		sums[1] += v;
	}
	for (int k = 0; c < n && k < 2; k++)
		partial[((size_t)blockIdx.y * 2 + k) * n + c] = sums[k];
}

template <class T>
static __global__ void
__launch_bounds__(THREADS, 5) norm_groups_back(struct rk_group_norm o, struct drop d, const int32_t *live)
{
	SHARED_MEMORY(memory);
	const int n = o.columns, groups = live[o.first != NULL ? o.groups : o.rows];
	const float *gamma = (const float *)o.gamma;

	for (int g = blockIdx.x; g < groups; g += gridDim.x) {
		const struct span s = span_of(o, g);
		const float *stats = (const float *)o.stats + 2 * (size_t)g;
		float a = 0, b = 0, zhat, v;

		for (size_t i = threadIdx.x; i < s.count; i += blockDim.x) {
			v = inner<T>(o, d, stats, s.from + i, &zhat) * gamma[(s.from + i) % n];
			a += v;
			b += v * zhat;
		}
		a = team_sum(a, (float *)memory) / s.count;
		b = team_sum(b, (float *)memory) / s.count;
		for (size_t i = threadIdx.x; i < s.count; i += blockDim.x) {
			const size_t at = s.from + i;
			const T dy = ((const T *)o.dy)[at];

			v = inner<T>(o, d, stats, at, &zhat) * gamma[at % n];
			if (o.dresidual != NULL)
				((T *)o.dresidual)[at] = dy;
			((T *)o.dx)[at] = from_float<T>(stats[1] * (v - a - zhat * b));
		}
	}
}

/* Threads of a group's block, and blocks. */
static unsigned
team_of(const struct rk_group_norm *o)
{
	return o->first != NULL ? THREADS : 32;
}

static unsigned
blocks_of(const struct rk_group_norm *o, const struct cuda_run *x)
{
	return cuda_blocks(o->first != NULL ? o->cap_groups : o->cap, 1, (size_t)x->dev->processors * 32);
}

cudaError_t
cuda_group_norm(const struct rk_call *c, struct cuda_run *x)
{
	const struct rk_group_norm *o = &c->u.group_norm;
	const unsigned team = team_of(o);
	void (*kernel)(struct rk_group_norm, struct drop, const int32_t *) =
	    c->store == RK_BF16 ? norm_groups<bf16> : norm_groups<float>;

	LAUNCH(kernel, dim3(blocks_of(o, x)), dim3(team), team * sizeof(float), x->stream, *o, cuda_drop(&o->drop),
	    x->live);
	return cudaGetLastError();
}

size_t
cuda_group_norm_back_scratch(const struct rk_call *c)
{
	return (size_t)PARTS * 2 * c->u.group_norm.columns * sizeof(float);
}

cudaError_t
cuda_group_norm_back(const struct rk_call *c, struct cuda_run *x)
{
	const struct rk_group_norm *o = &c->u.group_norm;
	const struct cuda_sums s = {{(float *)o->dgamma, (float *)o->dbeta, NULL}};
	const unsigned team = team_of(o);
	const struct drop d = cuda_drop(&o->drop);
	void (*sums)(struct rk_group_norm, struct drop, const int32_t *, float *) =
	    c->store == RK_BF16 ? group_sums<bf16> : group_sums<float>;
	void (*back)(struct rk_group_norm, struct drop, const int32_t *) =
	    c->store == RK_BF16 ? norm_groups_back<bf16> : norm_groups_back<float>;
	cudaError_t e;

	/* first what reads dy: dx may be dy */
	LAUNCH(sums, dim3((o->columns + THREADS - 1) / THREADS, PARTS), dim3(THREADS), 0, x->stream, *o, d, x->live,
	    (float *)x->scratch);
	if ((e = cuda_add_partials(&s, 2, (float *)x->scratch, PARTS, o->columns, x->stream)) != cudaSuccess)
		return e;
	LAUNCH(back, dim3(blocks_of(o, x)), dim3(team), team * sizeof(float), x->stream, *o, d, x->live);
	return cudaGetLastError();
}
