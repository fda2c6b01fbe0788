/*
 * cuda_norm.cu: layer norm with what stands before it (bias, dropout, residual; or the sum of embeddings), and
 * gradients.
 *
 * A warp has a row.  Where the number of columns is a multiple of 8 and at most 1024, lane l holds columns
 * 8 (32 v + l) .. + 7, v < V, in registers; other rows are gone over three times.  The backward pass keeps the column
 * sums of gamma's, beta's and the bias's gradients in registers over all rows of a block, then adds up the blocks'
 * parts.
 */
#include "cuda_common.h"

enum { WARPS = 8, BACK_BLOCKS = 512, WIDEST = 1024 };

/* Blocks of a multiprocessor that the registers of V columns by 8 leave room for. */
#define FORWARD_BLOCKS(V) ((V) == 1 ? 5 : (V) == 2 ? 3 : 2)

/* The value before the norm, by its row: x + bias through dropout plus residual. */
template <class T> struct from_linear {
	const T *x, *residual;
	const float *bias;
	struct drop drop;

	__device__ __forceinline__ float at(int row, int c, int n) const
	{
		float v = to_float(x[(size_t)row * n + c]) + (bias != NULL ? bias[c] : 0);

		if (drop.below)
			v *= kept(drop, drop.key[row], drop.site, c);
		return residual != NULL ? v + to_float(residual[(size_t)row * n + c]) : v;
	}

	__device__ __forceinline__ void load(float (&v)[8], int row, int c, int n) const
	{
		const uint64_t key = drop.below ? drop.key[row] : 0;
		float b[8];

		load_row8(v, x + (size_t)row * n, c, n);
		if (bias != NULL) {
			load_row8(b, bias, c, n);
#pragma unroll
			for (int i = 0; i < 8; i++)
				v[i] += b[i];
		}
		if (drop.below)
#pragma unroll
			for (int i = 0; i < 8; i++)
				v[i] *= kept(drop, key, drop.site, c + i);
		if (residual != NULL) {
			load_row8(b, residual + (size_t)row * n, c, n);
#pragma unroll
			for (int i = 0; i < 8; i++)
				v[i] += b[i];
		}
	}

	/* What the norm's output is multiplied by. */
	__device__ __forceinline__ float after(int, int) const
	{
		return 1;
	}
};

/* The sum of three embeddings; dropout comes after the norm. */
template <class T> struct from_tables {
	const uint8_t *token, *segment;
	const int32_t *position;
	const float *word, *pos, *seg;
	struct drop drop;

	__device__ __forceinline__ float at(int row, int c, int n) const
	{
		return word[(size_t)token[row] * n + c] + pos[(size_t)position[row] * n + c] +
		       seg[(size_t)segment[row] * n + c];
	}

	__device__ __forceinline__ void load(float (&v)[8], int row, int c, int n) const
	{
		float a[8], b[8];

		load_row8(v, word + (size_t)token[row] * n, c, n);
		load_row8(a, pos + (size_t)position[row] * n, c, n);
		load_row8(b, seg + (size_t)segment[row] * n, c, n);
#pragma unroll
		for (int i = 0; i < 8; i++)
			v[i] = v[i] + a[i] + b[i];
	}

	__device__ __forceinline__ float after(int row, int column) const
	{
		return drop.below ? kept(drop, drop.key[row], drop.site, column) : 1;
	}
};

struct norm_out {
	const float *gamma, *beta;
	float eps;
	void *z, *y;
	float *stats;
	int n, rows;
};

template <class T, int V, class Source>
static __global__ void __launch_bounds__(32 * WARPS, FORWARD_BLOCKS(V))
    norm_forward(struct norm_out o, Source from, const int32_t *live)
{
	const int lane = threadIdx.x % 32, n = o.n, end = live[o.rows];

	for (int r = blockIdx.x * WARPS + threadIdx.x / 32; r < end; r += gridDim.x * WARPS) {
		float v[V][8], mean = 0, var = 0, rstd;

#pragma unroll
		for (int k = 0; k < V; k++) {
			from.load(v[k], r, (k * 32 + lane) * 8, n);
			if (o.z != NULL)
				store_row8((T *)o.z + (size_t)r * n, (k * 32 + lane) * 8, n, v[k]);
#pragma unroll
			for (int i = 0; i < 8; i++)
				mean += (k * 32 + lane) * 8 + i < n ? v[k][i] : 0;
		}
		mean = warp_sum(mean) / n;
#pragma unroll
		for (int k = 0; k < V; k++)
#pragma unroll
			for (int i = 0; i < 8; i++)
				var += (k * 32 + lane) * 8 + i < n ? (v[k][i] - mean) * (v[k][i] - mean) : 0;
		rstd = 1 / sqrtf(warp_sum(var) / n + o.eps);
		if (o.stats != NULL && lane == 0) {
			o.stats[2 * (size_t)r] = mean;
			o.stats[2 * (size_t)r + 1] = rstd;
		}
#pragma unroll
		for (int k = 0; k < V; k++) {
			const int c = (k * 32 + lane) * 8;
			float g[8], b[8];

			load_row8(g, o.gamma, c, n);
			load_row8(b, o.beta, c, n);
#pragma unroll
			for (int i = 0; i < 8; i++)
				v[k][i] = ((v[k][i] - mean) * rstd * g[i] + b[i]) * from.after(r, c + i);
			store_row8((T *)o.y + (size_t)r * n, c, n, v[k]);
		}
	}
}

/* The same for any number of columns: a value is made anew each time it is wanted. */
template <class T, class Source>
static __global__ void __launch_bounds__(32 * WARPS, 5)
    norm_forward_any(struct norm_out o, Source from, const int32_t *live)
{
	const int lane = threadIdx.x % 32, n = o.n, end = live[o.rows];

	for (int r = blockIdx.x * WARPS + threadIdx.x / 32; r < end; r += gridDim.x * WARPS) {
		const size_t row = (size_t)r * n;
		float mean = 0, var = 0, rstd;

		for (int c = lane; c < n; c += 32) {
			const float v = from.at(r, c, n);

			if (o.z != NULL)
				((T *)o.z)[row + c] = from_float<T>(v);
			mean += v;
		}
		mean = warp_sum(mean) / n;
		for (int c = lane; c < n; c += 32) {
			const float v = from.at(r, c, n) - mean;

			var += v * v;
		}
		rstd = 1 / sqrtf(warp_sum(var) / n + o.eps);
		if (o.stats != NULL && lane == 0) {
			o.stats[2 * (size_t)r] = mean;
			o.stats[2 * (size_t)r + 1] = rstd;
		}
		for (int c = lane; c < n; c += 32) {
			const float v = (from.at(r, c, n) - mean) * rstd * o.gamma[c] + o.beta[c];

			((T *)o.y)[row + c] = from_float<T>(v * from.after(r, c));
		}
	}
}

template <class T, class Source>
static cudaError_t
launch_forward(const struct norm_out *o, Source from, int cap, struct cuda_run *x)
{
	const unsigned grid = cuda_blocks(cap, WARPS, (size_t)x->dev->processors * 16);
	void (*kernel)(struct norm_out, Source, const int32_t *) = norm_forward_any<T, Source>;

	if (o->n % 8 == 0 && o->n <= WIDEST)
		kernel = o->n <= 256   ? norm_forward<T, 1, Source>
		         : o->n <= 512 ? norm_forward<T, 2, Source>
		         : o->n <= 768 ? norm_forward<T, 3, Source>
		                       : norm_forward<T, 4, Source>;
	LAUNCH(kernel, dim3(grid), dim3(32 * WARPS), 0, x->stream, *o, from, x->live);
	return cudaGetLastError();
}

template <class T>
static cudaError_t
norm(const struct rk_norm *o, struct cuda_run *x)
{
	const struct norm_out out = {
	    (const float *)o->gamma, (const float *)o->beta, o->eps, o->z, o->y, (float *)o->stats, o->hidden, o->rows};
	const struct from_linear<T> from = {
		(const T *)o->x, (const T *)o->residual, (const float *)o->bias, cuda_drop(&o->drop)
	};

	return launch_forward<T>(&out, from, o->cap, x);
}

cudaError_t
cuda_norm(const struct rk_call *c, struct cuda_run *x)
{
	return c->store == RK_BF16 ? norm<bf16>(&c->u.norm, x) : norm<float>(&c->u.norm, x);
}

template <class T>
static cudaError_t
embed(const struct rk_embed *o, struct cuda_run *x)
{
	const struct norm_out out = {(const float *)o->gamma, (const float *)o->beta, o->eps, o->z, o->y,
	    (float *)o->stats, o->hidden, RK_LIVE_TOKENS};
	const struct from_tables<T> from = {
		o->token, o->segment, o->position, (const float *)o->word, (const float *)o->pos, (const float *)o->seg,
		    cuda_drop(&o->drop)
	};

	return launch_forward<T>(&out, from, o->cap, x);
}

cudaError_t
cuda_embed(const struct rk_call *c, struct cuda_run *x)
{
	return c->store == RK_BF16 ? embed<bf16>(&c->u.embed, x) : embed<float>(&c->u.embed, x);
}

/* Backward */

struct norm_back {
	const void *z, *dy;
	const float *stats, *gamma;
	struct drop drop;
	void *dx, *dresidual;
	float *partial; /* [blocks][3][n]: gamma, beta, bias */
	int n, rows;
};

/* What a block adds to the gradients of gamma, beta and bias: the sums of its warps, of the columns from group own. */
template <int V>
__device__ __forceinline__ void
store_sums(const struct norm_back &o, const float (&sums)[3][V][8], int own)
{
	SHARED_MEMORY(memory);
	float(*parts)[V * 256] = (float(*)[V * 256]) memory;
	const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, n = o.n;

#pragma unroll
	for (int k = 0; k < 3; k++) {
		__syncthreads();
#pragma unroll
		for (int v = 0; v < V; v++)
#pragma unroll
			for (int i = 0; i < 8; i++)
				parts[warp][(v * 32 + lane) * 8 + i] = sums[k][v][i];
		__syncthreads();
		for (int c = threadIdx.x; c < V * 256 && own * 256 + c < n; c += 32 * WARPS) {
			float s = 0;

			for (int w = 0; w < WARPS; w++)
				s += parts[w][c];
			o.partial[((size_t)blockIdx.x * 3 + k) * n + own * 256 + c] = s;
		}
	}
}

/*
 * Block (b, y) takes rows b WARPS + warp, ..., and of them the columns of group y; the averages over a row need all its
 * columns, which other groups' blocks read too.  Embed: dropout is on dy, and dz goes out as float.  Whole: the number
 * of columns is a multiple of 8.
 */
template <class T, class O, bool Embed, int V, bool Whole>
static __global__ void __launch_bounds__(32 * WARPS)
    norm_backward(struct norm_back o, const int32_t *live)
{
	const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, n = o.n, end = live[o.rows];
	const int own = blockIdx.y * V, groups = (n + 255) / 256;
	float sums[3][V][8] = {};

	for (int r = blockIdx.x * WARPS + warp; r < end; r += gridDim.x * WARPS) {
		const float mean = o.stats[2 * (size_t)r], rstd = o.stats[2 * (size_t)r + 1];
		const uint64_t key = o.drop.below ? o.drop.key[r] : 0;
		const T *zr = (const T *)o.z + (size_t)r * n, *dyr = (const T *)o.dy + (size_t)r * n;
		float h[V][8], d[V][8], a = 0, b = 0;

		/* h: the normalised value, d: dy gamma; of the own columns kept, of others used and dropped */
		for (int k = 0; k < groups; k++) {
			const int c = (k * 32 + lane) * 8;
			float z[8], dy[8], g[8];

			load_part<Whole>(z, zr, c, n);
			load_part<Whole>(dy, dyr, c, n);
			load_part<Whole>(g, o.gamma, c, n);
#pragma unroll
			for (int i = 0; i < 8; i++) {
				z[i] = (z[i] - mean) * rstd;
				if (Embed && o.drop.below)
					dy[i] *= kept(o.drop, key, o.drop.site, c + i);
				a += dy[i] * g[i];
				b += dy[i] * g[i] * z[i];
			}
#pragma unroll
			for (int v = 0; v < V; v++)
				if (k == own + v)
#pragma unroll
					for (int i = 0; i < 8; i++) {
						h[v][i] = z[i];
						d[v][i] = dy[i];
					}
		}
		a = warp_sum(a) / n;
		b = warp_sum(b) / n;
#pragma unroll
		for (int v = 0; v < V; v++) {
			const int c = ((own + v) * 32 + lane) * 8;
			float g[8], dz[8];

			if (own + v >= groups)
				break;
			load_part<Whole>(g, o.gamma, c, n);
#pragma unroll
			for (int i = 0; i < 8; i++) {
				sums[0][v][i] += d[v][i] * h[v][i];
				sums[1][v][i] += d[v][i];
				dz[i] = rstd * (d[v][i] * g[i] - a - h[v][i] * b);
			}
			if (o.dresidual != NULL)
				store_part<Whole>((T *)o.dresidual + (size_t)r * n, c, n, dz);
#pragma unroll
			for (int i = 0; i < 8; i++) {
				if (!Embed && o.drop.below)
					dz[i] *= kept(o.drop, key, o.drop.site, c + i);
				sums[2][v][i] += dz[i];
			}
			store_part<Whole>((O *)o.dx + (size_t)r * n, c, n, dz);
		}
	}
	store_sums<V>(o, sums, own);
}

template <class T, class O, bool Embed, int V, bool Whole>
static cudaError_t
launch_backward(const struct norm_back *o, const struct cuda_sums *s, int cap, struct cuda_run *x)
{
	const unsigned blocks = cuda_blocks(cap, WARPS, BACK_BLOCKS);
	void (*kernel)(struct norm_back, const int32_t *) = norm_backward<T, O, Embed, V, Whole>;

	LAUNCH(kernel, dim3(blocks, (o->n + V * 256 - 1) / (V * 256)), dim3(32 * WARPS),
	    WARPS * V * 256 * sizeof(float), x->stream, *o, x->live);
	return cuda_add_partials(s, 3, o->partial, (int)blocks, o->n, x->stream);
}

template <class T, class O, bool Embed>
static cudaError_t
backward(const struct norm_back *o, const struct cuda_sums *s, int cap, struct cuda_run *x)
{
	if (o->n % 8 != 0)
		return launch_backward<T, O, Embed, 1, false>(o, s, cap, x);
	if (o->n <= 256)
		return launch_backward<T, O, Embed, 1, true>(o, s, cap, x);
	if (o->n <= 512)
		return launch_backward<T, O, Embed, 2, true>(o, s, cap, x);
	return launch_backward<T, O, Embed, 3, true>(o, s, cap, x);
}

static size_t
partial_bytes(int n)
{
	return cuda_align((size_t)BACK_BLOCKS * 3 * n * sizeof(float));
}

size_t
cuda_norm_back_scratch(const struct rk_call *c)
{
	return partial_bytes(c->u.norm.hidden);
}

cudaError_t
cuda_norm_back(const struct rk_call *c, struct cuda_run *x)
{
	const struct rk_norm *o = &c->u.norm;
	const struct norm_back b = {o->z, o->dy, (const float *)o->stats, (const float *)o->gamma, cuda_drop(&o->drop),
	    o->dx, o->dresidual, (float *)x->scratch, o->hidden, o->rows};
	const struct cuda_sums s = {{(float *)o->dgamma, (float *)o->dbeta, (float *)o->dbias}};

	if (c->store == RK_BF16)
		return backward<bf16, bf16, false>(&b, &s, o->cap, x);
	return backward<float, float, false>(&b, &s, o->cap, x);
}

/* Scratch: partial sums, then dz [cap][n], then the parts of the sums by key. */
size_t
cuda_embed_back_scratch(const struct rk_call *c)
{
	const struct rk_embed *o = &c->u.embed;
	const int n = o->hidden;
	const size_t words = cuda_key_scratch(o->cap, o->vocab, n), places = cuda_key_scratch(o->cap, o->positions, n);

	return partial_bytes(n) + cuda_align((size_t)o->cap * n * sizeof(float)) + (words > places ? words : places);
}

cudaError_t
cuda_embed_back(const struct rk_call *c, struct cuda_run *x)
{
	const struct rk_embed *o = &c->u.embed;
	const int n = o->hidden;
	float *dz = (float *)(x->scratch + partial_bytes(n));
	char *rest = (char *)dz + cuda_align((size_t)o->cap * n * sizeof(float));
	const struct norm_back b = {o->z, o->dy, (const float *)o->stats, (const float *)o->gamma, cuda_drop(&o->drop),
	    dz, NULL, (float *)x->scratch, n, RK_LIVE_TOKENS};
	const struct cuda_sums s = {{(float *)o->dgamma, (float *)o->dbeta, NULL}};
	cudaError_t e = c->store == RK_BF16 ? backward<bf16, float, true>(&b, &s, o->cap, x)
	                                    : backward<float, float, true>(&b, &s, o->cap, x);

	const struct cuda_keys keys[] = {
	    {o->token, 1, o->vocab, -1}, {o->position, 4, o->positions, -1}, {o->segment, 1, 2, -1}};
	void *const tables[] = {o->dword, o->dpos, o->dseg};

	for (int i = 0; i < 3 && e == cudaSuccess; i++)
		e = cuda_key_sums(dz, RK_FP32, &keys[i], RK_LIVE_TOKENS, o->cap, n, (float *)tables[i], rest, x);
	return e;
}
