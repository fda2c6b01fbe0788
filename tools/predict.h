/*
 * predict.h: between the files of rna-predict.
 */
#ifndef RNA_PREDICT_H
#define RNA_PREDICT_H

#include "embed_private.h"
#include "nn/classrun.h"
#include "nn/featuremodel.h"

struct predict {
	struct embed e;
	struct rna_classrun *classrun;
	size_t top; /* --top N; 0: not asked for */
	/* of the window: the parts of each record in the pool that is run; the types of each unit; the answers */
	struct rna_classunit *part, *unit;
	uint8_t *types, *slot;
	float *types_p, *logits;
	size_t cap;
};

/* predict_features.c: the whole run with a model without a backbone; returns the exit status. */
int predict_features(struct tool *t, const char *dir, size_t top);

/* predict_answer.c: logits[n] of the classes, and from them prob, call, top. */
enum rna_status predict_answer(
    struct rna_record *rec, const float *logits, const json_t *classes, size_t top, struct rna_err *err) RNA_CHECK;

/* predict_run.c: the window through backbone and head, results in the order of the input. */
void predict_flush(struct predict *p);
void predict_close(struct predict *p);

/* predict_fold.c: with the folding network of dir; returns the exit status. */
int predict_fold(struct tool *t, const char *dir, enum rk_precision precision);

#endif
