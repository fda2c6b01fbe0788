/*
 * gpu_fold.c: times batched folding on a device against all threads of the CPU, on the RNAs of a FASTA file or as many
 * random ones with the lengths of the nRC test set.  Prints TSV; ends with 1 when an energy or a structure differs.
 *
 *	gpu_fold N [FASTA [DEVICE]]         the first N RNAs; - : random ones; DEVICE: default cuda
 *
 * RNAs that the device does not take are folded by the CPU after the others, and that time counts too.
 */
#include <limits.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "fold/mfe.h"
#include "fold/mfe_device.h"
#include "stream/rng.h"

enum { ROUNDS = 5, LONGEST = 4000 };

/* Twentieths of the lengths of the nRC test set: mean 157. */
static const int lengths[] = {
    38, 69, 73, 78, 86, 95, 103, 111, 118, 121, 127, 132, 138, 148, 155, 167, 202, 258, 313, 374, 512};

struct rna {
	char *seq;
	int n, energy;
	int32_t *pair;
};

static struct rna *rnas;
static size_t nrnas;
static struct rna_energy model;

static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "gpu_fold: %s: %s\n", what, why);
	exit(1);
}

static void
add(const char *seq)
{
	struct rna *r = &rnas[nrnas++];

	r->n = (int)strlen(seq);
	r->seq = strdup(seq);
	r->pair = calloc((size_t)r->n + 1, sizeof(*r->pair));
	if (r->seq == NULL || r->pair == NULL)
		fail("memory", "out of memory");
}

static void
add_random(size_t n)
{
	struct rna_rng rng;
	char seq[LONGEST];

	rna_rng_init(&rng, 1);
	while (nrnas < n) {
		const double u = rna_rng_double(&rng) * 20;
		const int len = lengths[(int)u] + (int)((u - (int)u) * (lengths[(int)u + 1] - lengths[(int)u]));
		int i;

		for (i = 0; i < len; i++)
			seq[i] = "ACGU"[rna_rng_below(&rng, 4)];
		seq[len] = '\0';
		add(seq);
	}
}

/* One sequence a record, whatever its lines. */
static void
add_file(const char *path, size_t n)
{
	FILE *fp = fopen(path, "r");
	char line[LONGEST], seq[LONGEST] = "";
	size_t len = 0, got;

	if (fp == NULL)
		fail(path, "can't be read");
	while (nrnas < n && fgets(line, sizeof(line), fp) != NULL) {
		got = strcspn(line, "\r\n");
		if (*line != '>' && len + got < sizeof(seq)) {
			memcpy(seq + len, line, got);
			seq[len += got] = '\0';
		} else if (*line == '>' && len > 0) {
			add(seq);
			len = 0;
		}
	}
	if (len > 0 && nrnas < n)
		add(seq);
	fclose(fp);
}

/* Folds the RNAs of more than `above` nt by all threads; seconds. */
static double
fold_cpu(int above)
{
	const double start = omp_get_wtime();
	size_t i;

#pragma omp parallel
	{
		struct rna_mfe *m = rna_mfe_create(&model);
		struct rna_err err;

#pragma omp for schedule(dynamic, 4)
		for (i = 0; i < nrnas; i++)
			if (rnas[i].n > above && rna_mfe_fold(m, rnas[i].seq, (size_t)rnas[i].n, NULL, rnas[i].pair,
						     &rnas[i].energy, &err) != RNA_OK)
				abort();
		rna_mfe_destroy(m);
	}
	return omp_get_wtime() - start;
}

/* All RNAs, by the device where it takes them; how many answers differ from the CPU's. */
static size_t
fold_device(struct rna_mfe_device *d, double *seconds)
{
	const double start = omp_get_wtime();
	struct rna_err err = {.record = RNA_NOREC};
	size_t i, k, differ = 0;
	int energy, j;

	rna_mfe_device_reset(d);
	for (i = 0; i < nrnas; i++)
		if ((size_t)rnas[i].n <= rna_mfe_device_longest(d) &&
		    rna_mfe_device_add(d, rnas[i].seq, (size_t)rnas[i].n, &err) != RNA_OK)
			fail("folding", err.text);
	if (rna_mfe_device_fold(d, &err) != RNA_OK)
		fail("folding", err.text);
	fold_cpu((int)rna_mfe_device_longest(d));
	*seconds = omp_get_wtime() - start;
	for (i = k = 0; i < nrnas; i++) {
		const int16_t *partner;
		int same;

		if ((size_t)rnas[i].n > rna_mfe_device_longest(d))
			continue;
		partner = rna_mfe_device_answer(d, k++, &energy);
		same = energy == rnas[i].energy;
		for (j = 0; j < rnas[i].n; j++)
			same &= partner[j] == rnas[i].pair[j];
		differ += !same;
	}
	return differ;
}

int
main(int argc, char **argv)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_energy_file *f = rna_energy_file_open(NULL, &err);
	double cpu[ROUNDS], device[ROUNDS];
	struct rna_mfe_device *d;
	size_t n, differ = 0;
	char why[256] = "";
	struct rk *rk;
	int k;

	if (argc < 2)
		fail("usage", "gpu_fold N [FASTA [DEVICE]]");
	n = (size_t)bench_int("N", argv[1], 1, INT_MAX);
	if (f == NULL || rna_energy_init(&model, f, 37, 2, &err) != RNA_OK)
		fail("energies", err.text);
	if ((rnas = calloc(n, sizeof(*rnas))) == NULL)
		fail("memory", "out of memory");
	if (argc > 2 && strcmp(argv[2], "-") != 0)
		add_file(argv[2], n);
	else
		add_random(n);
	if ((rk = rk_open(argc > 3 ? argv[3] : "cuda", 1, why, sizeof(why))) == NULL)
		fail("device", why);
	if ((d = rna_mfe_device_create(rk, &model, 0, &err)) == NULL)
		fail("device", err.text);
	fold_cpu(0);
	fold_device(d, &device[0]);
	for (k = 0; k < ROUNDS; k++) {
		cpu[k] = fold_cpu(0);
		differ += fold_device(d, &device[k]);
	}
	cpu[0] = bench_median(cpu, ROUNDS);
	device[0] = bench_median(device, ROUNDS);
	printf("folding %zu RNAs, %s\t%.0f\tRNAs/s\n", nrnas, rk_name(rk), (double)nrnas / device[0]);
	printf("folding %zu RNAs, %d threads of the CPU\t%.0f\tRNAs/s\n", nrnas, omp_get_max_threads(),
	    (double)nrnas / cpu[0]);
	printf("folding, GPU to CPU\t%.2f\ttimes\n", cpu[0] / device[0]);
	printf("folding, answers that differ\t%zu\tRNAs\n", differ);
	rna_mfe_device_destroy(d);
	rk_close(rk);
	rna_energy_file_close(f);
	return differ > 0;
}
