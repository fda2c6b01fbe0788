/*
 * cuda_conv.cu: convolutions over sequences and over square maps, and pooling, straight from their definition; channels
 * last.  A sequence is a map of one row: cells are (i, j), taps (u, v), u = 0 in one dimension.  Those of 3 x 3 and
 * 5 x 5, where the time of a folding network goes, are in cuda_maps.cu.
 */
#include "cuda_maps.h"

enum { THREADS = 256, PARTS = CUDA_MAPS_PARTS };

static unsigned
grid_of(size_t elements, const struct cuda_run *x)
{
	return cuda_blocks(elements, THREADS, (size_t)x->dev->processors * 32);
}

/* A sequence or map: where it begins in x and y, its extent there, and the padding above it. */
struct grid {
	int x0, y0, tall, wide, y_tall, y_wide, pad_u;
};

template <bool Two>
__device__ __forceinline__ struct grid
grid_at(const struct rk_conv &o, int b)
{
	struct grid g = {
	    o.x_first[b], o.first[b], 1, o.x_first[b + 1] - o.x_first[b], 1, o.first[b + 1] - o.first[b], 0};

	if (Two) {
		g.tall = g.wide = g.y_tall = g.y_wide = o.side[b];
		g.pad_u = o.pad;
	}
	return g;
}

/* Row of x under tap (u, v) of cell (i, j) of y; -1: outside. */
__device__ __forceinline__ int
under(const struct rk_conv &o, const struct grid &g, int i, int j, int u, int v)
{
	const int p = i + u - g.pad_u, q = j + v - o.pad;

	return p < 0 || p >= g.tall || q < 0 || q >= g.wide ? -1 : g.x0 + p * g.wide + q;
}

template <class T, bool Two>
static __global__ void
__launch_bounds__(THREADS) convolve(struct rk_conv o, const int32_t *live)
{
	const int n = o.w.n, k = o.w.k / o.w.taps, seqs = live[o.seqs];

	EACH(e, (size_t)o.first[seqs] * n, THREADS)
	{
		const int row = (int)(e / n), a = (int)(e % n), b = find_sequence(o.first, seqs, row);
		const struct grid g = grid_at<Two>(o, b);
		const int i = (row - g.y0) / g.y_wide, j = (row - g.y0) % g.y_wide;
		const float *w = (const float *)o.w.w + (size_t)a * o.w.k;
		float s = o.bias != NULL ? ((const float *)o.bias)[a] : 0;

		for (int tap = 0; tap < o.w.taps; tap++) {
			const int u = Two ? tap / o.width : 0, at = under(o, g, i, j, u, tap - u * o.width);
			const T *x = (const T *)o.x + (size_t)(at < 0 ? 0 : at) * k;

			for (int c = 0; at >= 0 && c < k; c++)
				s += w[c * o.w.taps + tap] * to_float(x[c]);
		}
		((T *)o.y)[e] = from_float<T>(act_of(o.act, s));
	}
}

template <class T, bool Two>
static __global__ void
__launch_bounds__(THREADS) convolve_back_x(struct rk_conv o, const int32_t *live)
{
	const int n = o.w.n, k = o.w.k / o.w.taps, seqs = live[o.seqs];

	EACH(e, (size_t)o.x_first[seqs] * k, THREADS)
	{
		const int row = (int)(e / k), c = (int)(e % k), b = find_sequence(o.x_first, seqs, row);
		const struct grid g = grid_at<Two>(o, b);
		const int p = (row - g.x0) / g.wide, q = (row - g.x0) % g.wide;
		T *dx = (T *)o.dx + e;
		float s = o.accumulate ? to_float(*dx) : 0;

		for (int tap = 0; tap < o.w.taps; tap++) {
			const int u = Two ? tap / o.width : 0, i = p - u + g.pad_u, j = q - (tap - u * o.width) + o.pad;
			const T *dy = (const T *)o.dy + (size_t)(g.y0 + i * g.y_wide + j) * n;

			if (i < 0 || i >= g.y_tall || j < 0 || j >= g.y_wide)
				continue;
			for (int a = 0; a < n; a++)
				s += ((const float *)o.w.w)[((size_t)a * k + c) * o.w.taps + tap] * to_float(dy[a]);
		}
		*dx = from_float<T>(s);
	}
}

/* Block (weights, part): a thread has one weight and goes over the rows of the part. */
template <class T, bool Two>
static __global__ void
__launch_bounds__(THREADS) convolve_back_w(struct rk_conv o, const int32_t *live, float *partial)
{
	const int n = o.w.n, k = o.w.k / o.w.taps, seqs = live[o.seqs], rows = o.first[seqs];
	const int per = (rows + gridDim.y - 1) / gridDim.y, first = blockIdx.y * per, end = min(first + per, rows);
	const size_t at = (size_t)blockIdx.x * THREADS + threadIdx.x, all = (size_t)n * o.w.k;
	const int tap = (int)(at % o.w.taps), c = (int)(at / o.w.taps % k), a = (int)(at / o.w.k);
	const int u = Two ? tap / o.width : 0, v = tap - u * o.width;
	float s = 0;

	if (at >= all)
		return;
	for (int row = first, b = -1, last = first; row < end; row++) {
		if (row >= last) {
			b = find_sequence(o.first, seqs, row);
			last = o.first[b + 1];
		}
		const struct grid g = grid_at<Two>(o, b);
		const int x = under(o, g, (row - g.y0) / g.y_wide, (row - g.y0) % g.y_wide, u, v);

		if (x >= 0)
			s += to_float(((const T *)o.dy)[(size_t)row * n + a]) *
			     to_float(((const T *)o.x)[(size_t)x * k + c]);
	}
	partial[blockIdx.y * all + at] = s;
}

static size_t
back_w_scratch(const struct rk_conv *o)
{
	const size_t weights = (size_t)PARTS * o->w.n * o->w.k * sizeof(float), columns = cuda_column_scratch(o->w.n);

	return weights > columns ? weights : columns;
}

template <class T, bool Two>
static cudaError_t
back_w(const struct rk_call *c, struct cuda_run *x)
{
	const struct rk_conv *o = &c->u.conv;
	const size_t all = (size_t)o->w.n * o->w.k;
	const struct cuda_sums s = {{(float *)o->dw, NULL, NULL}};
	void (*kernel)(struct rk_conv, const int32_t *, float *) = convolve_back_w<T, Two>;
	cudaError_t e = cudaSuccess;

	if (Two && cuda_maps_take(c))
		e = cuda_maps_back_w(c, (float *)x->scratch, x);
	else
		LAUNCH(kernel, dim3((unsigned)((all + THREADS - 1) / THREADS), PARTS), dim3(THREADS), 0, x->stream, *o,
		    x->live, (float *)x->scratch);
	if (e == cudaSuccess)
		e = cuda_add_partials(&s, 1, (float *)x->scratch, PARTS, all, x->stream);
	if (e == cudaSuccess && o->dbias != NULL)
		e = cuda_column_sums(o->dy, c->store, o->rows, o->cap, o->w.n, (float *)o->dbias, x);
	return e;
}

/* Rows of x that a convolution may have. */
static size_t
x_rows(const struct rk_conv *o, int two)
{
	return two ? (size_t)o->cap : (size_t)o->cap + (size_t)o->cap_seqs * o->width;
}

#define CONV_OPS(name, two)                                                                                            \
	cudaError_t cuda_##name(const struct rk_call *c, struct cuda_run *x)                                           \
	{                                                                                                              \
		const struct rk_conv *o = &c->u.conv;                                                                  \
		void (*kernel)(struct rk_conv, const int32_t *) =                                                      \
		    c->store == RK_BF16 ? convolve<bf16, two> : convolve<float, two>;                                  \
                                                                                                                       \
		if (two && cuda_maps_take(c))                                                                          \
			return cuda_maps(c, 0, x);                                                                     \
		LAUNCH(kernel, dim3(grid_of((size_t)o->cap * o->w.n, x)), dim3(THREADS), 0, x->stream, *o, x->live);   \
		return cudaGetLastError();                                                                             \
	}                                                                                                              \
                                                                                                                       \
	cudaError_t cuda_##name##_back_x(const struct rk_call *c, struct cuda_run *x)                                  \
	{                                                                                                              \
		const struct rk_conv *o = &c->u.conv;                                                                  \
		void (*kernel)(struct rk_conv, const int32_t *) =                                                      \
		    c->store == RK_BF16 ? convolve_back_x<bf16, two> : convolve_back_x<float, two>;                    \
                                                                                                                       \
		if (two && cuda_maps_take(c))                                                                          \
			return cuda_maps(c, 1, x);                                                                     \
		LAUNCH(kernel, dim3(grid_of(x_rows(o, two) * (o->w.k / o->w.taps), x)), dim3(THREADS), 0, x->stream,   \
		    *o, x->live);                                                                                      \
		return cudaGetLastError();                                                                             \
	}                                                                                                              \
                                                                                                                       \
	cudaError_t cuda_##name##_back_w(const struct rk_call *c, struct cuda_run *x)                                  \
	{                                                                                                              \
		return c->store == RK_BF16 ? back_w<bf16, two>(c, x) : back_w<float, two>(c, x);                       \
	}                                                                                                              \
                                                                                                                       \
	size_t cuda_##name##_scratch(const struct rk_call *c)                                                          \
	{                                                                                                              \
		return two && cuda_maps_take(c) ? cuda_maps_scratch(c, 0) : 0;                                         \
	}                                                                                                              \
                                                                                                                       \
	size_t cuda_##name##_back_x_scratch(const struct rk_call *c)                                                   \
	{                                                                                                              \
		return two && cuda_maps_take(c) ? cuda_maps_scratch(c, 1) : 0;                                         \
	}                                                                                                              \
                                                                                                                       \
	size_t cuda_##name##_back_w_scratch(const struct rk_call *c)                                                   \
	{                                                                                                              \
		return back_w_scratch(&c->u.conv);                                                                     \
	}

CONV_OPS(conv1d, 0)
CONV_OPS(conv2d, 1)

/* Pooling */

template <class T>
static __global__ void
__launch_bounds__(THREADS) pool(struct rk_max_pool o, const int32_t *live)
{
	const int n = o.columns, seqs = live[RK_LIVE_SEQS];

	EACH(e, (size_t)o.first[seqs] * n, THREADS)
	{
		const int row = (int)(e / n), b = find_sequence(o.first, seqs, row);
		const T *x = (const T *)o.x + (size_t)(o.x_first[b] + 2 * (row - o.first[b])) * n + e % n;

		((T *)o.y)[e] = to_float(x[n]) > to_float(x[0]) ? x[n] : x[0];
	}
}

/* One element of dx: of a pair of rows the larger gets the gradient, the first of equals; a row alone gets 0. */
template <class T>
static __global__ void
__launch_bounds__(THREADS) pool_back(struct rk_max_pool o, const int32_t *live)
{
	const int n = o.columns, seqs = live[RK_LIVE_SEQS];

	EACH(e, (size_t)o.x_first[seqs] * n, THREADS)
	{
		const int row = (int)(e / n), b = find_sequence(o.x_first, seqs, row), t = row - o.x_first[b];
		const int y = o.first[b] + t / 2, there = t / 2 < o.first[b + 1] - o.first[b];
		const T *x = (const T *)o.x + e - (size_t)(t % 2) * n;
		const int second = there && to_float(x[n]) > to_float(x[0]);

		((T *)o.dx)[e] = there && second == t % 2 ? ((const T *)o.dy)[(size_t)y * n + e % n] : from_float<T>(0);
	}
}

cudaError_t
cuda_max_pool(const struct rk_call *c, struct cuda_run *x)
{
	const struct rk_max_pool *o = &c->u.max_pool;
	void (*kernel)(struct rk_max_pool, const int32_t *) = c->store == RK_BF16 ? pool<bf16> : pool<float>;

	LAUNCH(kernel, dim3(grid_of((size_t)o->cap * o->columns, x)), dim3(THREADS), 0, x->stream, *o, x->live);
	return cudaGetLastError();
}

cudaError_t
cuda_max_pool_back(const struct rk_call *c, struct cuda_run *x)
{
	const struct rk_max_pool *o = &c->u.max_pool;
	void (*kernel)(struct rk_max_pool, const int32_t *) = c->store == RK_BF16 ? pool_back<bf16> : pool_back<float>;

	LAUNCH(kernel, dim3(grid_of((size_t)o->cap * 2 * o->columns, x)), dim3(THREADS), 0, x->stream, *o, x->live);
	return cudaGetLastError();
}
