/*
 * gpu_foldnet.c: times a folding network on a device, one RNA at a time, as rna-predict and rna-train fold run it:
 * copies and waiting are in it, folding is not.  Random weights and letters.  Prints lines of what, value, unit: the
 * median of five.
 *
 *	gpu_foldnet SHAPE DEVICE LENGTH...      SHAPE: base, small or tiny
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "fold/neural.h"
#include "foldnet_work.h"

enum { RUNS = 5, WARM = 2 };

static void
check(int fine, const char *what)
{
	if (fine)
		return;
	fprintf(stderr, "gpu_foldnet: %s\n", what);
	exit(1);
}

/* Median seconds of an RNA of n letters: its scores, and with train the gradients of all weights as well. */
static double
seconds_of(struct rna_foldnet *f, int train, size_t n)
{
	float *scores = reallocarray(NULL, 3 * n * n, sizeof(*scores)), lengths[RNA_LENGTHS];
	struct rna_foldrun *r = rna_foldrun_create(f, train);
	struct rna_err err = {0};
	char *letters = malloc(n);
	double t[RUNS];

	check(scores != NULL && letters != NULL && r != NULL, "out of memory");
	for (size_t i = 0; i < n; i++)
		letters[i] = "GGCAUACGU"[i * i % 9];
	for (int i = -WARM; i < RUNS; i++) {
		const double t0 = bench_wall();

		check(rna_foldrun_forward(r, letters, n, NULL, 1, scores, lengths, &err) == RNA_OK, err.text);
		check(!train || rna_foldrun_backward(r, scores, lengths, NULL, &err) == RNA_OK, err.text);
		check(rk_sync(f->rk) == RK_OK, rk_error(f->rk));
		if (i >= 0)
			t[i] = bench_wall() - t0;
	}
	rna_foldrun_destroy(r);
	free(letters);
	free(scores);
	return bench_median(t, RUNS);
}

int
main(int argc, char **argv)
{
	struct rna_foldnet_config c;
	struct rna_foldnet f;
	struct rna_err err = {0};
	char why[256] = "";
	struct rk *rk;

	if (argc < 4) {
		fprintf(stderr, "usage: gpu_foldnet base|small|tiny DEVICE LENGTH...\n");
		return 2;
	}
	check((rk = rk_open(argv[2], 1, why, sizeof(why))) != NULL, why);
	rna_foldnet_default(&c, 0);
	check(rna_foldnet_preset(&c, argv[1], &err) == RNA_OK, err.text);
	check(rna_foldnet_create(&f, &c, rk, 1, &err) == RNA_OK, err.text);
	for (int i = 3; i < argc; i++)
		for (int train = 0; train < 2; train++) {
			const size_t n = (size_t)bench_int("length", argv[i], 1, 20000);
			const double t = seconds_of(&f, train, n), ops = operations(&c, n) * (train ? 3 : 1);

			printf("folding network %s, %zu nt, %s\t%.3f\tms\n", argv[1], n, train ? "train" : "scores",
			    1e3 * t);
			printf("folding network %s, %zu nt, %s\t%.1f\tTFLOP/s\n", argv[1], n,
			    train ? "train" : "scores", 1e-12 * ops / t);
			fflush(stdout);
		}
	rna_foldnet_fini(&f);
	rk_close(rk);
	return 0;
}
