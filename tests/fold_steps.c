/*
 * fold_steps.c: for tests/peers/fold_torch.py: steps of AdamW on a folding network, from a folder to a folder, without
 * dropout.  usage: fold_steps FROM TO STEPS LR LAMBDA LETTERS STRUCTURE [LETTERS STRUCTURE]...
 *
 * Prints the loss of each step, which is the mean of rna_neural_loss over the RNAs, with its default margins.  With
 * LAMBDA - the loss of an RNA of n letters is half the sum of (score[k] - sin(k))^2 / n over [3,n,n] and of (length[k]
 * - cos(k))^2 over [194], which every score has a part in.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "fold/neural.h"
#include "nn/foldnet.h"
#include "nn/optimizer.h"
#include "seq/structure.h"

static struct rna_err err = {.record = RNA_NOREC};

static void
must(enum rna_status st)
{
	if (st == RNA_OK)
		return;
	fprintf(stderr, "fold_steps: %s\n", err.text);
	exit(1);
}

static double
real(const char *what, const char *text)
{
	char *end;
	const double x = strtod(text, &end);

	if (end == text || *end != '\0') {
		fprintf(stderr, "fold_steps: %s: %s: not a number\n", what, text);
		exit(2);
	}
	return x;
}

/* The squares, and their gradients in place of the lengths. */
static double
squares(const float *scores, float *lengths, size_t n, float *d)
{
	double sum = 0, x;

	for (size_t k = 0; k < 3 * n * n; k++) {
		x = (double)scores[k] - sin((double)k);
		d[k] = (float)(x / (double)n);
		sum += x * x / (2 * (double)n);
	}
	for (int k = 0; k < RNA_LENGTHS; k++) {
		x = (double)lengths[k] - cos(k);
		lengths[k] = (float)x;
		sum += x * x / 2;
	}
	return sum;
}

/* The structured loss, and its gradients in place of the lengths. */
static double
structured(struct rna_neural *w, const char *letters, const char *structure, const float *scores, float *lengths,
    size_t n, double lambda, float *d)
{
	const struct rna_neural_scores s = {scores, lengths};
	float dlengths[RNA_LENGTHS] = {0};
	struct rna_neural_loss loss;
	struct rna_buf pair = {0};

	must(rna_structure_parse(structure, n, &pair, &err));
	must(rna_neural_loss(
	    w, letters, n, &s, (const int32_t *)(const void *)pair.data, NULL, lambda, &loss, d, dlengths, NULL, &err));
	memcpy(lengths, dlengths, sizeof(dlengths));
	rna_buf_fini(&pair);
	return loss.loss;
}

/* The loss of one RNA, of `all` in the step, and its gradients. */
static double
learn(struct rna_foldrun *r, struct rna_neural *w, const char *lambda, char **rna, int all)
{
	const size_t n = strlen(rna[0]), size = 3 * n * n;
	float *scores = calloc(2 * size, sizeof(*scores)), *d = scores + size, lengths[RNA_LENGTHS];
	double loss;

	if (scores == NULL || strlen(rna[1]) != n)
		abort();
	must(rna_foldrun_forward(r, rna[0], n, NULL, 0, scores, lengths, &err));
	if (strcmp(lambda, "-") == 0)
		loss = squares(scores, lengths, n, d);
	else
		loss = structured(w, rna[0], rna[1], scores, lengths, n, real("LAMBDA", lambda), d);
	for (size_t k = 0; k < size; k++)
		d[k] /= (float)all;
	for (int k = 0; k < RNA_LENGTHS; k++)
		lengths[k] /= (float)all;
	must(rna_foldrun_backward(r, d, lengths, NULL, &err));
	free(scores);
	return loss / all;
}

/* What Turner's part of the structured loss is made of. */
static struct rna_neural *
dynamic_programme(void)
{
	static struct rna_energy e;
	struct rna_energy_file *file = rna_energy_file_open(NULL, &err);
	struct rna_neural *w;

	if (file == NULL)
		must(RNA_EINVAL);
	must(rna_energy_init(&e, file, 37, 2, &err));
	rna_energy_file_close(file);
	rna_energy_neural(&e);
	if ((w = rna_neural_create(&e, RNA_MAX_HELIX)) == NULL)
		abort();
	return w;
}

int
main(int argc, char **argv)
{
	struct rk_adamw_step s = {.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
	struct rk *rk = rk_open("cpu", 1, err.text, sizeof(err.text));
	struct rna_neural *w = dynamic_programme();
	struct rna_optimizer o;
	struct rna_foldnet net;
	struct rna_foldrun *r;
	double norm;
	int steps;

	if (argc < 8 || argc % 2 != 0 || rk == NULL)
		return 2;
	steps = bench_int("STEPS", argv[3], 1, 1 << 20);
	s.lr = real("LR", argv[4]);
	must(rna_foldnet_open(&net, argv[1], rk, &err));
	net.config.dropout = net.config.head_dropout = 0;
	must(rna_optimizer_init(&o, &net.params, &err));
	if ((r = rna_foldrun_create(&net, 1)) == NULL)
		abort();
	for (s.t = 1; s.t <= steps; s.t++) {
		double loss = 0;

		must(rna_optimizer_zero(&o, &err));
		for (int i = 6; i < argc; i += 2)
			loss += learn(r, w, argv[5], argv + i, (argc - 6) / 2);
		printf("%.9g\n", loss);
		must(rna_optimizer_norm(&o, &norm, &err));
		must(rna_optimizer_step(&o, &s, &err));
		must(rna_foldrun_repack(r, &err));
	}
	must(rna_foldnet_save(&net, argv[2], &err));
	rna_foldrun_destroy(r);
	rna_neural_destroy(w);
	rna_optimizer_fini(&o);
	rna_foldnet_fini(&net);
	rk_close(rk);
	return 0;
}
