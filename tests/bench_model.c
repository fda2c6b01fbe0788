/*
 * bench_model.c: how near a whole model comes to what the machine can do: the work of model_work.h in sequences of 128
 * and of 512.  Prints TSV: the medians of several runs.  "of peak" is by processor time (what the code loses),
 * "of peak, wall" by the clock on the wall (what waiting and other programs lose too); both against the register loops
 * of machine_peak.h in the same run.
 *
 *	bench_model [threads [model [precision [forward|training [length [runs]]]]]]
 *
 * threads: default 0, one and then all; model: tiny, small or base (the default); length 0: 128 and 512; runs: 3
 */
#include <omp.h>

#include "model_work.h"

enum { RUNS_MAX = 99 };

/* Runs it once to warm up, then `runs` times; prints the medians. */
static void
measure(struct work *b, const char *what, int len, void (*run)(void *), void *arg)
{
	const char *level = rk_level(b->rk);
	const int runs = b->runs;
	double wall[RUNS_MAX], cpu[RUNS_MAX], top = machine_peak(level, b->precision, b->threads);

	run(arg);
	for (int i = 0; i < runs; i++) {
		wall[i] = bench_wall();
		cpu[i] = bench_cpu();
		run(arg);
		cpu[i] = bench_cpu() - cpu[i];
		wall[i] = bench_wall() - wall[i];
		top = machine_peak(level, b->precision, b->threads);
	}
	wall[0] = bench_median(wall, runs);
	cpu[0] = bench_median(cpu, runs);
	printf("%s\t%s\t%d\t%s\t%s\t%d\t%.3f\t%.3f\t%.1f\t%.1f\t%.1f\t%.3f\t%.3f\n", b->name, what, len,
	    precisions[b->precision], level, b->threads, wall[0], cpu[0], TOKENS / wall[0], TOKENS / cpu[0],
	    b->ops / cpu[0] / 1e9, b->ops / cpu[0] / top, b->ops / wall[0] / top / b->threads);
	fflush(stdout);
}

static void
forward(struct work *b, int len)
{
	struct forward f;

	forward_open(b, &f, len);
	measure(b, "forward", len, forward_run, &f);
	forward_close(&f);
}

static void
training(struct work *b, int len)
{
	struct training t;

	training_open(b, &t, len);
	measure(b, "training step", len, training_run, &t);
	training_close(&t);
}

static int
wanted(int argc, char **argv, int i, const char *name)
{
	return argc <= i || strcmp(argv[i], name) == 0;
}

static void
bench(const char *name, int threads, int argc, char **argv)
{
	const int len = bench_argument(argc, argv, 5, "length", 0, 0, 512);
	struct work b = {
	    .name = name, .threads = threads, .runs = bench_argument(argc, argv, 6, "runs", 3, 1, RUNS_MAX)};

	work_open(&b);
	for (int p = RK_FP32; p <= RK_INT8; p++) {
		b.precision = (enum rk_precision)p;
		if (!wanted(argc, argv, 3, precisions[p]))
			continue;
		for (int l = 128; l <= 512 && wanted(argc, argv, 4, "forward"); l *= 4)
			if (len == 0 || l == len)
				forward(&b, l);
		if (p != RK_INT8 && wanted(argc, argv, 4, "training"))
			training(&b, 128);
	}
	work_close(&b);
}

int
main(int argc, char **argv)
{
	const int all = omp_get_num_procs(), threads = bench_argument(argc, argv, 1, "threads", 0, 0, 1024);
	const char *name = argc > 2 ? argv[2] : "base";

	printf("model\twhat\tlength\tprecision\tlevel\tthreads\tseconds\tprocessor seconds\ttokens/s\t"
	       "tokens/processor-s\tGop/processor-s\tof peak\tof peak, wall\n");
	bench(name, threads > 0 ? threads : 1, argc, argv);
	if (threads <= 0 && all > 1)
		bench(name, all, argc, argv);
	return 0;
}
