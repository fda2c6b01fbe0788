/*
 * train_mlm.c: masked-token training: the loop over records of rna-train mlm.
 *
 * 1. Signals   2. Records   3. Steps   4. The run
 */
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "train_run.h"

/* 1. Signals */

static volatile sig_atomic_t stopped; /* the signal that asks for an end, or 0 */

static void
stop(int sig)
{
	int null = open("/dev/null", O_RDONLY);

	stopped = sig;
	if (null >= 0)
		dup2(null, STDIN_FILENO); /* so that a wait for a silent pipe ends, too */
}

/* The step at hand is finished and saved first; a second signal ends the process at once. */
static void
catch_signals(void)
{
	struct sigaction sa = {.sa_handler = stop, .sa_flags = (int)SA_RESETHAND};

	sigemptyset(&sa.sa_mask);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	signal(SIGXFSZ, SIG_IGN); /* a file-size limit is reported as a full disk is */
}

/* 2. Records */

static void
open_input(struct train_run *r)
{
	tool_in_open(&r->in, r->t, NULL);
	r->in.soft = 1;
}

/* What a stream that was never masked is told. */
static void
not_masked(struct train_run *r)
{
	const struct tool *t = r->t;
	struct rna_err err = {.record = RNA_NOREC};
	int stream = rna_source_is_stream(r->in.source), named = strcmp(t->files[0], "-") != 0;

	rna_fail(&err, RNA_EFORMAT, "not masked; type: %s%s%s | rna-train mlm ...",
	    stream ? "rna-mask" : "rna-tokenize", named ? " " : "", named ? t->files[0] : "");
	if (!stream)
		rna_fail(&err, RNA_EFORMAT,
		    "sequences, not masked records; type: rna-tokenize --frame type --type header --long "
		    "chunk%s%s | rna-shuf | rna-mask | rna-train mlm ...",
		    named ? " " : "", named ? t->files[0] : "");
	rna_err_where(&err, rna_source_name(r->in.source), RNA_NOREC);
	train_fail(r, &err);
}

/* Into r->rec: the next record of all streams and passes; RNA_END when there is none, or a signal came. */
static enum rna_status
next_record(struct train_run *r)
{
	enum rna_status s;

	if (r->have) {
		r->have = 0;
		return RNA_OK;
	}
	while (!stopped && (s = tool_in_read(&r->in, &r->rec)) != RNA_OK) {
		if (s == RNA_END) {
			if (++r->pass >= r->o->epochs)
				return RNA_END;
			tool_in_close(&r->in);
			open_input(r);
		} else if (s != RNA_NEXT)
			return stopped ? RNA_END : s; /* a signal to the whole pipe also cuts the stream */
		train_check_vocab(r);
		r->epoch++;
	}
	return stopped ? RNA_END : RNA_OK;
}

/* The first record tells frame and whether it is masked. */
static void
read_first(struct train_run *r)
{
	enum rna_status s = tool_in_read(&r->in, &r->rec);
	uint64_t n;

	if (s == RNA_NEXT || s == RNA_END)
		return;
	if (s != RNA_OK)
		train_fail(r, &r->in.err);
	if (rna_mlm_targets(&r->rec, &n) < 0)
		not_masked(r);
	r->have = 1;
	r->stream_max = rna_train_stream_max(tool_in_header(&r->in));
}

/* 3. Steps */

static void
save(struct train_run *r)
{
	struct rna_err err = {.record = RNA_NOREC};

	if (r->saved == r->tr.state.step)
		return;
	if (rna_trainlog_sync(&r->log, &err) != RNA_OK ||
	    rna_checkpoint_write(r->dir, &r->tr, (int)r->o->keep, &err) != RNA_OK)
		train_fail(r, &err);
	r->saved = r->tr.state.step;
}

static void
show(struct train_run *r, const struct rna_train_step *did, double tokens_per_s)
{
	char detail[96];

	r->mean_loss = r->mean_loss > 0 ? 0.95 * r->mean_loss + 0.05 * did->loss : did->loss;
	snprintf(detail, sizeof(detail), "loss %.4f  %.0f tokens/s", r->mean_loss, tokens_per_s);
	tool_progress_at(&r->bar, (double)did->state.step, detail);
}

/* Log and bar of the steps up to `upto` that were not told yet.  valid: the scores of step upto, or NULL. */
static void
tell(struct train_run *r, int64_t upto, const struct rna_mlm_sums *valid, int last)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_train_step did;
	double now, tokens_per_s;
	enum rna_status s;

	while ((s = rna_trainer_tell(&r->tr, upto, &did, &err)) == RNA_OK) {
		const int64_t n = did.state.step;

		now = tool_now();
		tokens_per_s = (double)did.tokens / fmax(now - r->last, 1e-9);
		r->last = now;
		if ((valid != NULL || last || n % r->o->log_every == 0) &&
		    rna_trainlog_row(&r->log, &did, valid, tokens_per_s, &err) != RNA_OK)
			train_fail(r, &err);
		show(r, &did, tokens_per_s);
	}
	if (s != RNA_END)
		train_fail(r, &err);
}

/* One step with the batch at hand, and what is due after it. */
static void
step(struct train_run *r, int last)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_mlm_sums valid;
	int scored, due;
	double begin;
	int64_t n;

	if (rna_trainer_step(&r->tr, &err) != RNA_OK)
		train_fail(r, &err);
	n = r->tr.state.step;
	last |= n == r->total;
	due = last || n % r->save_every == 0;
	scored = r->o->valid != NULL && (last || n % r->valid_every == 0);
	tell(r, n - 1, NULL, 0);
	if (scored) {
		if (rna_trainer_check(&r->tr, &err) != RNA_OK)
			train_fail(r, &err);
		begin = tool_now();
		if (rna_trainer_score(&r->tr, r->o->valid, &valid, &err) != RNA_OK) {
			save(r);
			train_fail(r, &err);
		}
		r->last += tool_now() - begin; /* not the step's time */
	}
	tell(r, scored || due ? n : n - rna_trainer_lag(&r->tr), scored ? &valid : NULL, last);
	if (due)
		save(r);
	r->last = tool_now();
}

static int
complete(const struct train_run *r)
{
	return r->total > 0 && r->tr.state.step >= r->total;
}

/* Reads, fills, steps, until the steps are done, the input ends, or a signal comes. */
static enum rna_status
train(struct train_run *r)
{
	struct rna_err err = {.record = RNA_NOREC};
	enum rna_status s = RNA_OK;

	while (!complete(r) && (s = next_record(r)) == RNA_OK) {
		while ((s = rna_trainer_add(&r->tr, &r->rec, r->epoch, &err)) == RNA_END && !complete(r))
			step(r, 0);
		if (s != RNA_OK && s != RNA_END) {
			rna_err_where(&err, rna_source_name(r->in.source), r->rec.number);
			train_fail(r, &err);
		}
	}
	if (s == RNA_END && !stopped && !complete(r) && rna_trainer_pending(&r->tr) > 0)
		step(r, 1);
	tell(r, r->tr.state.step, NULL, 0);
	return s;
}

static void
check_end(struct train_run *r, enum rna_status s)
{
	struct rna_err err = {.record = RNA_NOREC};

	if (s != RNA_OK && s != RNA_END) {
		if (rna_trainer_to_skip(&r->tr) == 0 && r->tr.state.step > 0)
			save(r); /* what was learnt before the input broke */
		train_fail(r, &r->in.err);
	}
	if (stopped || complete(r))
		return;
	if (rna_trainer_to_skip(&r->tr) > 0) {
		rna_fail(&err, RNA_EINVAL,
		    "the input ends before the %llu records that checkpoint-%lld was trained on; give the "
		    "same input as before",
		    (unsigned long long)r->tr.state.records, (long long)r->tr.state.step);
		train_fail(r, &err);
	}
	if (r->tr.state.step == 0) {
		rna_fail(&err, RNA_EFORMAT, "no records in the input");
		train_fail(r, &err);
	}
	/* a model of fewer steps than were asked for is not what was asked for: kept, and said whatever -q says */
	if (r->total > 0 && !r->estimated) {
		rna_fail(&err, RNA_ETRUNC,
		    "the input ended after %lld of %lld steps; the model so far is kept, --resume goes on with more",
		    (long long)r->tr.state.step, (long long)r->total);
		save(r);
		train_fail(r, &err);
	}
}

/* 4. The run */

static void
plan(struct train_run *r)
{
	struct rna_err err = {.record = RNA_NOREC};
	const struct rna_config *c = &r->model.config;
	double params = 0, per_step = 0;
	enum rna_status s = RNA_OK;
	int i;

	for (i = 0; i < r->model.params.n; i++)
		params += (double)r->model.params.list[i].n;
	while ((s = next_record(r)) == RNA_OK && (s = rna_trainer_add(&r->tr, &r->rec, 0, &err)) == RNA_OK)
		continue;
	if (s != RNA_END)
		train_fail(r, err.text[0] != '\0' ? &err : &r->in.err);
	if (rna_trainer_pending(&r->tr) > 0 && rna_train_calibrate(&r->tr, 2, &per_step, &err) != RNA_OK)
		train_fail(r, &err);
	printf("model\t%d layers, hidden %d, %d heads, ffn %d, at most %d tokens\n", c->layers, c->hidden, c->heads,
	    c->ffn, c->max);
	printf("parameters\t%.0f\n", params);
	printf("arithmetic\t%s, %s, %d threads\n", rk_name(r->rk), r->o->bf16 ? "bf16" : "fp32", r->t->threads);
	printf("tokens a step\t%lld\n", (long long)r->o->batch_tokens);
	if (r->total > 0)
		printf(
		    "steps\t%lld\ntokens\t%.4g\n", (long long)r->total, (double)r->total * (double)r->o->batch_tokens);
	printf("memory\t%.0f MiB\n", (double)rna_trainer_bytes(&r->tr) / (1 << 20));
	if (rk_is_device(r->rk))
		printf("memory of the GPU\t%.0f MiB, scratch included\n", (double)rk_taken(r->rk) / (1 << 20));
	printf("disk\t%.0f MiB for %lld checkpoints\n", (double)(r->o->keep + 1) * params * 12 / (1 << 20),
	    (long long)r->o->keep);
	printf("time a step\t%.3f s, %.0f tokens/s\n", per_step, (double)r->tr.tokens / fmax(per_step, 1e-9));
	if (r->total > 0)
		printf("time\t%.2f h\n", per_step * (double)r->total / 3600);
}

/* A folder with a model of random weights. */
static void
write_random(struct train_run *r)
{
	struct rna_err err = {.record = RNA_NOREC};

	if (rna_model_save(&r->model, r->dir, &err) != RNA_OK)
		train_fail(r, &err);
}

static void
resume(struct train_run *r, int64_t from)
{
	struct rna_err err = {.record = RNA_NOREC};
	int moved = 0;

	if (rna_checkpoint_load(r->dir, from, &r->tr, &moved, &err) != RNA_OK ||
	    rna_checkpoint_publish(r->dir, from, &err) != RNA_OK)
		train_fail(r, &err);
	if (moved)
		tool_warn(r->t,
		    "checkpoint-%lld was made with other arithmetic than %s: the run goes on, but not to the same bits",
		    (long long)from, rk_name(r->rk));
	tool_note(r->t, 1, "continuing from %s/checkpoint-%lld", r->dir, (long long)from);
}

/* Log, bar, steps, last checkpoint. */
static void
run(struct train_run *r, int64_t from)
{
	struct rna_err err = {.record = RNA_NOREC};
	char path[sizeof(r->dir) + 16];

	/* better now than hours from now */
	if (r->o->valid != NULL && rna_trainer_score(&r->tr, r->o->valid, NULL, &err) != RNA_OK)
		train_fail(r, &err);
	if (from >= 0)
		resume(r, from);
	r->saved = from;
	if (complete(r)) {
		tool_note(r->t, 1, "%s: all %lld steps are done already", r->dir, (long long)r->total);
		return;
	}
	snprintf(path, sizeof(path), "%s/log.tsv", r->dir);
	if (rna_trainlog_open(&r->log, r->o->log != NULL ? r->o->log : path, from, &err) != RNA_OK)
		train_fail(r, &err);
	tool_progress_start(&r->bar, r->t, "steps", (double)r->total);
	r->last = tool_now();
	check_end(r, train(r));
	if (r->tr.state.step > 0 && rna_trainer_to_skip(&r->tr) == 0)
		save(r);
	tool_progress_end(&r->bar);
	if (rna_trainlog_close(&r->log, &err) != RNA_OK)
		train_fail(r, &err);
	tool_summary(r->t, "%lld steps, %llu records, %llu tokens", (long long)r->tr.state.step,
	    (unsigned long long)r->tr.state.records, (unsigned long long)r->tr.state.tokens);
}

int
train_mlm(struct tool *t, const struct train_opts *o)
{
	struct train_run r = {.t = t, .o = o, .saved = -1};
	int bare = o->steps == 0 && strcmp(t->files[0], "-") == 0; /* a random model needs no input */
	int64_t from;

	catch_signals();
	from = train_take_folder(&r);
	rna_record_init(&r.rec);
	if (!bare) {
		open_input(&r);
		read_first(&r);
	}
	train_open_model(&r, from);
	if (!bare) {
		train_check_vocab(&r);
		train_count_steps(&r);
		train_make_trainer(&r);
	}
	if (o->plan)
		plan(&r);
	else if (o->steps == 0)
		write_random(&r);
	else
		run(&r, from);
	if (!bare)
		tool_in_close(&r.in);
	rna_trainer_fini(&r.tr);
	rna_model_fini(&r.model);
	rk_close(r.rk);
	rna_record_fini(&r.rec);
	rna_dirlock_release(&r.lock);
	if (stopped) {
		signal(stopped, SIG_DFL);
		raise(stopped);
	}
	return TOOL_DONE;
}
