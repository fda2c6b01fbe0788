/*
 * foldscore.c: scores of a folding network on the features of a language model: the weighted sum over the views.
 */
#include <stdlib.h>
#include <string.h>

#include "fold/neural.h"
#include "nn/foldlm.h"

struct rna_foldscorer {
	struct rna_foldnet *f;
	struct rna_foldlm *lm;
	struct rna_foldrun *run;
	int views, last; /* last: the view that the run has seen last */
	const float *sigma;
	float *features, *part; /* of one view: [cap + 1, columns]; [3, cap, cap] */
	int learns;             /* 1: so does the language model */
	char *letters;          /* of the last forward */
	size_t n, cap;
	uint64_t key;
};

struct rna_foldscorer *
rna_foldscorer_create(struct rna_foldnet *f, struct rna_foldlm *lm, int train)
{
	struct rna_foldscorer *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->f = f;
	s->lm = lm;
	s->learns = train && lm && rna_foldlm_learns(lm);
	if ((s->run = rna_foldrun_create(f, train)))
		return s;
	free(s);
	return NULL;
}

void
rna_foldscorer_destroy(struct rna_foldscorer *s)
{
	if (!s)
		return;
	rna_foldrun_destroy(s->run);
	free(s->features);
	free(s->part);
	free(s->letters);
	free(s);
}

static enum rna_status
grow(struct rna_foldscorer *s, size_t n, struct rna_err *err)
{
	if (n <= s->cap)
		return RNA_OK;
	free(s->features);
	free(s->part);
	free(s->letters);
	s->cap = 0;
	s->features = calloc((n + 1) * (size_t)s->f->config.features, sizeof(*s->features));
	s->part = reallocarray(NULL, n * n, 3 * sizeof(*s->part));
	s->letters = malloc(n);
	if (!s->features || !s->part || !s->letters)
		return rna_fail(err, RNA_EMEM, "no memory for the scores of %zu nt", n);
	s->cap = n;
	return RNA_OK;
}

/* The network on view k. */
static enum rna_status
view(struct rna_foldscorer *s, int k, float *scores, float *lengths, struct rna_err *err)
{
	enum rna_status st =
	    s->learns ? rna_foldlm_learn(s->lm, s->key, s->features, err) : rna_foldlm_view(s->lm, k, s->features, err);

	if (!st)
		st = rna_foldrun_forward(s->run, s->letters, s->n, s->features, s->key, scores, lengths, err);
	s->last = k;
	return st;
}

enum rna_status
rna_foldscorer_forward(struct rna_foldscorer *s, const char *letters, size_t n, uint64_t key, float *scores,
    float *lengths, struct rna_err *err)
{
	enum rna_status st;

	s->n = n;
	s->key = key;
	if (!s->lm)
		return rna_foldrun_forward(s->run, letters, n, NULL, key, scores, lengths, err);
	if ((st = grow(s, n, err)))
		return st;
	memcpy(s->letters, letters, n);
	if ((st = rna_foldlm_begin(s->lm, letters, n, &s->views, &s->sigma, err)))
		return st;
	memset(scores, 0, 3 * n * n * sizeof(*scores));
	for (int k = 0; k < s->views && !st; k++) {
		st = view(s, k, s->part, lengths, err); /* lengths are the same for all */
		for (size_t i = 0; i < 3 * n * n && !st; i++)
			scores[i] += s->sigma[k] * s->part[i];
	}
	return st;
}

/* Every view but the last one run is run again first. */
enum rna_status
rna_foldscorer_backward(struct rna_foldscorer *s, const float *dscores, const float *dlengths, struct rna_err *err)
{
	float lengths[RNA_LENGTHS], share[RNA_LENGTHS];
	enum rna_status st = RNA_OK;

	if (!s->lm || s->views == 1) {
		st = rna_foldrun_backward(s->run, dscores, dlengths, s->learns ? s->features : NULL, err);
		return st || !s->learns ? st : rna_foldlm_backward(s->lm, s->features, err);
	}
	for (int k = s->views - 1; k >= 0 && !st; k--) {
		if (s->last != k && (st = view(s, k, s->part, lengths, err)))
			return st;
		for (size_t i = 0; i < 3 * s->n * s->n; i++)
			s->part[i] = s->sigma[k] * dscores[i];
		for (int i = 0; i < RNA_LENGTHS; i++)
			share[i] = s->sigma[k] * dlengths[i];
		st = rna_foldrun_backward(s->run, s->part, share, NULL, err);
	}
	return st;
}

enum rna_status
rna_foldscorer_repack(struct rna_foldscorer *s, struct rna_err *err)
{
	enum rna_status st = rna_foldrun_repack(s->run, err);

	return st || !s->lm || !rna_foldlm_learns(s->lm) ? st : rna_foldlm_repack(s->lm, err);
}
