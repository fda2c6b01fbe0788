/*
 * classify_private.h: between classify.c (epochs and steps), classify_unit.c (a micro-unit on a tape),
 * classify_types.c (the types of STACK), classify_state.c (checkpoints) and classify_frozen.c (a head on vectors of a
 * backbone that does not learn).
 */
#ifndef RNA_CLASSIFY_PRIVATE_H
#define RNA_CLASSIFY_PRIVATE_H

#include "nn/best.h"
#include "nn/classify.h"

/* Sums over examples. */
struct classify_sums {
	double loss, weight; /* loss is weighted */
	uint64_t n, hits;
};

/* A micro-unit's tape and what is written to it and read from it. */
struct classify_tape {
	struct rna_tape *t;
	rna_t input;  /* frozen: where the vectors go */
	rna_t weight; /* shares of the parts */
	rna_t logits;
};

struct rna_classify {
	struct rna_model *m;
	const struct rna_classdata *d;
	struct rna_classify_options opts;
	struct rna_params *params; /* that learn: the model's, or head */
	struct rna_params head;    /* frozen: pooler and class head, by the model's names */
	float *vectors;            /* frozen: [pieces, hidden]; of a head by tokens: [tokens of all pieces, hidden] */
	size_t *first;             /* by tokens: where those of each piece begin */
	int by_tokens;             /* 1: rna_classhead_by_tokens */
	uint8_t *types;            /* STACK: [examples, K]; else NULL */
	float *sigma;              /* [examples, K] */
	struct rna_optimizer optimizer;
	struct rna_tape_options unit;
	struct classify_tape train, eval;
	struct rna_batch batch;
	struct rna_record rec, framed;
	float *loss, *values; /* of a unit: losses; logits, or vectors on their way */
	float *share;         /* of a unit: of each part */
	uint8_t *hit;
	double *class_weight;
	size_t *order; /* indices of the examples trained on */
	int64_t epoch, step;
	struct rna_best best;
};

/* classify_unit.c */
enum rna_status classify_tapes(struct rna_classify *c, struct rna_err *err) RNA_CHECK;
void classify_unit_begin(struct rna_classify *c);
int classify_unit_fits(const struct rna_classify *c, size_t example);
/* weight: of its loss. */
enum rna_status classify_unit_add(struct rna_classify *c, size_t example, double weight, struct rna_err *err) RNA_CHECK;
/* Forward (eval), or forward and backward; adds to sums. */
enum rna_status
classify_unit_run(struct rna_classify *c, int train, struct classify_sums *sums, struct rna_err *err) RNA_CHECK;
/* K, or 1 without STACK. */
int classify_types_count(const struct rna_classify *c);

/* classify_types.c: types and sigma of every example, by the typer's weights as they are. */
enum rna_status classify_types(struct rna_classify *c, struct rna_err *err) RNA_CHECK;

/* The input of the model that a piece is: c->rec, or c->framed where the head wants a frame of its own. */
enum rna_status classify_input(
    struct rna_classify *c, const struct rna_piece *p, const struct rna_record **in, struct rna_err *err) RNA_CHECK;

/* classify_frozen.c */
enum rna_status classify_frozen_open(struct rna_classify *c, struct rna_err *err) RNA_CHECK;
/* The head goes back into the model. */
enum rna_status classify_frozen_store(struct rna_classify *c, struct rna_err *err) RNA_CHECK;

#endif
