/*
 * trainplan.h: what can be known of a training before it begins.
 */
#ifndef RNA_TRAINPLAN_H
#define RNA_TRAINPLAN_H

#include "nn/config.h"
#include "nn/trainer.h"
#include "stream/header.h"

struct rna_train_count {
	uint64_t records, tokens; /* of one pass over the files */
	int64_t steps;            /* of all passes */
};

/*
 * Reads the streams once and packs their records into batches as a trainer would, passes times over.
 */
enum rna_status rna_train_count(char *const *files, int nfiles, uint64_t batch_tokens, uint64_t passes,
    struct rna_train_count *count, struct rna_err *err) RNA_CHECK;
/* The largest number of tokens that rna-tokenize allowed a record of this stream; 0: it set no limit. */
int rna_train_stream_max(const struct rna_header *h);
/* The share of the tokens that rna-mask says it masked at most, of the last of its entries; 1: it does not say. */
double rna_train_stream_masked(const struct rna_header *h);
/* Seconds that a step with the batch that tr was filled with takes: the mean of runs that take `seconds` in all. */
enum rna_status
rna_train_calibrate(struct rna_trainer *tr, double seconds, double *per_step, struct rna_err *err) RNA_CHECK;

#endif
