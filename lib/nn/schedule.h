/*
 * schedule.h: the learning rate of each optimiser step.
 */
#ifndef RNA_SCHEDULE_H
#define RNA_SCHEDULE_H

#include <stdint.h>

enum rna_schedule_kind {
	RNA_SCHEDULE_PAPER,   /* warm-up, constant until 95 % of the steps, then linear to min_lr */
	RNA_SCHEDULE_LINEAR,  /* warm-up, then linear to min_lr at the last step */
	RNA_SCHEDULE_COSINE,  /* warm-up, then half a cosine to min_lr at the last step */
	RNA_SCHEDULE_CONSTANT /* warm-up, then lr; needs no total */
};

struct rna_schedule {
	enum rna_schedule_kind kind;
	double lr, min_lr;
	int64_t warmup; /* steps; step s of them has lr * s / warmup */
	int64_t total;  /* steps of the whole run; not read by CONSTANT */
};

/* Warm-up of a run of that many steps unless the user says otherwise: 5 %, as the paper. */
int64_t rna_schedule_warmup(int64_t total);
/* The rate of step 1, 2, ... total; past the total: that of the last step. */
double rna_schedule_lr(const struct rna_schedule *s, int64_t step);

#endif
