/*
 * trainlog.h: one row of a tab-separated file for each step, cut back to the checkpoint when a run continues.
 *
 * Columns: step, tokens, records (so far), loss, base_loss, base_acc (of the step's batch), lr, grad_norm,
 * tokens_per_s, valid_loss, valid_acc, valid_type_acc, valid_type_recall (NA where not scored).  All but tokens_per_s
 * are the same for the same run.
 */
#ifndef RNA_TRAINLOG_H
#define RNA_TRAINLOG_H

#include <stdio.h>
#include "nn/trainer.h"

struct rna_trainlog {
	FILE *fp; /* NULL: no log */
	char *path;
};

/* Opens path: new when step is 0, else its rows up to step are kept. */
enum rna_status
rna_trainlog_open(struct rna_trainlog *l, const char *path, int64_t step, struct rna_err *err) RNA_CHECK;
/* valid: NULL when not scored at this step. */
enum rna_status rna_trainlog_row(struct rna_trainlog *l, const struct rna_train_step *did,
    const struct rna_mlm_sums *valid, double tokens_per_s, struct rna_err *err) RNA_CHECK;
/* Rows so far are on disk. */
enum rna_status rna_trainlog_sync(struct rna_trainlog *l, struct rna_err *err) RNA_CHECK;
enum rna_status rna_trainlog_close(struct rna_trainlog *l, struct rna_err *err) RNA_CHECK;

#endif
