/*
 * classify.h: fine-tuning a model with a class head on labelled RNAs in memory.
 *
 * The logits of an example are the sum of its parts: chunks by their bases and type replicates by their probability, as
 * in classhead.h.  The examples are put in another order for each epoch, by keys of (seed, epoch, rid); a step takes a
 * number of them.  As in trainer.h, a step is cut into micro-units of fixed capacity whose gradients are summed in
 * order, so the result depends on examples, options and seed alone.
 */
#ifndef RNA_CLASSIFY_H
#define RNA_CLASSIFY_H

#include "nn/batch.h"
#include "nn/classdata.h"
#include "nn/model.h"
#include "nn/optimizer.h"
#include "nn/schedule.h"

struct rna_classify_options {
	size_t batch; /* examples of a step */
	uint64_t seed;
	struct rna_schedule schedule;
	double weight_decay, clip; /* clip 0: off */
	float smoothing;           /* of the labels */
	int weighted;              /* 1: each class counts the same: weights n / (classes * n of the class) */
	int frozen; /* 1: only the head (and pooler) learns; what it reads is computed once; not with attention */
	/*
	 * STACK: each input stands for its RNA's config.class_types most probable types, with their weights; the loss
	 * is of the weighted sum of the logits.  typer predicts them, once; NULL with RNA_TYPER_SHARED: m does, anew
	 * after each epoch.
	 */
	struct rna_model *typer;
	enum rk_precision precision;
};

/* What an epoch did. */
struct rna_classify_epoch {
	int64_t epoch, step; /* counted from 1; steps so far */
	double loss, acc;    /* of training, while it went on: dropout on, weighted loss */
	double lr, norm;     /* of the last step */
	int scored;          /* 1: there are examples to validate on: */
	double valid_loss, valid_acc, valid_f1;
	int best; /* 1: the best so far, or the last where nothing is scored */
};

struct rna_classify;

/* m has the class head of the data's names; both outlive c.  NULL and err on failure. */
struct rna_classify *rna_classify_open(
    struct rna_model *m, const struct rna_classdata *d, const struct rna_classify_options *opts, struct rna_err *err);
/* One pass over the examples, then the validation; the weights of the best epoch (largest macro-F1, of equal ones the
 * smaller loss) are kept. */
enum rna_status
rna_classify_epoch(struct rna_classify *c, struct rna_classify_epoch *did, struct rna_err *err) RNA_CHECK;
/* The model gets the weights of the best epoch (without validation: as they are). */
enum rna_status rna_classify_finish(struct rna_classify *c, struct rna_err *err) RNA_CHECK;
/* Where a training stands between epochs, beside weights and what Adam keeps. */
struct rna_classify_state {
	int64_t epoch, step;
	double best_f1, best_loss; /* of the best epoch; best_f1 below 0: none was scored */
};
struct rna_classify_state rna_classify_state(const struct rna_classify *c);
/* The rest into files of a folder: the weights that learn, those of the best epoch, Adam's moments. */
enum rna_status rna_classify_save(const struct rna_classify *c, const char *folder, struct rna_err *err) RNA_CHECK;
/* A training that has just been opened, of the same model, data and options, goes on from there. */
enum rna_status rna_classify_resume(
    struct rna_classify *c, const struct rna_classify_state *s, const char *folder, struct rna_err *err) RNA_CHECK;
/* Steps of an epoch. */
int64_t rna_classify_steps(const struct rna_classdata *d, size_t batch);
void rna_classify_close(struct rna_classify *c); /* NULL is fine */

#endif
