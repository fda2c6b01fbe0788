/*
 * cuda_list.cu: a list of calls becomes one CUDA graph: recorded at the first run, launched whole afterwards.  Nothing
 * in it waits for the host.  The counts are read on the GPU, where a first kernel checks that every call has room for
 * them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cuda_list.h"

struct counts {
	int32_t n[RK_NLIVE];
};

struct cuda_list {
	struct cuda_device *dev;
	struct rk_call *calls;
	size_t n;
	const int32_t *live; /* the caller's */
	int32_t *checked;    /* what the ops read */
	struct counts most;
	char *scratch;
	cudaGraph_t graph;
	cudaGraphExec_t exec;
};

#define OP(name, prepare)                                                                                              \
	{                                                                                                              \
		cuda_##name, cuda_##name##_scratch, prepare                                                            \
	}
#define BARE(name)                                                                                                     \
	{                                                                                                              \
		cuda_##name, NULL, NULL                                                                                \
	}

/* By op; an empty place is an op that this backend lacks.  The order is that of enum rk_op. */
static const struct cuda_op *
op_of(enum rk_op op)
{
	static const struct {
		enum rk_op op;
		struct cuda_op f;
	} table[] = {
	    {RK_PACK, BARE(pack)},
	    {RK_EMBED, BARE(embed)},
	    {RK_EMBED_BACK, OP(embed_back, NULL)},
	    {RK_LINEAR, OP(linear, cuda_linear_prepare)},
	    {RK_LINEAR_BACK_X, {cuda_linear_back_x, NULL, cuda_linear_prepare}},
	    {RK_LINEAR_BACK_W, OP(linear_back_w, cuda_linear_prepare)},
	    {RK_ACT_BACK, OP(act_back, NULL)},
	    {RK_NORM, BARE(norm)},
	    {RK_NORM_BACK, OP(norm_back, NULL)},
	    {RK_ATTENTION, OP(attention, cuda_attention_prepare)},
	    {RK_ATTENTION_BACK, OP(attention_back, cuda_attention_prepare)},
	    {RK_GATHER, BARE(gather)},
	    {RK_SCATTER_ADD, BARE(scatter_add)},
	    {RK_SEGMENT_SUM, BARE(segment_sum)},
	    {RK_SEGMENT_SUM_BACK, BARE(segment_sum_back)},
	    {RK_SEGMENT_SOFTMAX, BARE(segment_softmax)},
	    {RK_SEGMENT_SOFTMAX_BACK, BARE(segment_softmax_back)},
	    {RK_CROSS_ENTROPY, BARE(cross_entropy)},
	    {RK_ZERO, BARE(zero)},
	    {RK_ADD, BARE(add)},
	    {RK_SUM_SQUARES, BARE(sum_squares)},
	    {RK_ADAMW, BARE(adamw)},
	    {RK_DROPOUT, BARE(dropout)},
	    {RK_LOOKUP, BARE(lookup)},
	    {RK_LOOKUP_BACK, OP(lookup_back, NULL)},
	    {RK_COLUMNS, BARE(columns)},
	    {RK_CONV1D, BARE(conv1d)},
	    {RK_CONV1D_BACK_X, BARE(conv1d_back_x)},
	    {RK_CONV1D_BACK_W, OP(conv1d_back_w, NULL)},
	    {RK_CONV2D, OP(conv2d, NULL)},
	    {RK_CONV2D_BACK_X, OP(conv2d_back_x, NULL)},
	    {RK_CONV2D_BACK_W, OP(conv2d_back_w, NULL)},
	    {RK_GROUP_NORM, OP(group_norm, NULL)},
	    {RK_GROUP_NORM_BACK, OP(group_norm_back, NULL)},
	    {RK_LSTM, BARE(lstm)},
	    {RK_LSTM_BACK, OP(lstm_back, NULL)},
	    {RK_MAX_POOL, BARE(max_pool)},
	    {RK_MAX_POOL_BACK, BARE(max_pool_back)},
	    {RK_TURN, BARE(turn)},
	    {RK_CELL_KEYS, BARE(cell_keys)},
	    {RK_PAIR_MAP, BARE(pair_map)},
	    {RK_PAIR_MAP_BACK, BARE(pair_map_back)},
	    {RK_PAIR_MERGE, BARE(pair_merge)},
	    {RK_PAIR_MERGE_BACK, BARE(pair_merge_back)},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (table[i].op == op)
			return &table[i].f;
	return NULL;
}

/* A count that is too large: none of the rows is touched, and the next wait says so. */
static __global__ void
check_counts(const int32_t *live, int32_t *checked, struct counts most, int32_t *fault)
{
	int bad = 0;

	for (int i = RK_NLIVE - 1; i >= 0; i--)
		if (live[i] < 0 || live[i] > most.n[i])
			bad = i + 1;
	for (int i = 0; i < RK_NLIVE; i++)
		checked[i] = bad ? 0 : live[i];
	if (bad && *fault == 0)
		*fault = bad;
}

/* What the calls ask of the device before the first run; bytes of scratch of the neediest. */
static int
prepare(struct cuda_list *l, size_t *scratch)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct cuda_op *f = op_of(l->calls[i].op);
		const char *why = f == NULL ? "the GPU backend lacks it" : NULL;
		size_t need;

		if (why == NULL && f->prepare != NULL)
			why = f->prepare(&l->calls[i], l->dev);
		if (why != NULL) {
			snprintf(l->dev->err, sizeof(l->dev->err), "op %d: %s", (int)l->calls[i].op, why);
			return -1;
		}
		need = f->scratch != NULL ? f->scratch(&l->calls[i]) : 0;
		*scratch = need > *scratch ? need : *scratch;
	}
	return 0;
}

void *
cuda_list_create(void *dev, const struct rk_call *calls, size_t n, const int32_t *live, const int32_t most[RK_NLIVE])
{
	struct cuda_list *l = (struct cuda_list *)calloc(1, sizeof(*l));
	size_t scratch = 0;

	if (l == NULL || (l->calls = (struct rk_call *)calloc(n + !n, sizeof(*calls))) == NULL) {
		free(l);
		snprintf(((struct cuda_device *)dev)->err, sizeof(((struct cuda_device *)dev)->err), "out of memory");
		return NULL;
	}
	l->dev = (struct cuda_device *)dev;
	memcpy(l->calls, calls, n * sizeof(*calls));
	memcpy(l->most.n, most, sizeof(l->most.n));
	l->n = n;
	l->live = live;
	if (prepare(l, &scratch) == 0 &&
	    cuda_status(l->dev, cudaMalloc((void **)&l->checked, sizeof(l->most)), "memory of the GPU") == RK_OK &&
	    (scratch == 0 ||
		cuda_status(l->dev, cudaMalloc((void **)&l->scratch, scratch), "memory of the GPU") == RK_OK))
		return l;
	cuda_list_destroy(l);
	return NULL;
}

void
cuda_list_destroy(void *list)
{
	struct cuda_list *l = (struct cuda_list *)list;

	if (l == NULL)
		return;
	if (l->exec != NULL)
		cudaGraphExecDestroy(l->exec);
	if (l->graph != NULL)
		cudaGraphDestroy(l->graph);
	cudaFree(l->scratch);
	cudaFree(l->checked);
	free(l->calls);
	free(l);
}

/* Where call i, an RK_ACT_BACK, may put the column sums of dy: the bias's gradient of the layer's call that follows. */
static float *
dbias_of(const struct cuda_list *l, size_t i)
{
	const struct rk_linear *o = &l->calls[i].u.linear, *later;

	for (size_t k = i + 1; k < l->n && k <= i + 2; k++) {
		later = &l->calls[k].u.linear;
		if ((l->calls[k].op != RK_LINEAR_BACK_W && l->calls[k].op != RK_LINEAR_BACK_X) || later->dy != o->dy ||
		    later->rows != o->rows || later->cap != o->cap || l->calls[k].store != l->calls[i].store)
			return NULL;
		if (l->calls[k].op == RK_LINEAR_BACK_W)
			return (float *)later->dbias;
	}
	return NULL;
}

/* Every call on the stream. */
static cudaError_t
launch(struct cuda_list *l)
{
	struct cuda_run x = {l->dev, l->dev->stream, l->checked, l->scratch, NULL, NULL};
	cudaError_t e;

	LAUNCH(check_counts, dim3(1), dim3(1), 0, x.stream, l->live, l->checked, l->most, l->dev->fault);
	e = cudaGetLastError();
	for (size_t i = 0; i < l->n && e == cudaSuccess; i++) {
		if (l->calls[i].op == RK_ACT_BACK && l->calls[i].u.linear.act != RK_NONE) {
			x.dbias = dbias_of(l, i);
			x.summed = x.dbias != NULL ? l->calls[i].u.linear.dy : NULL;
		}
		e = op_of(l->calls[i].op)->launch(&l->calls[i], &x);
		if (l->calls[i].op == RK_LINEAR_BACK_W)
			x.summed = NULL;
	}
	return e;
}

static cudaError_t
record(struct cuda_list *l)
{
	cudaError_t e = cudaStreamBeginCapture(l->dev->stream, cudaStreamCaptureModeThreadLocal), end;

	if (e != cudaSuccess)
		return e;
	e = launch(l);
	end = cudaStreamEndCapture(l->dev->stream, &l->graph);
	if (e == cudaSuccess)
		e = end;
	return e == cudaSuccess ? cudaGraphInstantiate(&l->exec, l->graph, 0) : e;
}

enum rk_status
cuda_list_run(void *list)
{
	struct cuda_list *l = (struct cuda_list *)list;
	cudaError_t e = l->exec == NULL ? record(l) : cudaSuccess;

	if (e == cudaSuccess)
		e = cudaGraphLaunch(l->exec, l->dev->stream);
	return cuda_status(l->dev, e, "a list of calls on the GPU");
}
