/*
 * fold_steps.c: for tests/peers/fold_torch.py: steps of AdamW on a folding network against fixed scores, from a folder
 * to a folder, without dropout.  usage: fold_steps FROM TO STEPS LR LETTERS...
 *
 * The loss of an RNA of n letters is half the sum of (score[k] - sin(k))^2 / n over [3,n,n] and of (length[k] -
 * cos(k))^2 over [194]; that of a step the mean over the RNAs.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fold/neural.h"
#include "nn/foldnet.h"
#include "nn/optimizer.h"

static struct rna_err err = {.record = RNA_NOREC};

static void
must(enum rna_status st)
{
	if (st == RNA_OK)
		return;
	fprintf(stderr, "fold_steps: %s\n", err.text);
	exit(1);
}

/* The gradients of one RNA, of `all` in the step. */
static void
learn(struct rna_foldrun *r, const char *letters, int all)
{
	const size_t n = strlen(letters), size = 3 * n * n;
	float *scores = calloc(2 * size, sizeof(*scores)), *d = scores + size, lengths[RNA_LENGTHS];

	if (scores == NULL)
		abort();
	must(rna_foldrun_forward(r, letters, n, NULL, 0, scores, lengths, &err));
	for (size_t k = 0; k < size; k++)
		d[k] = (float)((scores[k] - sin((double)k)) / (double)n / all);
	for (int k = 0; k < RNA_LENGTHS; k++)
		lengths[k] = (float)((lengths[k] - cos(k)) / all);
	must(rna_foldrun_backward(r, d, lengths, NULL, &err));
	free(scores);
}

int
main(int argc, char **argv)
{
	struct rk_adamw_step s = {.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
	struct rk *rk = rk_open("cpu", 1, err.text, sizeof(err.text));
	struct rna_optimizer o;
	struct rna_foldnet net;
	struct rna_foldrun *r;
	double norm;
	int steps;

	if (argc < 6 || rk == NULL)
		return 2;
	steps = atoi(argv[3]);
	s.lr = atof(argv[4]);
	must(rna_foldnet_open(&net, argv[1], rk, &err));
	net.config.dropout = net.config.head_dropout = 0;
	must(rna_optimizer_init(&o, &net.params, &err));
	if ((r = rna_foldrun_create(&net, 1)) == NULL)
		abort();
	for (s.t = 1; s.t <= steps; s.t++) {
		must(rna_optimizer_zero(&o, &err));
		for (int i = 5; i < argc; i++)
			learn(r, argv[i], argc - 5);
		must(rna_optimizer_norm(&o, &norm, &err));
		must(rna_optimizer_step(&o, &s, &err));
		must(rna_foldrun_repack(r, &err));
	}
	must(rna_foldnet_save(&net, argv[2], &err));
	rna_foldrun_destroy(r);
	rna_optimizer_fini(&o);
	rna_foldnet_fini(&net);
	rk_close(rk);
	return 0;
}
