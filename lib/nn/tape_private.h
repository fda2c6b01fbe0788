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
	TAPE_SEGMENT_SUM,     /* residual: the weights */
	TAPE_SEGMENT_SOFTMAX,
	TAPE_LOSS,
	TAPE_DROPOUT,
	TAPE_INPUT
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
	int keep;
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
	/* backward */
	int back; /* 1: has a backward pass */
	enum tape_give give_x, give_residual;
	int via_x, via_residual; /* buffers of TAPE_VIA */
};

/* A weight packed for products; used by all linears with it. */
struct tape_pack {
	int param;
	void *fwd, *bwd;
	size_t fwd_bytes, bwd_bytes;
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
	char *arena, *inputs;
	struct rk_list *pack_list, *forward, *backward;
};

/* tape.c */
int rna_tape_buffer(struct rna_tape *t, size_t count, size_t item); /* -1: no memory, recorded */
void
rna_tape_fail(struct rna_tape *t, enum rna_status status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Grows an array of n elements to hold one more; 0 and the failure recorded when it can't. */
int rna_tape_grow(struct rna_tape *t, void *array, int n, int *cap, size_t item);

/* tape_run.c: bytes of the inputs in one piece of memory; base not NULL: t->in points into it. */
size_t rna_tape_inputs_layout(struct rna_tape *t, char *base);

/* tape_plan.c: gradients, lives, offsets. */
void rna_tape_plan(struct rna_tape *t);

/* tape_calls.c: the three lists, once memory is there. */
enum rna_status rna_tape_make_lists(struct rna_tape *t, struct rna_err *err) RNA_CHECK;

#endif
