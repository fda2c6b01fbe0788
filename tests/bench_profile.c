/*
 * bench_profile.c: where the time of a whole model goes: the work of model_work.h, call by call.  Prints TSV: a line
 * per op and shape with the calls of one run, their seconds on the wall, their share of all, and the fraction of the
 * peak that is measured in the same run; then all calls together, and the run as it is.
 *
 *	bench_profile [threads [model [precision [forward|training [length]]]]]
 *
 * threads: default 1; model: tiny, small or base (the default)
 */
#include "model_work.h"
#include "nn/tape_private.h"
#include "rk_open.h"

enum { LINES = 64, LABEL = 64 };

static const char *const ops[RK_NOPS] = {[RK_PACK] = "pack", [RK_EMBED] = "embed", [RK_EMBED_BACK] = "embed back",
    [RK_LINEAR] = "linear", [RK_LINEAR_BACK_X] = "linear back x", [RK_LINEAR_BACK_W] = "linear back w",
    [RK_ACT_BACK] = "activation back", [RK_NORM] = "norm", [RK_NORM_BACK] = "norm back", [RK_ATTENTION] = "attention",
    [RK_ATTENTION_BACK] = "attention back", [RK_GATHER] = "gather", [RK_SCATTER_ADD] = "scatter",
    [RK_CROSS_ENTROPY] = "cross entropy", [RK_ZERO] = "zero", [RK_ADD] = "add", [RK_SUM_SQUARES] = "sum of squares",
    [RK_ADAMW] = "adamw"};

/* One line: all calls of an op and shape. */
struct line {
	char label[LABEL];
	int calls;
	double seconds, ops;
};

struct profile {
	struct work *work;
	const char *what;
	int len, nlines;
	struct line line[LINES];
};

/* Multiply-adds times 2 that a call has to do. */
static double
operations_of(const struct rk_call *c, const int32_t *live)
{
	const struct rk_attention *a = &c->u.attention;
	double n = 0;

	switch (c->op) {
	case RK_LINEAR: case RK_LINEAR_BACK_X: case RK_LINEAR_BACK_W:
		return 2.0 * live[c->u.linear.rows] * c->u.linear.w.n * c->u.linear.w.k;
	case RK_ATTENTION: case RK_ATTENTION_BACK:
		for (int b = 0; b < live[RK_LIVE_SEQS]; b++)
			n += 4.0 * a->heads * a->dim * (a->offsets[b + 1] - a->offsets[b]) *
			    (a->offsets[b + 1] - a->offsets[b]);
		return c->op == RK_ATTENTION ? n : 2 * n;
	default:
		return 0;
	}
}

static void
label_of(const struct rk_call *c, char label[LABEL])
{
	const char *name = ops[c->op] != NULL ? ops[c->op] : "others";

	if (c->op == RK_LINEAR || c->op == RK_LINEAR_BACK_X || c->op == RK_LINEAR_BACK_W)
		snprintf(label, LABEL, "%s %dx%d", name, c->u.linear.w.n, c->u.linear.w.k);
	else
		snprintf(label, LABEL, "%s", name);
}

static struct line *
line_of(struct profile *p, const struct rk_call *c)
{
	char label[LABEL];
	int i;

	label_of(c, label);
	for (i = 0; i < p->nlines && strcmp(p->line[i].label, label) != 0; i++)
		;
	check(i < LINES, "too many kinds of calls");
	if (i == p->nlines) {
		p->line[p->nlines++] = (struct line){0};
		memcpy(p->line[i].label, label, LABEL);
	}
	return &p->line[i];
}

/* Runs each call of a list by itself; the list is run `times` times in all. */
static void
profile_list(struct profile *p, const struct rk_list *l, int times)
{
	for (size_t i = 0; i < l->n; i++) {
		struct line *line = line_of(p, &l->calls[i]);
		struct rk_list one = *l;
		double t = bench_wall();

		one.calls = l->calls + i;
		one.n = 1;
		check(rk_list_run(&one) == RK_OK, rk_error(l->rk));
		line->seconds += times * (bench_wall() - t);
		line->calls += times;
		line->ops += times * operations_of(&l->calls[i], l->live);
	}
}

static void
print_line(const struct profile *p, const char *label, int calls, double seconds, double all, double done)
{
	const struct work *w = p->work;
	const double top = w->threads * machine_peak(rk_level(w->rk), w->precision, w->threads);

	printf("%s\t%s\t%d\t%s\t%s\t%d\t%s\t%d\t%.4f\t%.4f\t", w->name, p->what, p->len, precisions[w->precision],
	    rk_level(w->rk), w->threads, label, calls, seconds, seconds / all);
	if (done > 0 && top > 0)
		printf("%.1f\t%.3f\n", done / seconds / 1e9, done / seconds / top);
	else
		printf("-\t-\n");
	fflush(stdout);
}

static int
by_seconds(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return (x->seconds < y->seconds) - (x->seconds > y->seconds);
}

/* whole: seconds of a run as it is. */
static void
print(struct profile *p, double whole)
{
	double all = 0;

	for (int i = 0; i < p->nlines; i++)
		all += p->line[i].seconds;
	qsort(p->line, (size_t)p->nlines, sizeof(*p->line), by_seconds);
	for (int i = 0; i < p->nlines; i++)
		print_line(p, p->line[i].label, p->line[i].calls, p->line[i].seconds, all, p->line[i].ops);
	print_line(p, "all calls", 1, all, all, p->work->ops);
	print_line(p, "the run as it is", 1, whole, all, p->work->ops);
}

/* Seconds of a run, after one to warm up. */
static double
timed(void (*run)(void *), void *arg)
{
	double t;

	run(arg);
	t = bench_wall();
	run(arg);
	return bench_wall() - t;
}

static void
forward(struct work *w, int len)
{
	struct profile p = {.work = w, .what = "forward", .len = len};
	struct forward f;
	double whole;

	forward_open(w, &f, len);
	whole = timed(forward_run, &f);
	profile_list(&p, f.tape->forward, 1);
	print(&p, whole);
	forward_close(&f);
}

/* The unit that the last step left in the tape's inputs is used again, for as many passes as a batch has units. */
static void
training(struct work *w, int len)
{
	struct profile p = {.work = w, .what = "training step", .len = len};
	struct training t;
	double whole;
	int units;

	training_open(w, &t, len);
	whole = timed(training_run, &t);
	training_add(&t);
	units = t.trainer.batch[t.trainer.filling].nunits;
	profile_list(&p, t.trainer.optimizer.zero, 1);
	profile_list(&p, t.trainer.tape->forward, units);
	profile_list(&p, t.trainer.tape->backward, units);
	profile_list(&p, t.trainer.optimizer.norm, 1);
	profile_list(&p, t.trainer.optimizer.step, 1);
	profile_list(&p, t.trainer.tape->pack_list, 1);
	print(&p, whole);
	training_close(&t);
}

static int
wanted(int argc, char **argv, int i, const char *name)
{
	return argc <= i || strcmp(argv[i], name) == 0;
}

static void
profile(const char *name, int threads, int argc, char **argv)
{
	const int only = bench_argument(argc, argv, 5, "length", 0, 0, 512);
	struct work w = {.name = name, .threads = threads};

	work_open(&w);
	for (int p = RK_FP32; p <= RK_INT8; p++) {
		w.precision = (enum rk_precision)p;
		if (!wanted(argc, argv, 3, precisions[p]))
			continue;
		for (int len = 128; len <= 512; len *= 4) {
			if (only != 0 && len != only)
				continue;
			if (wanted(argc, argv, 4, "forward"))
				forward(&w, len);
			if (p != RK_INT8 && wanted(argc, argv, 4, "training"))
				training(&w, len);
		}
	}
	work_close(&w);
}

int
main(int argc, char **argv)
{
	printf("model\twhat\tlength\tprecision\tlevel\tthreads\tcalls of\tcalls\tseconds\tshare\tGop/s\tof peak\n");
	profile(argc > 2 ? argv[2] : "base", bench_argument(argc, argv, 1, "threads", 1, 1, 1024), argc, argv);
	return 0;
}
