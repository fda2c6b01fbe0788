/*
 * cuda_columns.cu: tables looked up, columns moved, sequences turned on their side, maps of pairs and their keys.  One
 * thread makes one element; what several would add to is gathered by one, in order.
 */
#include "cuda_common.h"

enum { THREADS = 256 };

static unsigned
grid_of(size_t elements, const struct cuda_run *x)
{
	return cuda_blocks(elements, THREADS, (size_t)x->dev->processors * 32);
}

/* A kernel of its op's struct for both elements, and the op. */
#define COLUMN_OP(name, kernel, member, elements)                                                                      \
	cudaError_t cuda_##name(const struct rk_call *c, struct cuda_run *x)                                           \
	{                                                                                                              \
		const auto *o = &c->u.member;                                                                          \
                                                                                                                       \
		if (c->store == RK_BF16)                                                                               \
			LAUNCH(kernel<bf16>, dim3(grid_of(elements, x)), dim3(THREADS), 0, x->stream, *o, x->live);    \
		else                                                                                                   \
			LAUNCH(kernel<float>, dim3(grid_of(elements, x)), dim3(THREADS), 0, x->stream, *o, x->live);   \
		return cudaGetLastError();                                                                             \
	}

/* 1. Columns */

template <class T>
static __global__ void
__launch_bounds__(THREADS) look_up(struct rk_lookup o, const int32_t *live)
{
	const size_t n = o.columns;

	EACH(i, live[RK_LIVE_TOKENS] * n, THREADS)
	((T *)o.y)[i] = from_float<T>(((const float *)o.table)[o.id[i / n] * n + i % n]);
}

COLUMN_OP(lookup, look_up, lookup, (size_t)o->cap * o->columns)

size_t
cuda_lookup_back_scratch(const struct rk_call *c)
{
	const struct rk_lookup *o = &c->u.lookup;

	return cuda_key_scratch(o->cap, o->entries, o->columns);
}

cudaError_t
cuda_lookup_back(const struct rk_call *c, struct cuda_run *x)
{
	const struct rk_lookup *o = &c->u.lookup;
	const struct cuda_keys keys = {o->id, 1, o->entries, o->pad};

	return cuda_key_sums(
	    o->dy, c->store, &keys, RK_LIVE_TOKENS, o->cap, o->columns, (float *)o->dtable, x->scratch, x);
}

template <class T>
static __global__ void
__launch_bounds__(THREADS) move_columns(struct rk_columns o, const int32_t *live)
{
	const size_t n = o.columns;

	EACH(i, live[o.rows] * n, THREADS)
	{
		const float v = to_float(((const T *)o.x)[i / n * o.x_columns + o.x_at + i % n]);
		T *y = (T *)o.y + i / n * o.y_columns + o.y_at + i % n;

		*y = from_float<T>(o.accumulate ? to_float(*y) + v : v);
	}
}

COLUMN_OP(columns, move_columns, columns, (size_t)o->cap * o->columns)

template <class T>
static __global__ void
__launch_bounds__(THREADS) turn_over(struct rk_turn o, const int32_t *live)
{
	const size_t n = (size_t)o.rows * o.columns;

	EACH(i, live[RK_LIVE_SEQS] * n, THREADS)
	{
		const size_t b = i / n, r = i % n / o.columns, c = i % o.columns;

		((T *)o.y)[b * n + c * o.rows + r] = ((const T *)o.x)[i];
	}
}

COLUMN_OP(turn, turn_over, turn, (size_t)o->cap_seqs * o->rows * o->columns)

/* 2. Maps of pairs */

/* Cell `row` of images that begin at first[0 .. n]: which image, and where in it. */
struct cell {
	int image, side, i, j;
};

__device__ __forceinline__ struct cell
cell_of(const int32_t *first, int n, const int32_t *offsets, int images, int row)
{
	const int m = find_sequence(first, n, row), b = m / images, side = offsets[b + 1] - offsets[b];

	return {m, side, (row - first[m]) / side, (row - first[m]) % side};
}

__device__ __forceinline__ int
image_has(const struct rk_pair &o, int image, int i, int j)
{
	return image == 1 ? j < i : o.diagonal ? j >= i : j > i;
}

static __global__ void
__launch_bounds__(THREADS) make_keys(struct rk_pair o, const int32_t *live)
{
	const int images = o.pairs != NULL ? 1 : o.images, n = images * live[RK_LIVE_SEQS];
	const int32_t *first = o.pairs != NULL ? o.pairs : o.maps;

	EACH(row, first[n], THREADS)
	{
		const struct cell c = cell_of(first, n, o.offsets, images, (int)row);
		const uint64_t *key = o.row_key + o.offsets[c.image / images];

		o.key[row] = rk_cell_key(key[c.i], key[c.j], c.image % images);
	}
}

cudaError_t
cuda_cell_keys(const struct rk_call *c, struct cuda_run *x)
{
	LAUNCH(make_keys, dim3(grid_of(c->u.pair.cap_cells, x)), dim3(THREADS), 0, x->stream, c->u.pair, x->live);
	return cudaGetLastError();
}

template <class T>
static __global__ void
__launch_bounds__(THREADS) map_pairs(struct rk_pair o, const int32_t *live)
{
	const int n = o.columns, all = o.images * live[RK_LIVE_SEQS];

	EACH(e, (size_t)o.maps[all] * n, THREADS)
	{
		const struct cell m = cell_of(o.maps, all, o.offsets, o.images, (int)(e / n));
		const int c = (int)(e % n), first = o.offsets[m.image / o.images], half = n / 2;
		const T *x = (const T *)o.x + (size_t)(first + (c < half ? m.i : m.j)) * n;

		((T *)o.y)[e] = image_has(o, m.image % o.images, m.i, m.j)
		                    ? x[c < half ? 2 * c : n - 1 - 2 * (c - half)]
		                    : from_float<T>(0);
	}
}

COLUMN_OP(pair_map, map_pairs, pair, (size_t)o->cap_cells * o->columns)

/* Column c of token t: an even one went into the row t of every image, an odd one into the column t. */
template <class T>
static __global__ void
__launch_bounds__(THREADS, 5) map_pairs_back(struct rk_pair o, const int32_t *live)
{
	const int n = o.columns, seqs = live[RK_LIVE_SEQS];

	EACH(e, (size_t)o.offsets[seqs] * n, THREADS)
	{
		const int b = find_sequence(o.offsets, seqs, (int)(e / n)), side = o.offsets[b + 1] - o.offsets[b];
		const int t = (int)(e / n) - o.offsets[b], c = (int)(e % n), even = c % 2 == 0;
		const int from = even ? c / 2 : n / 2 + (n - 1 - c) / 2;
		float s = 0;

		for (int image = 0; image < o.images; image++)
			for (int k = 0; k < side; k++) {
				const int i = even ? t : k, j = even ? k : t;
				const size_t cell = (size_t)o.maps[o.images * b + image] + (size_t)i * side + j;

				if (image_has(o, image, i, j))
					s += to_float(((const T *)o.dy)[cell * n + from]);
			}
		((T *)o.dx)[e] = from_float<T>(s);
	}
}

COLUMN_OP(pair_map_back, map_pairs_back, pair, (size_t)o->cap * o->columns)

template <class T>
static __global__ void
__launch_bounds__(THREADS) merge_pairs(struct rk_pair o, const int32_t *live)
{
	const int n = o.columns, seqs = live[RK_LIVE_SEQS];

	EACH(e, (size_t)o.pairs[seqs] * n, THREADS)
	{
		const struct cell m = cell_of(o.pairs, seqs, o.offsets, 1, (int)(e / n));
		const int image = image_has(o, 0, m.i, m.j) ? 0 : o.images == 2 && image_has(o, 1, m.i, m.j) ? 1 : -1;
		const size_t cell =
		    image < 0 ? 0 : (size_t)o.maps[o.images * m.image + image] + (size_t)m.i * m.side + m.j;

		((T *)o.y)[e] = image < 0 ? from_float<T>(0) : ((const T *)o.x)[cell * n + e % n];
	}
}

COLUMN_OP(pair_merge, merge_pairs, pair, (size_t)o->cap_cells * o->columns)

template <class T>
static __global__ void
__launch_bounds__(THREADS) merge_pairs_back(struct rk_pair o, const int32_t *live)
{
	const int n = o.columns, all = o.images * live[RK_LIVE_SEQS];

	EACH(e, (size_t)o.maps[all] * n, THREADS)
	{
		const struct cell m = cell_of(o.maps, all, o.offsets, o.images, (int)(e / n));
		const size_t pair = (size_t)o.pairs[m.image / o.images] + (size_t)m.i * m.side + m.j;

		((T *)o.dx)[e] =
		    image_has(o, m.image % o.images, m.i, m.j) ? ((const T *)o.dy)[pair * n + e % n] : from_float<T>(0);
	}
}

COLUMN_OP(pair_merge_back, merge_pairs_back, pair, (size_t)o->cap_cells * o->columns)
