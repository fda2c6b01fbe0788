/*
 * trainer.h: from masked records to optimiser steps.
 *
 * A global batch is the records in stream order until the next would exceed batch_tokens.  It is cut into micro-units
 * of fixed capacity (the backend's rk_unit_tokens, at most a batch, at least the model's longest input), filled in
 * order; the gradients of the units are summed in order.  So a step depends on the records, the options and the seed
 * alone: not on threads, memory, or whether the records came from a file or a pipe.
 *
 * A device computes a step beside the caller, who fills the next batch meanwhile: what a step did is told later, and
 * nothing on the way waits for the device but that telling.
 */
#ifndef RNA_TRAINER_H
#define RNA_TRAINER_H

#include <jansson.h>
#include "nn/mlm.h"
#include "nn/optimizer.h"
#include "nn/schedule.h"

struct rna_trainer_options {
	uint64_t batch_tokens; /* of a global batch */
	uint64_t seed;         /* of dropout */
	struct rna_schedule schedule;
	double beta1, beta2, eps, weight_decay;
	double clip; /* global gradient norm; 0: off */
	enum rk_precision precision;
	int type_head; /* 1: adds type_weight * mean loss of the type head */
	double type_weight;
	double masked; /* share of the tokens that are targets at most, 0: unknown; a device's capacity is by it */
};

/* Where a training stands; what a checkpoint keeps beside weights, m and v. */
struct rna_train_state {
	int64_t step;             /* optimiser steps done */
	uint64_t records, tokens; /* used by those steps */
	uint64_t hash;            /* running hash of the bytes of those records */
};

/* What one step did. */
struct rna_train_step {
	double loss;                  /* the objective, before the update */
	double lr, norm;              /* rate, and gradient norm before the clip */
	uint64_t records, tokens;     /* of this batch */
	struct rna_train_state state; /* after it */
	struct rna_mlm_sums sums;
};

/* A batch: being filled, or computed and not told yet. */
struct rna_trainer_batch {
	struct rna_mlm_unit *units;
	int nunits, cap;
	struct rk_reply *norm;     /* its square */
	int out;                   /* 1: computed or being computed, not told yet */
	struct rna_train_step did; /* what is known of it */
};

struct rna_trainer {
	struct rna_model *model; /* the caller's */
	struct rna_trainer_options opts;
	struct rna_train_state state;
	/* private */
	struct rna_optimizer optimizer;
	struct rna_tape_options unit_opts;
	struct rna_tape *tape, *eval;      /* eval: made when first scored */
	int eval_stale;                    /* weights changed since eval was packed */
	struct rna_trainer_batch batch[2]; /* while one is out the other is filled */
	int filling;
	struct rna_mlm_unit valid;
	uint64_t records, tokens, targets, heads; /* in the batch being filled */
	uint64_t hash;                            /* state.hash and the batch being filled */
	struct rna_train_state skip;              /* of a checkpoint: records to pass over, and their hash */
	uint64_t skipped;
	struct rna_buf bytes;
};

/* The model outlives the trainer.  A failed init leaves tr fit for rna_trainer_fini. */
enum rna_status rna_trainer_init(
    struct rna_trainer *tr, struct rna_model *m, const struct rna_trainer_options *opts, struct rna_err *err) RNA_CHECK;
void rna_trainer_fini(struct rna_trainer *tr);
/*
 * Adds a record to the batch being filled; epoch: streams that were begun before this one.  RNA_END: the batch is full
 * and the record was not added: step, then add it.  After a resume the records used before the checkpoint are passed
 * over, and RNA_EINVAL says that they are not those that the checkpoint was made from.
 */
enum rna_status
rna_trainer_add(struct rna_trainer *tr, const struct rna_record *rec, uint64_t epoch, struct rna_err *err) RNA_CHECK;
/* Records in the batch being filled. */
uint64_t rna_trainer_pending(const struct rna_trainer *tr);
/* Records of the checkpoint that are still to be passed over. */
uint64_t rna_trainer_to_skip(const struct rna_trainer *tr);
/* One optimiser step with the batch being filled; a device is left computing it. */
enum rna_status rna_trainer_step(struct rna_trainer *tr, struct rna_err *err) RNA_CHECK;
/* How many steps may be out, that is not told yet, when records are added: 0, on a device 1. */
int rna_trainer_lag(const struct rna_trainer *tr);
/*
 * Tells what the oldest step that is out did, waiting for it; RNA_END: none is out up to step `upto`.  RNA_EINVAL: its
 * loss or gradient is not finite.  Then the weights are spoilt, rna_trainer_lag more steps may have been made of them,
 * and rna_trainer_check fails for good.
 */
enum rna_status
rna_trainer_tell(struct rna_trainer *tr, int64_t upto, struct rna_train_step *did, struct rna_err *err) RNA_CHECK;
/* Waits for all steps.  RNA_EINVAL: one is not finite.  A checkpoint asks first, so that none holds such weights. */
enum rna_status rna_trainer_check(struct rna_trainer *tr, struct rna_err *err) RNA_CHECK;
/* Forward and backward of the batch being filled, weights left alone: what a step costs, for a plan. */
enum rna_status rna_trainer_try(struct rna_trainer *tr, struct rna_err *err) RNA_CHECK;
/* Evaluation mode over all records of a masked stream.  sums NULL: only checks that the stream can be scored. */
enum rna_status
rna_trainer_score(struct rna_trainer *tr, const char *path, struct rna_mlm_sums *sums, struct rna_err *err) RNA_CHECK;
/* Continues from a state: the records that it used are to be added again first. */
void rna_trainer_resume(struct rna_trainer *tr, const struct rna_train_state *state);
/* Device and host memory in bytes: parameters, optimiser, tapes, batch. */
size_t rna_trainer_bytes(const struct rna_trainer *tr);
/* The options as an object for trainer_state.json; NULL: no memory. */
json_t *rna_trainer_json(const struct rna_trainer *tr);

#endif
