/*
 * mlm.h: the masked-token objective: its graph on a tape, and what its losses add up to.
 */
#ifndef RNA_MLM_H
#define RNA_MLM_H

#include "nn/batch.h"
#include "nn/model.h"
#include "nn/tape.h"

/* Sums over target rows. Losses in nats, not weighted. */
struct rna_mlm_sums {
	uint64_t targets; /* every masked position, type slots included */
	double loss;
	uint64_t bases, base_hits; /* those whose target is A, C, G or U */
	double base_loss;
	uint64_t slots, slot_hits; /* those whose target is a type: the slot after [IND] */
	double slot_loss;
	uint64_t heads, head_hits; /* rows of the type head on [CLS] */
	double head_loss;
	uint64_t
	    type_n[RNA_VOCAB_MAX]; /* by type: slot targets, or rows of the type head where there are no slots ... */
	uint64_t type_hits[RNA_VOCAB_MAX]; /* ... and those that were right */
};

/* Mean over the types that occur of the share that was right; NAN when none occurs. */
double rna_mlm_type_recall(const struct rna_mlm_sums *sums);

/*
 * A finished tape of encoder, MLM head on the masked rows and, with type_head, a linear layer on the last [CLS] vector.
 * Without train: evaluation mode, no dropout.  NULL and err on failure.
 */
struct rna_tape *
rna_mlm_tape(struct rna_model *m, const struct rna_tape_options *opts, int type_head, struct rna_err *err);

/* One micro-unit on the host, and room for the losses of its rows: as they come back, and as they are counted. */
struct rna_mlm_unit {
	struct rna_batch batch;
	struct rk_reply *reply;
	float *loss;
	uint8_t *hit;
};

enum rna_status rna_mlm_unit_init(struct rna_mlm_unit *u, struct rk *rk, const struct rna_tape_options *opts) RNA_CHECK;
void rna_mlm_unit_fini(struct rna_mlm_unit *u);
/* 1 when the record still fits. */
int rna_mlm_unit_fits(const struct rna_mlm_unit *u, const struct rna_record *rec);
/* Adds a masked record; as rna_batch_add, and with type_head RNA_EFORMAT when the record has no type. */
enum rna_status rna_mlm_unit_add(struct rna_mlm_unit *u, const struct rna_model *m, const struct rna_record *rec,
    uint64_t key, int type_head, struct rna_err *err) RNA_CHECK;
/*
 * Runs the unit: forward, with backward also the gradients (+=), every masked row weighted by weight and every row of
 * the type head by head_weight.  A device goes on computing; until rna_mlm_unit_count the batch stays as it is.
 */
enum rna_status rna_mlm_unit_run(struct rna_mlm_unit *u, const struct rna_model *m, struct rna_tape *t, int backward,
    float weight, float head_weight, struct rna_err *err) RNA_CHECK;
/* Adds its losses to sums: waits for them. */
enum rna_status rna_mlm_unit_count(
    struct rna_mlm_unit *u, const struct rna_model *m, struct rna_mlm_sums *sums, struct rna_err *err) RNA_CHECK;

/* Masked positions of a record, and its tokens; -1 when it is not masked (or has no tokens). */
int64_t rna_mlm_targets(const struct rna_record *rec, uint64_t *ntokens);

#endif
