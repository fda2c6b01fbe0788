/*
 * bench_fold.c: processor seconds to fold: least energy with its structure, and the ensemble with all probabilities.
 *
 *	bench_fold [--rounds N] [FILE...]	files of one sequence each; none: random RNAs.  RILL_CPU is heeded
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "fold/fold_rows.h"
#include "fold/partition.h"

#define MAX_N 100000
#define MAX_ROUNDS 101

static void
bench(const struct rna_energy *e, const char *name, const char *seq, int rounds)
{
	struct rna_mfe *m = rna_mfe_create(e);
	struct rna_partition *q = rna_partition_create(e);
	int32_t *pair = calloc(MAX_N, sizeof(*pair));
	double mfe[MAX_ROUNDS], sums[MAX_ROUNDS], ensemble, start;
	const struct rna_pair_prob *pairs;
	size_t n = strlen(seq), npairs;
	struct rna_err err;
	int k, energy;

	for (k = 0; k < rounds; k++) {
		start = bench_cpu();
		if (rna_mfe_fold(m, seq, n, NULL, pair, &energy, &err) != RNA_OK)
			abort();
		mfe[k] = bench_cpu() - start;
		start = bench_cpu();
		if (rna_partition_fold(q, seq, n, NULL, energy, &ensemble, &err) != RNA_OK ||
		    rna_partition_pairs(q, 1e-5, &pairs, &npairs, &err) != RNA_OK)
			abort();
		sums[k] = bench_cpu() - start;
	}
	printf("%s\t%zu\t%s\t%.6f\t%.6f\t%.2f\t%.4f\n", name, n, rna_fold_rows()->name, bench_median(mfe, rounds),
	    bench_median(sums, rounds), energy / 100.0, ensemble);
	fflush(stdout);
	free(pair);
	rna_mfe_destroy(m);
	rna_partition_destroy(q);
}

static void
bench_random(const struct rna_energy *e, int rounds)
{
	static const int lengths[] = {80, 100, 200, 500, 1000, 2000};
	static char seq[MAX_N + 1];
	uint64_t state = 88172645463325252u;
	char name[32];
	size_t k;
	int i;

	for (k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
		for (i = 0; i < lengths[k]; i++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			seq[i] = "ACGU"[state >> 33 & 3];
		}
		seq[i] = '\0';
		snprintf(name, sizeof(name), "random_%d", lengths[k]);
		bench(e, name, seq, rounds);
	}
}

static void
bench_file(const struct rna_energy *e, const char *path, int rounds)
{
	static char seq[MAX_N + 1];
	const char *base = strrchr(path, '/');
	FILE *fp = fopen(path, "r");

	if (fp == NULL || fgets(seq, sizeof(seq), fp) == NULL) {
		fprintf(stderr, "bench_fold: %s: can't read\n", path);
		exit(1);
	}
	fclose(fp);
	seq[strcspn(seq, "\r\n")] = '\0';
	bench(e, base != NULL ? base + 1 : path, seq, rounds);
}

int
main(int argc, char **argv)
{
	static struct rna_energy e;
	struct rna_energy_file *f;
	struct rna_err err;
	int rounds = 5, i = 1;

	if (argc > 2 && strcmp(argv[1], "--rounds") == 0) {
		rounds = bench_int("--rounds", argv[2], 1, MAX_ROUNDS);
		i = 3;
	}
	if ((f = rna_energy_file_open(NULL, &err)) == NULL || rna_energy_init(&e, f, 37, 2, &err) != RNA_OK)
		return 1;
	rna_energy_file_close(f);
	printf("sequence\tnt\tlevel\tmfe_s\tensemble_s\tkcal\tensemble_kcal\n");
	if (i == argc)
		bench_random(&e, rounds);
	for (; i < argc; i++)
		bench_file(&e, argv[i], rounds);
	return 0;
}
