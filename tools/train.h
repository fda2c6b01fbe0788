/*
 * train.h: the options of rna-train, filled by train_options.c, read by the file of each objective.
 */
#ifndef RNA_TRAIN_H
#define RNA_TRAIN_H

#include <stdint.h>
#include "tool.h"

/* Numbers that were not given are negative. */
enum train_head { TRAIN_LINEAR, TRAIN_MLP, TRAIN_INTERACTION };
enum train_adapt { TRAIN_TBTH, TRAIN_FBTH, TRAIN_STACK };
/* What a class head reads: as enum rna_class_from, of a backbone; then what needs none. */
enum train_from {
	TRAIN_FROM_POOLED, TRAIN_FROM_CLS, TRAIN_FROM_MEAN, TRAIN_FROM_ATTENTION,
	TRAIN_FROM_KMER, TRAIN_FROM_LENGTH, TRAIN_FROM_SEQ, TRAIN_FROM_FIELD
};

struct train_opts {
	struct tool *tool;
	uint64_t given;     /* bit code - CHAR_MAX: that option was there */
	const char *config; /* -c */
	const char *vocab;  /* --vocab FILE */
	int64_t layers, hidden, heads, ffn, max_tokens;
	double init_range; /* --init-range */
	int init_local;    /* --init local */
	int act;           /* index of --act: relu, gelu; -1: the config's */
	double dropout, attention_dropout;
	int64_t steps, epochs, warmup, batch_tokens, save_every, valid_every, log_every, keep;
	double lr, min_lr, weight_decay, clip, type_weight;
	int schedule;  /* enum rna_schedule_kind; -1: the objective's */
	int type_head; /* --objective type */
	int bf16;      /* --dtype bf16 */
	const char *valid, *log;
	int resume, plan;
	/* class */
	int adapt; /* enum train_adapt */
	int from, head, weighted, chunks; /* enum train_from, enum train_head; enum rna_class_chunks */
	int channels; /* --compat paddle */
	int shared;                      /* --predictor shared */
	int64_t types, max_chunks;       /* --types K of stack */
	double floor;
	const char *field; /* --from field:NAME */
	int64_t batch, patience, seeds;
	double valid_split, smoothing; /* 0: none */
	/* fold */
	double lambda;
	int64_t longest, images;
	const char *group;
};

extern const struct tool_option train_options[];
/* arg: struct train_opts. */
int train_option(int code, const char *value, void *arg);
/* 1 when the option of that name was on the command line. */
int train_is_given(const struct train_opts *o, const char *name);
/* In the order of their names in rna-train.c. */
enum train_objective { TRAIN_MLM, TRAIN_CLASS, TRAIN_PAIR, TRAIN_FOLD };
/* Ends with 2 when an option of another objective was given; what was not given gets the objective's default. */
void train_check_options(struct train_opts *o, enum train_objective which);

int train_mlm(struct tool *t, const struct train_opts *o);
int train_class(struct tool *t, const struct train_opts *o);
int train_pair(struct tool *t, const struct train_opts *o);
int train_fold(struct tool *t, const struct train_opts *o);

#endif
