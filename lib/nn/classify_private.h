/*
 * classify_private.h: between classify.c (epochs and steps), classify_unit.c (a micro-unit on a tape) and
 * classify_frozen.c (a head on vectors of a backbone that does not learn).
 */
#ifndef RNA_CLASSIFY_PRIVATE_H
#define RNA_CLASSIFY_PRIVATE_H

#include "nn/classify.h"

/* Sums over examples. */
struct classify_sums {
	double loss, weight; /* loss is weighted */
	uint64_t n, hits;
};

struct rna_classify {
	struct rna_model *m;
	const struct rna_classdata *d;
	struct rna_classify_options opts;
	struct rna_params *params; /* that learn: the model's, or head */
	struct rna_params head;    /* frozen: pooler and class head, by the model's names */
	float *vectors;            /* frozen: [examples, hidden] */
	struct rna_optimizer optimizer;
	struct rna_tape_options unit;
	struct rna_tape *tape, *eval;
	rna_t input, eval_input; /* frozen: where the vectors go */
	rna_t logits;            /* of eval */
	struct rna_batch batch;
	struct rna_record rec;
	float *loss, *values; /* of a unit: losses; logits, or vectors on their way */
	uint8_t *hit;
	double *class_weight;
	size_t *order; /* indices of the examples trained on */
	int64_t epoch, step;
	float *best; /* parameters of the best epoch */
	double best_f1, best_loss;
};

/* classify_unit.c */
enum rna_status classify_tapes(struct rna_classify *c, struct rna_err *err) RNA_CHECK;
void classify_unit_begin(struct rna_classify *c);
int classify_unit_fits(const struct rna_classify *c, const struct rna_example *e);
/* key: of its dropout; weight: of its loss. */
enum rna_status
classify_unit_add(struct rna_classify *c, size_t example, uint64_t key, double weight, struct rna_err *err) RNA_CHECK;
/* Forward (eval), or forward and backward; adds to sums. */
enum rna_status
classify_unit_run(struct rna_classify *c, int train, struct classify_sums *sums, struct rna_err *err) RNA_CHECK;

/* classify_frozen.c */
enum rna_status classify_frozen_open(struct rna_classify *c, struct rna_err *err) RNA_CHECK;
/* The head goes back into the model. */
enum rna_status classify_frozen_store(struct rna_classify *c, struct rna_err *err) RNA_CHECK;

#endif
