/*
 * neural_evaluate.c: the score of a given structure, loop by loop, and which entries of the scores it uses.
 */
#include "fold/neural_private.h"

/* Walks over a structure; what an entry contributes is added up, or what it is used for is counted. */
struct walk {
	const struct rna_energy *e;
	int max_helix;
	size_t n;
	const int32_t *pair; /* 0-based */
	struct rna_neural_scores scores;
	double score, turner;
	double factor;
	float *dscores, *dlengths;
};

/* Entry (i,j) of a map, positions from 1. */
static void
use(struct walk *v, enum neural_map map, int i, int j)
{
	size_t at = ((size_t)map * v->n + (size_t)i - 1) * v->n + (size_t)j - 1;

	if (v->scores.scores != NULL)
		v->score += (double)v->scores.scores[at];
	if (v->dscores != NULL)
		v->dscores[at] += (float)v->factor;
}

static void
use_length(struct walk *v, int entry)
{
	if (v->scores.lengths != NULL)
		v->score += (double)v->scores.lengths[entry];
	if (v->dlengths != NULL)
		v->dlengths[entry] += (float)v->factor;
}

static void
hairpin(struct walk *v, int i, int j)
{
	int n = j - i - 1;

	use_length(v, RNA_LENGTH_HAIRPIN + (n < RNA_MAXLOOP ? n : RNA_MAXLOOP));
	use(v, NEURAL_REGION, i + 1, j - 1);
	use(v, NEURAL_MISMATCH, i, j);
	v->turner += rna_neural_rounded(v->e, n) / -100;
}

static void
interior(struct walk *v, int i, int j, int k, int l)
{
	int n1 = k - i - 1, n2 = j - l - 1, entry[4], m;

	if (n1 + n2 == 0) {
		use(v, NEURAL_STACKING, i, j);
		use(v, NEURAL_STACKING, l, k);
		return;
	}
	for (m = rna_neural_entries(n1, n2, entry); m > 0; m--)
		use_length(v, entry[m - 1]);
	use(v, NEURAL_REGION, i + 1, k - 1);
	use(v, NEURAL_REGION, l + 1, j - 1);
	use(v, NEURAL_MISMATCH, i, j);
	use(v, NEURAL_MISMATCH, l, k);
	v->turner += rna_neural_rounded(v->e, n1 + n2) / -100;
}

/* Branches and single unpaired bases of i..j; base i-1 is the last that has been seen to. */
static void
branches(struct walk *v, int i, int j)
{
	int k;

	for (; i <= j; i++) {
		if ((k = v->pair[i - 1] + 1) == 0) {
			use(v, NEURAL_REGION, i, i);
			continue;
		}
		use(v, NEURAL_MISMATCH, k, i);
		i = k;
	}
}

static void
multi(struct walk *v, int i, int j)
{
	int k = i + 1;

	while (v->pair[k - 1] < 0)
		k++;
	use(v, NEURAL_MISMATCH, i, j);
	use(v, NEURAL_REGION, i + 1, k - 1);
	branches(v, k, j - 1);
}

static void
add_loop(const struct rna_loop *loop, void *arg)
{
	struct walk *v = arg;

	v->turner += loop->energy / -100.0;
	switch (loop->kind) {
	case RNA_LOOP_EXTERIOR:
		branches(v, 1, (int)v->n);
		break;
	case RNA_LOOP_HAIRPIN:
		hairpin(v, loop->i, loop->j);
		break;
	case RNA_LOOP_INTERIOR:
		interior(v, loop->i, loop->j, loop->k, loop->l);
		break;
	case RNA_LOOP_MULTI:
		multi(v, loop->i, loop->j);
		break;
	}
}

/* 1 when the pair (i,j) and the one around it are both there; 0-based. */
static int
continues(const struct walk *v, int i, int j)
{
	return i > 0 && (size_t)j + 1 < v->n && v->pair[i - 1] == j + 1;
}

static void
helices(struct walk *v)
{
	int i, j, m;

	for (i = 0; v->max_helix > 0 && i < (int)v->n; i++) {
		if ((j = v->pair[i]) < i || continues(v, i, j))
			continue;
		m = 1;
		while (m <= v->max_helix && v->pair[i + m] == j - m)
			m++;
		use_length(v, RNA_LENGTH_HELIX + (m < RNA_MAX_HELIX ? m : RNA_MAX_HELIX));
	}
}

static enum rna_status
walk(struct walk *v, const char *letters, struct rna_err *err)
{
	enum rna_status s;
	int total;

	if (v->n == 0)
		return RNA_OK;
	s = rna_energy_evaluate(v->e, letters, v->n, v->pair, 0, add_loop, v, &total, err);
	if (s == RNA_OK)
		helices(v);
	return s;
}

enum rna_status
rna_neural_evaluate(struct rna_neural *w, const char *letters, size_t n, const struct rna_neural_scores *scores,
    const int32_t *pair, double *score, double *turner, struct rna_err *err)
{
	struct walk v = {.e = w->e, .max_helix = w->max_helix, .n = n, .pair = pair};
	enum rna_status s;

	if (scores != NULL)
		v.scores = *scores;
	s = walk(&v, letters, err);
	if (score != NULL)
		*score = v.score + v.turner;
	if (turner != NULL)
		*turner = v.turner;
	return s;
}

enum rna_status
rna_neural_count(struct rna_neural *w, const char *letters, size_t n, const int32_t *pair, double factor,
    float *dscores, float *dlengths, struct rna_err *err)
{
	struct walk v = {.e = w->e,
	    .max_helix = w->max_helix,
	    .n = n,
	    .pair = pair,
	    .factor = factor,
	    .dscores = dscores,
	    .dlengths = dlengths};

	return walk(&v, letters, err);
}
