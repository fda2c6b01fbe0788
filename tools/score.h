/*
 * score.h: between rna-score.c and its objectives.
 */
#ifndef RNA_SCORE_H
#define RNA_SCORE_H

#include "stat/bootstrap.h"
#include "tool.h"

struct score_options {
	int context;         /* mlm: bases either side of the counts to compare with, -1: none */
	const char *train;   /* mlm: what they are made from */
	int bootstrap;       /* resamples */
	int json;            /* 1: JSON, 0: TSV */
	const char *classes; /* class: names of the classes, comma-separated; NULL: the header's, or those that occur */
	const char *against; /* class: other predictions of the same RNAs; NULL: none */
	const char *confusion; /* class: file for the confusion matrix; NULL: none */
	int bins;              /* class: of the calibration error */
	const char *truth;     /* fold: file of the known structures; NULL: the records' `pair` */
	const char *by;        /* fold: field, or name[:N], by which records are grouped; NULL: not */
	int by_parts;          /* fold: N of name[:N], 0: by is a field */
	int nested;            /* fold: leave out known pairs that cross */
	int canonical;         /* fold: leave out known pairs other than AU, GC, GU */
};

/* Reads masked records with logits and prints the table (score_mlm.c). */
void score_mlm(struct tool *t, const struct score_options *opts);
/* Reads classifications with their labels and prints the table (score_class.c). */
void score_class(struct tool *t, const struct score_options *opts);
/* Reads structures with the known ones and prints the table (score_fold.c). */
void score_fold(struct tool *t, const struct score_options *opts);

/* The table of class and fold (score_table.c): failures end the process. */
struct score_table {
	struct tool *t;
	const struct score_options *opts;
	FILE *fp;
	json_t *json; /* what is printed at the end, NULL for TSV */
};

/* more: further columns, each with a tab before it. */
void score_table_open(struct score_table *to, struct tool *t, const struct score_options *opts, const char *more);
/* Begins a row: name, value, ends of its interval, number of things that it is over.  JSON: its object. */
json_t *score_table_row(struct score_table *to, const char *name, struct rna_interval iv, size_t n);
/* A further column of the row; o is what score_table_row returned. */
void score_table_put(struct score_table *to, json_t *o, const char *name, double x);
/* A name that came from data, without control characters. */
void score_table_name(FILE *fp, const char *name);
void score_table_end_row(struct score_table *to);
void score_table_close(struct score_table *to);

#endif
