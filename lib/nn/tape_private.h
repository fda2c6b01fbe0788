/*
 * tape_private.h: the inside of a tape, between tape.c (recording), tape_plan.c (memory), tape_calls.c (calls of rk.h)
 * and tape_run.c.
 *
 * A tape is a list of nodes, one per op.  Node i runs forward at step i and backward at step 2n-1-i.  Every piece of
 * memory is a buffer that lives from its first to its last step; buffers whose lives do not meet share memory.
 */
#ifndef RNA_TAPE_PRIVATE_H
#define RNA_TAPE_PRIVATE_H

#include "nn/tape.h"

enum tape_kind {
	TAPE_EMBED,
	TAPE_LINEAR,
	TAPE_NORM,
	TAPE_ATTENTION,
	TAPE_GATHER,
	TAPE_SEGMENT_SUM, /* residual: the weights */
	TAPE_SEGMENT_SOFTMAX,
	TAPE_LOSS,
	TAPE_DROPOUT,
	TAPE_INPUT,
	TAPE_OUTPUT,
	TAPE_LOOKUP,
	TAPE_JOIN,
	TAPE_SUM,
	TAPE_CONV1D,
	TAPE_CONV2D,
	TAPE_GROUP_NORM,
	TAPE_LSTM,
	TAPE_MAX_POOL,
	TAPE_ENDS,
	TAPE_TURN,
	TAPE_PAIR_MAP,
	TAPE_PAIR_MERGE
};

/* How a node's backward pass gives a gradient to one of its inputs. */
enum tape_give {
	TAPE_NONE,    /* not at all */
	TAPE_SET,     /* first to come: overwrites */
	TAPE_ADD,     /* the op itself accumulates */
	TAPE_VIA,     /* the op overwrites: into a buffer of its own, then added */
	TAPE_ZERO_ADD /* first to come, but the op accumulates: zero first */
};

struct tape_buffer {
	size_t bytes, offset;
	int first, last; /* steps; first > last: never used, takes no memory */
};

struct tape_tensor {
	enum rk_live rows;
	int cap, columns;
	int keep, keep_grad;
	int data, grad; /* buffers; grad -1: no gradient */
};

struct tape_node {
	enum tape_kind kind;
	rna_t x, residual, y;                          /* -1: none */
	int weight, bias, gamma, beta, word, pos, seg; /* parameters, -1: none */
	enum rk_act act;
	float eps, p;
	uint32_t site; /* first dropout site */
	int heads;
	enum rna_tape_index at;
	enum rna_tape_segments over;
	int pack;       /* of a linear */
	int aux, stats; /* buffers: z or pre, statistics or lse; -1: not kept */
	int loss, hit;
	int by_row;                    /* dropout keyed by the row itself, norm of each row */
	int width, padding;            /* of a convolution; rows of a turn; columns of ends from the last row */
	int entry;                     /* of a lookup: without gradient */
	int images, diagonal;          /* of maps of pairs */
	int w_hh[2], b_hh[2], cell[2]; /* of an LSTM: parameters, buffers; its gates are x and residual */
	/* backward */
	int back; /* 1: has a backward pass */
	enum tape_give give_x, give_residual;
	int via_x, via_residual; /* buffers of TAPE_VIA */
};

/* A weight packed for products; used by all linears or convolutions with it. */
struct tape_pack {
	int param;
	void *fwd, *bwd;
	size_t fwd_bytes, bwd_bytes;
	struct rk_list *list; /* packs it, where its parameter comes later; else pack_list does */
};

struct rna_tape {
	struct rk *rk;
	struct rna_params *params;
	struct rna_tape_options opts;
	struct rna_tape_inputs in;
	struct tape_node *nodes;
	struct tape_tensor *tensors;
	struct tape_buffer *buffers;
	struct tape_pack *packs;
	int nnodes, ntensors, nbuffers, npacks;
	int cap_nodes, cap_tensors, cap_buffers, cap_packs;
	uint32_t site;          /* next dropout site */
	enum rna_status status; /* what recording met */
	char failure[160];
	int planned;
	size_t arena_bytes;
	void *packed; /* the packed weights, one after the other: large pages hold them */
	char *arena, *inputs;
	struct rk_list *pack_list, *forward, *backward;
};

/* tape.c */
int rna_tape_buffer(struct rna_tape *t, size_t count, size_t item); /* -1: no memory, recorded */
void
rna_tape_fail(struct rna_tape *t, enum rna_status status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Grows an array of n elements to hold one more; 0 and the failure recorded when it can't. */
int rna_tape_grow(struct rna_tape *t, void *array, int n, int *cap, size_t item);

/* Pieces of a recording.  A node with nothing set, or NULL when recording has failed; x -1: none. */
struct tape_node *rna_tape_node(struct rna_tape *t, enum tape_kind kind, rna_t x);
rna_t rna_tape_made(struct rna_tape *t, struct tape_node *n, rna_t y); /* ends a node that makes y */
rna_t rna_tape_tensor(struct rna_tape *t, enum rk_live rows, int columns);
int rna_tape_matrix(struct rna_tape *t, enum rk_live rows, int columns);     /* a buffer of rows x columns elements */
int rna_tape_statistics(struct rna_tape *t, enum rk_live rows, int columns); /* the same of reals */
int rna_tape_capacity(const struct rna_tape *t, enum rk_live rows);
/* A parameter of that shape; columns 0: one dimension, rows 0: any.  0: recorded as a failure. */
int rna_tape_has_shape(struct rna_tape *t, int param, int rows, int columns);
/* The probability in force, and its sites. */
void rna_tape_site(struct rna_tape *t, struct tape_node *n, float p, uint32_t sites, enum rk_live rows);
int rna_tape_pack(struct rna_tape *t, int param); /* the packed form of a weight: found or new */

/* Calls as they are made. */
struct tape_calls {
	struct rna_tape *t;
	struct rk_call *list;
	int n, cap;
};
void rna_tape_call(struct tape_calls *c, enum rk_op op, const struct rk_call *call);
void *rna_tape_buffer_at(const struct rna_tape *t, int buffer); /* NULL: -1 */
void *rna_tape_value(const struct rna_tape *t, int param);
void *rna_tape_dvalue(const struct rna_tape *t, int param);
void *rna_tape_grad(const struct rna_tape *t, rna_t x);
/* Where the backward pass of a node puts the gradient of an input. */
void *rna_tape_target(const struct rna_tape *t, rna_t x, enum tape_give how, int via);
struct rk_weight rna_tape_weight(const struct rna_tape *t, int pack);

/* tape_maps_calls.c: the calls of the nodes of tape_maps.c; of others none. */
void rna_tape_maps_forward(struct tape_calls *c, const struct tape_node *n);
void rna_tape_maps_backward(struct tape_calls *c, const struct tape_node *n);

/*
 * tape_run.c: bytes of the inputs in one piece of memory; base not NULL: t->in points into it.  *batch (may be NULL):
 * bytes of what comes first, which a batch fills.
 */
size_t rna_tape_inputs_layout(struct rna_tape *t, char *base, size_t *batch);
/* Bytes of all packed weights. */
size_t rna_tape_packed_bytes(const struct rna_tape *t);

/* tape_plan.c: gradients, lives, offsets. */
void rna_tape_plan(struct rna_tape *t);

/* tape_calls.c: the three lists, once memory is there. */
enum rna_status rna_tape_make_lists(struct rna_tape *t, struct rna_err *err) RNA_CHECK;

#endif
