/*
 * cuda_attention.cu: the tiles of the live sequences, and the choice of kernel.
 */
#include "cuda_attention.h"

enum { THREADS = 1024 };

/*
 * The list of tiles, by one block: for every number of tiles, most first, the sequences that have it, in order; blocks
 * that come later in the list are then short, and the last ones end at about the same time.
 */
static __global__ void
__launch_bounds__(THREADS)
    list_tiles(const int32_t *offsets, const int32_t *live, int max_len, int2 *list, int32_t *count)
{
	SHARED_MEMORY(memory);
	int *warps = (int *)memory; /* sequences found by each warp */
	const int seqs = live[RK_LIVE_SEQS], lane = threadIdx.x % 32, warp = threadIdx.x / 32;
	int at = 0;

	for (int tiles = (max_len + TILE - 1) / TILE; tiles > 0; tiles--)
		for (int first = 0; first < seqs; first += THREADS) {
			const int b = first + threadIdx.x, len = b < seqs ? offsets[b + 1] - offsets[b] : 0;
			const int mine = (len + TILE - 1) / TILE == tiles;
			const uint32_t found = __ballot_sync(~0u, mine);
			int before = 0, all = 0;

			if (lane == 0)
				warps[warp] = __popc(found);
			__syncthreads();
			for (int w = 0; w < THREADS / 32; w++) {
				before += w < warp ? warps[w] : 0;
				all += warps[w];
			}
			before += __popc(found & ((1u << lane) - 1));
			for (int t = 0; mine && t < tiles; t++)
				list[at + before * tiles + t] = {b, t * TILE};
			at += all * tiles;
			__syncthreads();
		}
	if (threadIdx.x == 0)
		*count = at;
}

static size_t
most_tiles(const struct rk_attention *o)
{
	return (size_t)o->cap / TILE + o->cap_seqs + 1;
}

/* Scratch: the list, its length, delta. */
size_t
cuda_attention_scratch(const struct rk_call *c)
{
	return cuda_align(most_tiles(&c->u.attention) * sizeof(int2)) + cuda_align(sizeof(int32_t));
}

size_t
cuda_attention_back_scratch(const struct rk_call *c)
{
	const struct rk_attention *o = &c->u.attention;

	return cuda_attention_scratch(c) + (size_t)o->cap * o->heads * sizeof(float);
}

static cudaError_t
set_out(const struct rk_attention *o, struct attention *a, struct cuda_run *x)
{
	int2 *list = (int2 *)x->scratch;
	int32_t *count = (int32_t *)(x->scratch + cuda_align(most_tiles(o) * sizeof(int2)));

	*a = {o->qkv, o->dout, o->o, o->dqkv, (float *)o->lse, (float *)((char *)count + cuda_align(sizeof(int32_t))),
	    o->offsets, x->live, cuda_drop(&o->drop), {list, count}, o->heads, o->dim, o->max_len,
	    1 / sqrtf((float)o->dim)};
	LAUNCH(list_tiles, dim3(1), dim3(THREADS), THREADS / 32 * sizeof(int), x->stream, o->offsets, x->live,
	    o->max_len, list, count);
	return cudaGetLastError();
}

cudaError_t
cuda_attention(const struct rk_call *c, struct cuda_run *x)
{
	struct attention a;
	const cudaError_t e = set_out(&c->u.attention, &a, x);

	if (e != cudaSuccess)
		return e;
	return cuda_attention_has_mma(&a, c->store) ? cuda_attention_mma(&a, x) : cuda_attention_any(&a, c->store, x);
}

cudaError_t
cuda_attention_back(const struct rk_call *c, struct cuda_run *x)
{
	struct attention a;
	const cudaError_t e = set_out(&c->u.attention, &a, x);

	if (e != cudaSuccess)
		return e;
	return cuda_attention_has_mma(&a, c->store) ? cuda_attention_mma_back(&a, x)
	                                            : cuda_attention_any_back(&a, c->store, x);
}

const char *
cuda_attention_prepare(const struct rk_call *c, struct cuda_device *dev)
{
	const struct rk_attention *o = &c->u.attention;

	if (c->store == RK_BF16 && (o->dim == 32 || o->dim == 64))
		return NULL;
	if (cuda_attention_any_shared(o->dim, o->max_len) > (size_t)dev->shared_max)
		return "sequences too long for attention in this precision and head size";
	return NULL;
}
