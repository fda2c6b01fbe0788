/*
 * train_run.h: one run of rna-train, between the file that prepares it and the file that runs it.
 */
#ifndef RNA_TRAIN_RUN_H
#define RNA_TRAIN_RUN_H

#include "nn/checkpoint.h"
#include "nn/dirlock.h"
#include "nn/trainlog.h"
#include "nn/trainplan.h"
#include "train.h"

struct train_run {
	struct tool *t;
	const struct train_opts *o;
	char dir[4096]; /* -o */
	struct tool_in in;
	struct rna_record rec;
	int have;       /* 1: rec was read ahead */
	int stream_max; /* longest input that its stream was framed for; 0: not known */
	json_t *labels; /* class, pair: names of the classes; NULL: mlm */
	int pairs;      /* pair */
	int64_t pass;   /* passes over the files done */
	uint64_t epoch; /* streams begun before the one being read */
	struct rk *rk;
	struct rna_model model;
	struct rna_model typer; /* stack with a frozen predictor: what -m was; else of no model */
	struct rna_trainer tr;
	struct rna_trainlog log;
	struct rna_dirlock lock;
	struct tool_progress bar;
	/* class, pair, fold */
	FILE *table;     /* of epochs or rounds */
	json_t *state;   /* of the checkpoint that the run goes on from; NULL: it begins */
	char from[4096]; /* its folder */
	int64_t total;   /* steps of the run; 0: until the input ends */
	int estimated;   /* 1: total is from the header's totals, the stream may end a little before */
	int64_t save_every, valid_every;
	int64_t saved;          /* step of the newest checkpoint, -1: none */
	double mean_loss, last; /* for the bar: running mean, time of the last step */
};

/* Reports, lets go of the folder, ends with 1. */
void train_fail(struct train_run *r, const struct rna_err *err) __attribute__((noreturn));
/* As tool_usage. */
void train_usage(struct train_run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));
/* Opens r->table: --log, or log.tsv in -o; columns: its first line. */
void train_log_open(struct train_run *r, const char *columns);
/* A row of it could not be written: as train_fail, with errno. */
void train_log_failed(struct train_run *r) __attribute__((noreturn));
/* As train_fail, at a record of a file. */
void train_fail_at(struct train_run *r, struct rna_err *err, const char *file, uint64_t record)
    __attribute__((noreturn));
/* 1: -m names one. */
int train_has_model(const struct tool *t);
/* Ends with 2 where --valid, --valid-split, --group and --seeds do not go together. */
void train_check_valid(struct tool *t, const struct train_opts *o);
/*
 * train_data.c: records into memory: of the operands, with those that --valid-split sets apart, and of --valid.  What
 * fails ends the process with 1.
 */
struct train_data {
	int raw; /* 1: as they are, not made tokens */
	enum rna_status (*add)(void *arg, struct rna_record *rec, int valid, struct rna_err *err);
	/* told of each stream before its records; NULL: nothing is */
	void (*stream)(void *arg, const struct rna_header *h, const char *file);
	void *arg;
};
void train_read_input(struct train_run *r, const struct train_data *d);
void train_read_valid(struct train_run *r, const struct train_data *d);

/*
 * train_state.c: checkpoints of trainings whose data are in memory (data: what tells these from others).
 * train_state_options: what the result depends on in all of them; NULL: no memory.
 * train_state_find: reads the state of checkpoint-STEP into r->state, whose options have to be these (given up), and
 * opens the table behind the rows that it had; ends with 1 where it can't.
 * train_state_warn: when r->rk is of other arithmetic than the checkpoint.
 * train_state_save: checkpoint-STEP, the only one, of what fill writes and state, to which options, table and
 * arithmetic are added; state and options are given up. train_state_bad: the state lacks something: ends with 1.
 */
json_t *train_state_options(const struct train_run *r, uint64_t data);
void train_state_find(struct train_run *r, int64_t step, json_t *options);
void train_state_warn(struct train_run *r);
void train_state_save(
    struct train_run *r, int64_t step, rna_checkpoint_fill *fill, void *arg, json_t *state, json_t *options);
void train_state_bad(struct train_run *r) __attribute__((noreturn));
/* Takes -o; returns the step to continue from, -1 for a new run. */
int64_t train_take_folder(struct train_run *r);
/* The stream's vocabulary is the model's, or the process ends with 1. */
void train_check_vocab(struct train_run *r);
/* Backend and model: new, from -m, or from the checkpoint of step `from` (-1: none). */
void train_open_model(struct train_run *r, int64_t from);
/* Total steps, then the trainer. */
void train_count_steps(struct train_run *r);
void train_make_trainer(struct train_run *r);

#endif
