/*
 * bench_neural.c: processor seconds to fold with Turner's energies and (random) scores of a network, and for the
 * max-margin loss of one RNA with its gradient.
 *
 *	bench_neural [--rounds N] [LENGTH...]	random RNAs.  RILL_CPU is heeded
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fold/neural.h"
#include "fold/neural_rows.h"
#include "bench.h"
#include "below.h"

#define MAX_ROUNDS 101

/* Scores from -1/2 to 1/2. */
static float *
random_scores(size_t n)
{
	float *x = malloc(n * sizeof(*x));
	size_t i;

	if (x == NULL)
		abort();
	for (i = 0; i < n; i++)
		x[i] = (float)below(10001) / 10000 - 0.5f;
	return x;
}

static void
bench(const struct rna_energy *e, size_t n, int rounds)
{
	struct rna_neural *w = rna_neural_create(e, RNA_MAX_HELIX);
	float *map = random_scores(3 * n * n), *lengths = random_scores(RNA_LENGTHS);
	float *dscores = calloc(3 * n * n, sizeof(*dscores)), dlengths[RNA_LENGTHS] = {0};
	int32_t *pair = calloc(n + 1, sizeof(*pair)), *reference = calloc(n + 1, sizeof(*pair));
	struct rna_neural_scores scores = {map, lengths};
	double folds[MAX_ROUNDS], losses[MAX_ROUNDS], start, score;
	char *seq = malloc(n + 1);
	struct rna_neural_loss loss;
	struct rna_err err;
	size_t i;
	int k;

	if (w == NULL || dscores == NULL || pair == NULL || reference == NULL || seq == NULL)
		abort();
	for (i = 0; i < n; i++)
		seq[i] = "ACGU"[below(4)];
	if (rna_neural_fold(w, seq, n, NULL, NULL, reference, &score, &err) != RNA_OK)
		abort();
	for (k = 0; k < rounds; k++) {
		start = bench_cpu();
		if (rna_neural_fold(w, seq, n, &scores, NULL, pair, &score, &err) != RNA_OK)
			abort();
		folds[k] = bench_cpu() - start;
		start = bench_cpu();
		if (rna_neural_loss(w, seq, n, &scores, reference, NULL, 0.125, &loss, dscores, dlengths, NULL, &err) !=
		    RNA_OK)
			abort();
		losses[k] = bench_cpu() - start;
	}
	printf("random_%zu\t%zu\t%s\t%.6f\t%.6f\t%.3f\n", n, n, rna_neural_rows()->name, bench_median(folds, rounds),
	    bench_median(losses, rounds), score);
	fflush(stdout);
	free(map);
	free(lengths);
	free(dscores);
	free(pair);
	free(reference);
	free(seq);
	rna_neural_destroy(w);
}

int
main(int argc, char **argv)
{
	static const size_t lengths[] = {80, 130, 200, 500, 1000, 2000};
	static struct rna_energy e;
	struct rna_energy_file *f;
	struct rna_err err;
	int rounds = 5, i = 1;
	size_t k;

	if (argc > 2 && strcmp(argv[1], "--rounds") == 0) {
		rounds = bench_int("--rounds", argv[2], 1, MAX_ROUNDS);
		i = 3;
	}
	if ((f = rna_energy_file_open(NULL, &err)) == NULL || rna_energy_init(&e, f, 37, 2, &err) != RNA_OK)
		return 1;
	rna_energy_file_close(f);
	rna_energy_neural(&e);
	printf("sequence\tnt\tlevel\tfold_s\tloss_s\tscore\n");
	for (k = 0; i == argc && k < sizeof(lengths) / sizeof(lengths[0]); k++)
		bench(&e, lengths[k], rounds);
	for (; i < argc; i++)
		bench(&e, (size_t)bench_int("length", argv[i], 1, 100000), rounds);
	return 0;
}
