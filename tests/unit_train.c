/*
 * unit_train.c: learning-rate schedules against their formulas, steps of a number of passes, the log cut back, the
 * lock.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nn/dirlock.h"
#include "nn/schedule.h"
#include "nn/trainlog.h"
#include "tap.h"

static int
close_to(double a, double b)
{
	return fabs(a - b) <= 1e-12 * fmax(fabs(a), fabs(b)) + 1e-300;
}

/* The paper: 5 % warm-up, constant, the last 5 % linear to half the rate. */
static void
test_paper(void)
{
	struct rna_schedule s = {RNA_SCHEDULE_PAPER, 1e-4, 5e-5, rna_schedule_warmup(1000), 1000};

	ok(s.warmup == 50, "warm-up of 1000 steps is 50");
	ok(close_to(rna_schedule_lr(&s, 1), 1e-4 / 50), "paper: step 1");
	ok(close_to(rna_schedule_lr(&s, 25), 5e-5), "paper: half of the warm-up");
	ok(rna_schedule_lr(&s, 50) == 1e-4 && rna_schedule_lr(&s, 500) == 1e-4 && rna_schedule_lr(&s, 950) == 1e-4,
	    "paper: constant from 5 %% to 95 %%");
	ok(close_to(rna_schedule_lr(&s, 975), 7.5e-5), "paper: middle of the decay");
	ok(close_to(rna_schedule_lr(&s, 1000), 5e-5) && close_to(rna_schedule_lr(&s, 2000), 5e-5),
	    "paper: the end and past it");
}

/* s <= w: lr s / w; then lr_min + (1 - (s - w) / (S - w)) (lr - lr_min), as the released code. */
static void
test_linear(void)
{
	struct rna_schedule s = {RNA_SCHEDULE_LINEAR, 3e-4, 1e-5, 20, 420};
	int64_t i, wrong = 0;
	double want;

	for (i = 1; i <= 420; i++) {
		want = i <= 20 ? 3e-4 * (double)i / 20 : 1e-5 + (1 - (double)(i - 20) / 400) * (3e-4 - 1e-5);
		wrong += !close_to(rna_schedule_lr(&s, i), want);
	}
	ok(wrong == 0, "linear: every step is the formula's");
}

static void
test_cosine(void)
{
	struct rna_schedule s = {RNA_SCHEDULE_COSINE, 1e-3, 5e-5, 10, 110};
	int64_t i, wrong = 0;
	double want;

	for (i = 1; i <= 110; i++) {
		want =
		    i <= 10 ? 1e-4 * (double)i : 5e-5 + 0.5 * (1e-3 - 5e-5) * (1 + cos(M_PI * (double)(i - 10) / 100));
		wrong += fabs(rna_schedule_lr(&s, i) - want) > 1e-15;
	}
	ok(wrong == 0, "cosine: every step is the formula's");
}

static void
test_edges(void)
{
	struct rna_schedule constant = {RNA_SCHEDULE_CONSTANT, 1e-3, 0, 0, 0};
	struct rna_schedule one = {RNA_SCHEDULE_PAPER, 1e-3, 1e-4, 0, 1}, all = {RNA_SCHEDULE_COSINE, 1e-3, 1e-4, 9, 9};

	ok(rna_schedule_lr(&constant, 1) == 1e-3 && rna_schedule_lr(&constant, INT64_MAX) == 1e-3,
	    "constant has no end");
	ok(isfinite(rna_schedule_lr(&one, 1)) && rna_schedule_lr(&one, 1) > 0, "a run of one step has a rate");
	ok(isfinite(rna_schedule_lr(&all, 9)) && close_to(rna_schedule_lr(&all, 3), 1e-3 / 3),
	    "a run that is all warm-up");
}

/* Steps 1..n, as a run would write them. */
static int
write_rows(const char *path, int64_t from, int64_t to)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_train_step did;
	struct rna_trainlog log;
	int64_t i;

	memset(&did, 0, sizeof(did));
	if (rna_trainlog_open(&log, path, from, &err) != RNA_OK)
		return -1;
	for (i = from + 1; i <= to; i++) {
		did.state.step = i;
		did.loss = 1.0 / (double)i;
		if (rna_trainlog_row(&log, &did, NULL, 0, &err) != RNA_OK)
			return -1;
	}
	return rna_trainlog_close(&log, &err) == RNA_OK ? 0 : -1;
}

static long
slurp(const char *path, char *dst, size_t n)
{
	FILE *fp = fopen(path, "r");
	size_t got;

	if (fp == NULL)
		return -1;
	got = fread(dst, 1, n - 1, fp);
	dst[got] = '\0';
	fclose(fp);
	return (long)got;
}

static void
test_log(const char *dir)
{
	static char whole[65536], again[65536];
	char path[4096];
	FILE *fp;

	snprintf(path, sizeof(path), "%s/log.tsv", dir);
	ok(write_rows(path, 0, 20) == 0 && slurp(path, whole, sizeof(whole)) > 0, "a log of 20 steps");
	ok(write_rows(path, 10, 20) == 0 && slurp(path, again, sizeof(again)) > 0 && strcmp(whole, again) == 0,
	    "cut back to step 10 and continued it is the same");
	fp = fopen(path, "a");
	ok(fp != NULL && fputs("21\t0\t0\t0.0", fp) != EOF && fclose(fp) == 0, "a row torn by a kill");
	ok(write_rows(path, 20, 20) == 0 && slurp(path, again, sizeof(again)) > 0 && strcmp(whole, again) == 0,
	    "the torn row is cut off");
	unlink(path);
}

static void
test_lock(const char *dir)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_dirlock mine, other;
	char pid[32];
	int status = 1;
	pid_t child;

	ok(rna_dirlock_take(&mine, dir, &err) == RNA_OK, "the lock is free");
	snprintf(pid, sizeof(pid), "pid %ld", (long)getpid());
	fflush(stdout);
	if ((child = fork()) == 0) {
		rna_err_clear(&err);
		_exit(rna_dirlock_take(&other, dir, &err) == RNA_EINVAL && strstr(err.text, pid) != NULL ? 0 : 1);
	}
	ok(child > 0 && waitpid(child, &status, 0) == child && status == 0, "another process is told our pid");
	rna_dirlock_release(&mine);
	fflush(stdout);
	if ((child = fork()) == 0)
		_exit(rna_dirlock_take(&other, dir, &err) == RNA_OK ? 0 : 1);
	status = 1;
	ok(child > 0 && waitpid(child, &status, 0) == child && status == 0, "once released, another takes it");
}

int
main(void)
{
	char dir[] = "/tmp/unit_train.XXXXXX", lock[64];

	test_paper();
	test_linear();
	test_cosine();
	test_edges();
	if (mkdtemp(dir) == NULL) {
		ok(0, "a temporary folder");
		return done();
	}
	test_log(dir);
	test_lock(dir);
	snprintf(lock, sizeof(lock), "%s/.lock", dir);
	unlink(lock);
	rmdir(dir);
	return done();
}
