/*
 * foldtrain.h: training of a folding network by the structured hinge loss (fold/neural.h).
 *
 * The RNAs are put in another order for each epoch, by keys of (seed, epoch, rid); a step takes a number of them, one
 * after the other, whose gradients are summed in order, so the result depends on RNAs, options and seed alone.
 */
#ifndef RNA_FOLDTRAIN_H
#define RNA_FOLDTRAIN_H

#include "fold/neural.h"
#include "nn/folddata.h"
#include "nn/foldlm.h"
#include "nn/optimizer.h"
#include "nn/schedule.h"

struct rna_foldtrain_options {
	size_t batch; /* RNAs of a step */
	uint64_t seed;
	struct rna_schedule schedule;
	double weight_decay, clip; /* clip 0: off */
	double lambda;             /* of the thermodynamic term */
	struct rna_margins margins;
	struct rna_foldlm *lm;           /* of a network with features; the caller's; else NULL */
	struct rna_params *tuned;        /* of the language model, where it learns; the caller's; else NULL */
	const struct rna_energy *energy; /* Turner's part, rna_energy_neural; outlives the training */
};

/* What was done since the round before. */
struct rna_foldtrain_round {
	int64_t epoch, step;        /* after it */
	uint64_t rnas;              /* trained on */
	double loss, hinge, thermo; /* means per RNA */
	double lr, norm;            /* of the last step */
	int scored, best;           /* 1: valid_f1 is there; it is the best so far (or nothing is scored) */
	double valid_f1;            /* mean over RNAs, exact pairs, against the whole truth */
	double valid_reach;         /* the same of the references: what nested canonical pairs can reach */
};

struct rna_foldtrain;

/* net, d and opts->energy are the caller's and outlive it.  NULL and err on failure. */
struct rna_foldtrain *rna_foldtrain_open(struct rna_foldnet *net, const struct rna_folddata *d,
    const struct rna_foldtrain_options *opts, struct rna_err *err);
/* Trains for `steps` steps, from epoch to epoch, then validates. */
enum rna_status rna_foldtrain_round(
    struct rna_foldtrain *t, int64_t steps, struct rna_foldtrain_round *did, struct rna_err *err) RNA_CHECK;
/* Where a training stands between rounds, beside weights and what Adam keeps. */
struct rna_foldtrain_state {
	int64_t epoch, step;
	size_t at;      /* RNAs of the epoch that are done */
	double best_f1; /* of the validations; -1: there was none */
};
struct rna_foldtrain_state rna_foldtrain_state(const struct rna_foldtrain *t);
/* Adam's moments into files of a folder; and a training, of the weights of that moment, put back there. */
enum rna_status rna_foldtrain_save(const struct rna_foldtrain *t, const char *folder, struct rna_err *err) RNA_CHECK;
enum rna_status rna_foldtrain_resume(struct rna_foldtrain *t, const struct rna_foldtrain_state *s, const char *folder,
    struct rna_err *err) RNA_CHECK;
void rna_foldtrain_close(struct rna_foldtrain *t); /* NULL is fine */
/* F1 of exact pairs; 1 where neither has any. */
double rna_fold_f1(const int32_t *called, const int32_t *known, size_t n);

#endif
