/*
 * score.h: between rna-score.c and its objectives.
 */
#ifndef RNA_SCORE_H
#define RNA_SCORE_H

#include "tool.h"

struct score_options {
	int context;       /* bases either side of the counts to compare with, -1: none */
	const char *train; /* what they are made from */
	int bootstrap;     /* resamples */
	int json;          /* 1: JSON, 0: TSV */
};

/* Reads masked records with logits and prints the table (score_mlm.c). */
void score_mlm(struct tool *t, const struct score_options *opts);

#endif
