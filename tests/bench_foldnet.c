/*
 * bench_foldnet.c: how near the forward pass of a folding network comes to what the machine can do: the time of its
 * multiplications at the rate of the register loops of machine_peak.h, measured in the same run, beside the time it
 * takes.  Random weights, one RNA at a time.  Prints TSV: medians; "of peak" is by processor time.
 *
 *	bench_foldnet [threads [shape [LENGTH...]]]	1, base, 100 200 400.  RILL_CPU is heeded
 */
#include <stdio.h>
#include <stdlib.h>

#include "fold/neural.h"
#include "foldnet_work.h"
#include "machine_peak.h"

enum { RUNS = 5 };

static void
check(int fine, const char *what)
{
	if (fine)
		return;
	fprintf(stderr, "bench_foldnet: %s\n", what);
	exit(1);
}

static void
bench(struct rna_foldnet *f, const char *shape, int threads, size_t n)
{
	struct rna_foldrun *r = rna_foldrun_create(f, 0);
	float *scores = reallocarray(NULL, 3 * n * n, sizeof(*scores)), lengths[RNA_LENGTHS];
	const char *level = rk_level(f->rk);
	const double ops = operations(&f->config, n);
	double wall[RUNS], cpu[RUNS], top = 0;
	struct rna_err err = {0};
	char *letters = malloc(n);

	check(r != NULL && scores != NULL && letters != NULL, "out of memory");
	for (size_t i = 0; i < n; i++)
		letters[i] = "GGCAUACGU"[i * i % 9];
	for (int i = -1; i < RUNS; i++) { /* once to warm up */
		const double w = bench_wall(), p = bench_cpu();

		check(rna_foldrun_forward(r, letters, n, NULL, 0, scores, lengths, &err) == RNA_OK, err.text);
		if (i >= 0) {
			cpu[i] = bench_cpu() - p;
			wall[i] = bench_wall() - w;
		}
		top = machine_peak(level, RK_FP32, threads);
	}
	wall[0] = bench_median(wall, RUNS);
	cpu[0] = bench_median(cpu, RUNS);
	printf("%s\t%d\t%zu\t%s\t%d\t%.4f\t%.4f\t%.2f\t%.1f\t%.4f\t%.3f\t%.3f\n", shape, 2 - f->config.lower_constant,
	    n, level, threads, wall[0], cpu[0], ops / 1e9, ops / cpu[0] / 1e9, ops / top, ops / cpu[0] / top,
	    ops / wall[0] / top / threads);
	fflush(stdout);
	rna_foldrun_destroy(r);
	free(scores);
	free(letters);
}

int
main(int argc, char **argv)
{
	const int threads = bench_argument(argc, argv, 1, "threads", 1, 1, 1024);
	const char *shape = argc > 2 ? argv[2] : "base";
	struct rna_err err = {0};
	char why[160] = "";
	struct rk *rk = rk_open("cpu", threads, why, sizeof(why));

	check(rk != NULL, why);
	printf("shape\timages\tnt\tlevel\tthreads\tseconds\tprocessor seconds\tGop\tGop/processor-s\tseconds at peak\t"
	       "of peak\tof peak, wall\n");
	for (int images = 1; images <= 2; images++) {
		struct rna_foldnet_config c;
		struct rna_foldnet f;

		rna_foldnet_default(&c, 0);
		check(rna_foldnet_preset(&c, shape, &err) == RNA_OK, err.text);
		c.lower_constant = images == 1;
		check(rna_foldnet_create(&f, &c, rk, 1, &err) == RNA_OK, err.text);
		for (int i = 3; i < argc; i++)
			bench(&f, shape, threads, strtoul(argv[i], NULL, 10));
		for (size_t n = 100; argc <= 3 && n <= 400; n *= 2)
			bench(&f, shape, threads, n);
		rna_foldnet_fini(&f);
	}
	rk_close(rk);
	return 0;
}
