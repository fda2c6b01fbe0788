/*
 * cuda_reduce.cu: sums over rows in a fixed order: parts by blocks, then the parts.  No atomic additions: the same bits
 * in every run.
 */
#include "cuda_common.h"

enum { ROWS = 8, COLUMN_PARTS = 64, KEY_PART = 1024 };

/* A block of 32 x ROWS adds up 32 columns: thread row y the parts y, y + ROWS, ...; then the rows one after the other.
 */
static __global__ void
    __launch_bounds__(32 * ROWS) add_partials(struct cuda_sums s, const float *partial, int blocks, size_t n)
{
	SHARED_MEMORY(memory);
	float *sums = (float *)memory, total = 0;
	const size_t c = (size_t)blockIdx.x * 32 + threadIdx.x;
	const int k = blockIdx.y, arrays = gridDim.y;

	if (c < n)
#pragma unroll 4
		for (int b = threadIdx.y; b < blocks; b += ROWS)
			total += partial[((size_t)b * arrays + k) * n + c];
	sums[threadIdx.y * 32 + threadIdx.x] = total;
	__syncthreads();
	if (threadIdx.y != 0 || c >= n || s.dst[k] == NULL)
		return;
	for (int y = 1; y < ROWS; y++)
		total += sums[y * 32 + threadIdx.x];
	s.dst[k][c] += total;
}

cudaError_t
cuda_add_partials(
    const struct cuda_sums *s, int arrays, const float *partial, int blocks, size_t n, cudaStream_t stream)
{
	LAUNCH(add_partials, dim3((unsigned)((n + 31) / 32), arrays), dim3(32, ROWS), 32 * ROWS * sizeof(float), stream,
	    *s, partial, blocks, n);
	return cudaGetLastError();
}

/* The sums of a block's threads, eight columns each, into its part. */
__device__ __forceinline__ void
write_part(const float (&total)[8], int n, float *partial)
{
	SHARED_MEMORY(memory);
	float(*sums)[256] = (float(*)[256])memory;
	const int column = threadIdx.y * 32 + threadIdx.x, at = blockIdx.x * 256 + column;
	float s = 0;

#pragma unroll
	for (int i = 0; i < 8; i++)
		sums[threadIdx.y][threadIdx.x * 8 + i] = total[i];
	__syncthreads();
	for (int y = 0; y < ROWS; y++)
		s += sums[y][column];
	if (at < n)
		partial[(size_t)blockIdx.y * n + at] = s;
}

/* Column sums of the rows of one part: thread (x, y) takes eight columns of rows y, y + ROWS, ... of the part. */
template <class T, bool Whole>
static __global__ void
    __launch_bounds__(32 * ROWS) column_sums(const T *x, const int32_t *live, int rows, int n, float *partial)
{
	const int c = (blockIdx.x * 32 + threadIdx.x) * 8, end = live[rows];
	float total[8] = {}, v[8];

	for (int r = blockIdx.y * ROWS + threadIdx.y; r < end && c < n; r += gridDim.y * ROWS) {
		load_part<Whole>(v, x + (size_t)r * n, c, n);
#pragma unroll
		for (int i = 0; i < 8; i++)
			total[i] += v[i];
	}
	write_part(total, n, partial);
}

template <class T> struct act_back {
	T *dy;
	const T *y; /* of GELU: what it was given */
	enum rk_act act;
};

/* The same sums of dy after it went back through the activation, which is done on the way; partial NULL: no sums. */
template <class T, bool Whole>
static __global__ void __launch_bounds__(32 * ROWS)
    act_back_sums(struct act_back<T> o, const int32_t *live, int rows, int n, float *partial)
{
	const int c = (blockIdx.x * 32 + threadIdx.x) * 8, end = live[rows];
	float total[8] = {}, v[8], y[8];

	for (int r = blockIdx.y * ROWS + threadIdx.y; r < end && c < n; r += gridDim.y * ROWS) {
		load_part<Whole>(v, o.dy + (size_t)r * n, c, n);
		load_part<Whole>(y, o.y + (size_t)r * n, c, n);
#pragma unroll
		for (int i = 0; i < 8; i++) {
			const float s = o.act == RK_GELU ? slope(RK_GELU, 0, y[i]) : slope(o.act, y[i], 0);

			/* a gradient that is not finite stays out where ReLU is 0; what is stored is what is added */
			v[i] = to_float(from_float<T>(o.act == RK_RELU && s == 0 ? 0 : v[i] * s));
			total[i] += v[i];
		}
		store_part<Whole>(o.dy + (size_t)r * n, c, n, v);
	}
	if (partial != NULL)
		write_part(total, n, partial);
}

size_t
cuda_column_scratch(int n)
{
	return (size_t)COLUMN_PARTS * n * sizeof(float);
}

/* How both kernels over columns are launched. */
static dim3
column_grid(int cap, int n)
{
	return dim3((n + 255) / 256, cuda_blocks(cap, ROWS, COLUMN_PARTS));
}

enum { COLUMN_SHARED = ROWS * 256 * sizeof(float) };

template <class T>
static cudaError_t
sum_columns(const T *x, int rows, int cap, int n, float *dst, struct cuda_run *r)
{
	const dim3 grid = column_grid(cap, n);
	const struct cuda_sums s = {{dst, NULL, NULL}};
	float *partial = (float *)r->scratch;

	if (n % 8 == 0)
		LAUNCH((column_sums<T, true>), grid, dim3(32, ROWS), COLUMN_SHARED, r->stream, x, r->live, rows, n,
		    partial);
	else
		LAUNCH((column_sums<T, false>), grid, dim3(32, ROWS), COLUMN_SHARED, r->stream, x, r->live, rows, n,
		    partial);
	return cuda_add_partials(&s, 1, partial, (int)grid.y, n, r->stream);
}

cudaError_t
cuda_column_sums(const void *x, enum rk_precision store, int rows, int cap, int n, float *dst, struct cuda_run *r)
{
	return store == RK_BF16 ? sum_columns((const bf16 *)x, rows, cap, n, dst, r)
	                        : sum_columns((const float *)x, rows, cap, n, dst, r);
}

template <class T>
static cudaError_t
back_and_sum(const struct rk_linear *o, float *dst, struct cuda_run *r)
{
	const dim3 grid = column_grid(o->cap, o->w.n);
	const struct cuda_sums s = {{dst, NULL, NULL}};
	const struct act_back<T> a = {(T *)o->dy, (const T *)(o->act == RK_GELU ? o->pre : o->y), o->act};
	float *partial = dst != NULL ? (float *)r->scratch : NULL;

	if (o->w.n % 8 == 0)
		LAUNCH((act_back_sums<T, true>), grid, dim3(32, ROWS), COLUMN_SHARED, r->stream, a, r->live, o->rows,
		    o->w.n, partial);
	else
		LAUNCH((act_back_sums<T, false>), grid, dim3(32, ROWS), COLUMN_SHARED, r->stream, a, r->live, o->rows,
		    o->w.n, partial);
	return dst != NULL ? cuda_add_partials(&s, 1, partial, (int)grid.y, o->w.n, r->stream) : cudaGetLastError();
}

cudaError_t
cuda_act_back_sums(const struct rk_linear *o, enum rk_precision store, float *dst, struct cuda_run *r)
{
	return store == RK_BF16 ? back_and_sum<bf16>(o, dst, r) : back_and_sum<float>(o, dst, r);
}

/*
 * Sums of rows by key.  Block (key, columns, part): its warps look for the rows of the part that have the key, 32 at a
 * time, and add them in order; every thread owns one column.
 */
template <class T, class K>
static __global__ void __launch_bounds__(256)
    key_sums(const T *x, const K *key, int skip, const int32_t *live, int rows, int n, float *partial)
{
	const int c = blockIdx.y * 256 + threadIdx.x, lane = threadIdx.x % 32, keys = gridDim.x;
	const int first = blockIdx.z * KEY_PART, all = live[rows], mine = blockIdx.x;
	const int end = gridDim.z == 1 || first + KEY_PART > all ? all : first + KEY_PART;
	float total = 0;

	for (int r = first; r < end && mine != skip; r += 32) {
		uint32_t found = __ballot_sync(~0u, r + lane < end && (int)key[r + lane] == mine);

		for (; found != 0; found &= found - 1)
			if (c < n)
				total += to_float(x[(size_t)(r + __ffs((int)found) - 1) * n + c]);
	}
	if (c < n)
		partial[((size_t)blockIdx.z * keys + mine) * n + c] = total;
}

/* Many keys have few rows each: one part will do. */
static int
key_parts(int cap, int keys)
{
	return keys > 256 ? 1 : (cap + KEY_PART - 1) / KEY_PART;
}

size_t
cuda_key_scratch(int cap, int keys, int n)
{
	return (size_t)key_parts(cap, keys) * keys * n * sizeof(float);
}

template <class T>
static void
launch_keys(const T *x, const struct cuda_keys *k, dim3 grid, int rows, int n, float *partial, struct cuda_run *r)
{
	if (k->bytes == 1)
		LAUNCH((key_sums<T, uint8_t>), grid, dim3(256), 0, r->stream, x, (const uint8_t *)k->key, k->skip,
		    r->live, rows, n, partial);
	else
		LAUNCH((key_sums<T, int32_t>), grid, dim3(256), 0, r->stream, x, (const int32_t *)k->key, k->skip,
		    r->live, rows, n, partial);
}

cudaError_t
cuda_key_sums(const void *x, enum rk_precision store, const struct cuda_keys *k, int rows, int cap, int n, float *dst,
    char *scratch, struct cuda_run *r)
{
	const dim3 grid(k->keys, (n + 255) / 256, key_parts(cap, k->keys));
	const struct cuda_sums s = {{dst, NULL, NULL}};
	float *partial = (float *)scratch;

	if (store == RK_BF16)
		launch_keys((const bf16 *)x, k, grid, rows, n, partial, r);
	else
		launch_keys((const float *)x, k, grid, rows, n, partial, r);
	return cuda_add_partials(&s, 1, partial, (int)grid.z, (size_t)k->keys * n, r->stream);
}
