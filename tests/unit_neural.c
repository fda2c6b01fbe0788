/*
 * unit_neural.c: the neural fold against the enumeration of all structures and an evaluator of its own, and the
 * gradient of its loss against finite differences.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "enumerate.h"
#include "fold/neural.h"
#include "tap.h"
#include "below.h"

#define MAX_N 400

static struct rna_energy turner; /* as MXfold2 has it */
static void
random_rna(char *s, int n, const char *letters)
{
	int i;

	for (i = 0; i < n; i++)
		s[i] = letters[below((unsigned)strlen(letters))];
	s[n] = '\0';
}

static float *
random_floats(size_t n, float scale)
{
	float *x = malloc((n + 1) * sizeof(*x));
	size_t i;

	for (i = 0; i < n; i++)
		x[i] = scale * ((float)below(2001) - 1000) / 1000;
	return x;
}

/* 1. An evaluator that knows the equations of neural.h and nothing of lib/fold/neural_*.c */

struct scored {
	int n, max_helix;
	const float *map, *lengths;
	const int32_t *pair;
};

static double
at(const struct scored *x, int map, int i, int j)
{
	return (double)x->map[(map * x->n + i) * x->n + j];
}

static double
table(const struct scored *x, enum rna_length_table t, int k, int last)
{
	return (double)x->lengths[(int)t + (k < last ? k : last)];
}

static double
loop_score(const struct scored *x, int i, int j)
{
	int k = i + 1, l, p, branches = 0, n1, n2, s, t;
	double sum = 0, rest = 0;

	while (k < j && x->pair[k] < 0)
		k++;
	if (k == j)
		return table(x, RNA_LENGTH_HAIRPIN, j - i - 1, 30) + at(x, 2, i + 1, j - 1) + at(x, 1, i, j);
	for (p = k; p < j; p++) {
		if (x->pair[p] < 0)
			rest += at(x, 2, p, p);
		else {
			branches++;
			rest += at(x, 1, x->pair[p], p);
			p = x->pair[p];
		}
	}
	if (branches > 1)
		return at(x, 1, i, j) + at(x, 2, i + 1, k - 1) + rest;
	l = x->pair[k];
	n1 = k - i - 1;
	n2 = j - l - 1;
	if (n1 + n2 == 0)
		return at(x, 0, i, j) + at(x, 0, l, k);
	s = n1 < n2 ? n1 : n2;
	t = n1 + n2 - s;
	sum = at(x, 2, i + 1, k - 1) + at(x, 2, l + 1, j - 1) + at(x, 1, i, j) + at(x, 1, l, k);
	if (s == 0)
		return sum + table(x, RNA_LENGTH_BULGE, t, 30);
	sum += (double)x->lengths[RNA_LENGTH_EXPLICIT + 5 * (s < 4 ? s : 4) + (t < 4 ? t : 4)];
	sum += table(x, RNA_LENGTH_INTERIOR, s + t, 30) + table(x, RNA_LENGTH_ASYMMETRY, t - s, 28);
	return s == t ? sum + table(x, RNA_LENGTH_SYMMETRY, s, 15) : sum;
}

static double
learned_score(const struct scored *x)
{
	double sum = 0;
	int i, m, depth = 0;

	for (i = 0; i < x->n; i++) {
		if (x->pair[i] < 0)
			sum += depth == 0 ? at(x, 2, i, i) : 0;
		else if (x->pair[i] > i) {
			sum += loop_score(x, i, x->pair[i]) + (depth++ == 0 ? at(x, 1, x->pair[i], i) : 0);
			if (i > 0 && x->pair[i - 1] == x->pair[i] + 1)
				continue;
			for (m = 1; x->pair[i + m] == x->pair[i] - m && m <= x->max_helix; m++)
				continue;
			sum += x->max_helix > 0 ? table(x, RNA_LENGTH_HELIX, m, 30) : 0;
		} else
			depth--;
	}
	return sum;
}

static double
margins_of(const int32_t *reference, const int32_t *pair, int n, const struct rna_margins *m)
{
	double sum = 0;
	int i;

	for (i = 0; reference != NULL && i < n; i++) {
		if (reference[i] != pair[i])
			sum += (reference[i] < 0 ? m->pos_unpaired : m->pos_paired / 2) +
			       (pair[i] < 0 ? m->neg_unpaired : m->neg_paired / 2);
	}
	return sum;
}

/* Score of a structure with Turner's part (loops of at most 30 bases) and the margins. */
static double
full_score(const char *seq, const struct scored *x, const int32_t *reference, const struct rna_margins *m)
{
	struct rna_err err;
	int total;

	if (rna_energy_evaluate(&turner, seq, (size_t)x->n, x->pair, 0, NULL, NULL, &total, &err) != RNA_OK) {
		diag("%s: %s", seq, err.text);
		return NAN;
	}
	return total / -100.0 + learned_score(x) + margins_of(reference, x->pair, x->n, m);
}

/* 2. Enumeration */

struct best {
	const char *seq;
	struct scored x;
	const int32_t *reference;
	const struct rna_margins *margins;
	double most;
};

static void
visit(const int32_t *pair, void *arg)
{
	struct best *b = arg;
	double score;

	b->x.pair = pair;
	score = full_score(b->seq, &b->x, b->reference, b->margins);
	b->most = score > b->most ? score : b->most;
}

/* A structure at random: what Turner's energies have for another sequence cut to what pairs here. */
static void
random_reference(const char *seq, int n, int32_t *pair)
{
	int tries, i, j;
	uint8_t code[MAX_N + 2];

	rna_fold_encode(seq, (size_t)n, code);
	for (i = 0; i < n; i++)
		pair[i] = -1;
	for (tries = 0; tries < 4 * n && n > 4; tries++) {
		i = (int)below((unsigned)n);
		j = (int)below((unsigned)n);
		if (i < j && pair[i] < 0 && pair[j] < 0) {
			pair[i] = j;
			pair[j] = i;
		}
	}
}

static void
test_enumeration(int max_helix, const struct rna_margins *margins, const char *letters)
{
	struct rna_neural *w = rna_neural_create(&turner, max_helix);
	int tries, bad = 0, wrong = 0, n;
	int32_t pair[MAX_N], reference[MAX_N];
	struct rna_neural_scores scores;
	struct rna_err err;
	char seq[MAX_N + 1];
	struct best b;
	double score;

	for (tries = 0; tries < 60; tries++) {
		n = 1 + (int)below(17);
		random_rna(seq, n, letters);
		b = (struct best){.seq = seq, .most = -INFINITY, .margins = margins};
		scores.scores = b.x.map = random_floats(3 * (size_t)n * (size_t)n, tries % 2 ? 3 : 1);
		scores.lengths = b.x.lengths = random_floats(RNA_LENGTHS, 2);
		b.x.n = n;
		b.x.max_helix = max_helix;
		random_reference(seq, n, reference);
		bad += rna_neural_reference(seq, (size_t)n, reference, reference, NULL, &err) != RNA_OK;
		b.reference = margins != NULL ? reference : NULL;
		enumerate(seq, visit, &b);
		if (margins == NULL)
			bad += rna_neural_fold(w, seq, (size_t)n, &scores, NULL, pair, &score, &err) != RNA_OK;
		else
			bad += rna_neural_fold_augmented(
				   w, seq, (size_t)n, &scores, reference, margins, pair, &score, &err) != RNA_OK;
		wrong += !(fabs(score - b.most) < 1e-4);
		b.x.pair = pair;
		bad += !(fabs(full_score(seq, &b.x, b.reference, margins) - score) < 1e-4);
		free((void *)scores.scores);
		free((void *)scores.lengths);
	}
	ok(wrong == 0, "%s, helices to %d%s: the best of all structures", letters, max_helix,
	    margins != NULL ? ", with margins" : "");
	ok(bad == 0, "and the structure has that score");
	rna_neural_destroy(w);
}

/* 3. Longer RNAs: the structure has the score of the dynamic programme; the library's evaluator agrees */

static void
test_long(const char *letters, float scale)
{
	struct rna_neural *w = rna_neural_create(&turner, 30), *other;
	int tries, bad = 0, off = 0, differs = 0, n;
	int32_t pair[MAX_N], again[MAX_N];
	struct rna_neural_scores scores;
	double score, score2, part;
	struct scored x;
	struct rna_err err;
	char seq[MAX_N + 1];

	for (tries = 0; tries < 12; tries++) {
		n = 20 + (int)below(MAX_N - 20);
		random_rna(seq, n, letters);
		scores.scores = x.map = random_floats(3 * (size_t)n * (size_t)n, scale);
		scores.lengths = x.lengths = random_floats(RNA_LENGTHS, scale);
		x.n = n;
		x.max_helix = 30;
		x.pair = pair;
		bad += rna_neural_fold(w, seq, (size_t)n, &scores, NULL, pair, &score, &err) != RNA_OK;
		bad += rna_neural_evaluate(w, seq, (size_t)n, &scores, pair, &score2, &part, &err) != RNA_OK;
		off += !(fabs(score - score2) < 1e-4 + 1e-5 * fabs(score));
		off += !(fabs(score2 - part - learned_score(&x)) < 1e-4 + 1e-5 * fabs(score));
		setenv("RILL_CPU", tries % 2 ? "plain" : "avx2", 1);
		other = rna_neural_create(&turner, 30);
		unsetenv("RILL_CPU");
		bad += rna_neural_fold(other, seq, (size_t)n, &scores, NULL, again, &score2, &err) != RNA_OK;
		differs += score != score2 || memcmp(pair, again, (size_t)n * sizeof(*pair)) != 0;
		rna_neural_destroy(other);
		free((void *)scores.scores);
		free((void *)scores.lengths);
	}
	ok(bad == 0 && off == 0, "%s, scores to %g: the structure has the score", letters, (double)scale);
	ok(differs == 0, "the same at every level of the processor");
	rna_neural_destroy(w);
}

/* A helix longer than max_helix has all its pairs, and HELIX[max_helix + 1] once. */
static void
test_long_helix(int max_helix)
{
	enum { HALF = 47, N = 2 * HALF + 4 };
	struct rna_neural *w = rna_neural_create(&turner, max_helix);
	float lengths[RNA_LENGTHS] = {0};
	struct rna_neural_scores scores = {NULL, lengths};
	int32_t pair[N];
	char seq[N + 1];
	struct rna_err err;
	double score, without;
	int i, bad, pairs = 0;

	for (i = 0; i < N; i++)
		seq[i] = "GAC"[i < HALF ? 0 : i < N - HALF ? 1 : 2];
	seq[N] = '\0';
	bad = rna_neural_fold(w, seq, N, NULL, NULL, pair, &without, &err) != RNA_OK;
	lengths[RNA_LENGTH_HELIX + (max_helix < 30 ? max_helix + 1 : 30)] = 0.5f;
	bad |= rna_neural_fold(w, seq, N, &scores, NULL, pair, &score, &err) != RNA_OK;
	for (i = 0; i < HALF; i++)
		pairs += pair[i] == N - 1 - i;
	ok(!bad && pairs == HALF && fabs(score - without - (max_helix > 0 ? 0.5 : 0)) < 1e-3,
	    "a helix of %d pairs, max_helix %d", HALF, max_helix);
	rna_neural_destroy(w);
}

/* 4. The loss */

/* Difference of the loss when one entry is moved, against the gradient. */
static double
moved(struct rna_neural *w, const char *seq, struct rna_neural_scores *scores, float *entry, float slope,
    const int32_t *reference, double lambda)
{
	const size_t n = strlen(seq);
	float keep = *entry;
	struct rna_neural_loss up, down;
	struct rna_err err;

	*entry = keep + 1e-3f;
	if (rna_neural_loss(w, seq, n, scores, reference, NULL, lambda, &up, NULL, NULL, NULL, &err) != RNA_OK)
		return NAN;
	*entry = keep - 1e-3f;
	if (rna_neural_loss(w, seq, n, scores, reference, NULL, lambda, &down, NULL, NULL, NULL, &err) != RNA_OK)
		return NAN;
	*entry = keep;
	return fabs((up.loss - down.loss) / 2e-3 - (double)slope);
}

static void
test_gradient(double lambda)
{
	enum { N = 60 };
	struct rna_neural *w = rna_neural_create(&turner, 4);
	float *dscores = calloc(3 * N * N, sizeof(*dscores)), dlengths[RNA_LENGTHS] = {0};
	float *map = random_floats(3 * N * N, 1), *lengths = random_floats(RNA_LENGTHS, 1);
	struct rna_neural_scores scores = {map, lengths};
	struct rna_neural_loss loss;
	int32_t reference[N], best[N];
	double worst = 0, sum, d;
	struct rna_err err;
	char seq[N + 1];
	int k, used = 0;

	random_rna(seq, N, "ACGU");
	random_reference(seq, N, reference);
	if (rna_neural_reference(seq, N, reference, reference, NULL, &err) != RNA_OK ||
	    rna_neural_loss(w, seq, N, &scores, reference, NULL, lambda, &loss, dscores, dlengths, best, &err) !=
		RNA_OK) {
		ok(0, "loss: %s", err.text);
		return;
	}
	sum = loss.best_score - loss.reference_score;
	ok(fabs(loss.hinge - sum / N) < 1e-9 && loss.loss == loss.hinge + loss.thermodynamic && loss.hinge > 0 &&
		(lambda == 0) == (loss.thermodynamic == 0),
	    "the loss is what it says, lambda %g", lambda);
	for (k = 0; k < 3 * N * N; k++) {
		used += dscores[k] != 0;
		if (dscores[k] == 0 && k % 97 != 0)
			continue;
		d = moved(w, seq, &scores, &map[k], dscores[k], reference, lambda);
		worst = d > worst ? d : worst;
	}
	ok(used > 20 && worst < 1e-4, "its gradient on the maps: %d entries, off by %.1e", used, worst);
	for (k = 0, worst = 0, used = 0; k < RNA_LENGTHS; k++) {
		used += dlengths[k] != 0;
		d = moved(w, seq, &scores, &lengths[k], dlengths[k], reference, lambda);
		worst = d > worst ? d : worst;
	}
	ok(used > 5 && worst < 1e-4, "its gradient on the lengths: %d entries, off by %.1e", used, worst);
	free(dscores);
	free(map);
	free(lengths);
	rna_neural_destroy(w);
}

/* A reference that wins by its margins costs nothing and moves nothing. */
static void
test_won(void)
{
	enum { N = 16 };
	const char *seq = "GCAGUCGAAAGACUGC";
	struct rna_neural *w = rna_neural_create(&turner, 30);
	struct rna_neural_loss loss;
	float dscores[3 * N * N] = {0}, sum = 0;
	int32_t pair[N] = {0}, best[N];
	struct rna_err err;
	double score;
	int k, bad;

	bad = rna_neural_fold(w, seq, N, NULL, NULL, pair, &score, &err) != RNA_OK ||
	      rna_neural_loss(w, seq, N, NULL, pair, NULL, 0.125, &loss, dscores, NULL, best, &err) != RNA_OK;
	for (k = 0; k < 3 * N * N; k++)
		sum += fabsf(dscores[k]);
	ok(!bad && score > 5 && loss.loss == 0 && sum == 0 && memcmp(pair, best, sizeof(pair)) == 0,
	    "no loss and no gradient where the reference has won");
	bad = rna_neural_loss(w, seq, 0, NULL, pair, NULL, 0.125, &loss, NULL, NULL, NULL, &err) != RNA_OK;
	ok(!bad && loss.loss == 0, "nor for no bases");
	rna_neural_destroy(w);
}

int
main(void)
{
	const struct rna_margins wide = {0.7f, 0.3f, 0.2f, 0.1f};
	struct rna_energy_file *f;
	struct rna_err err;

	f = rna_energy_file_open(NULL, &err);
	if (f == NULL || rna_energy_init(&turner, f, 37, 2, &err) != RNA_OK) {
		ok(0, "energies: %s", err.text);
		return done();
	}
	rna_energy_file_close(f);
	rna_energy_neural(&turner);
	test_enumeration(30, NULL, "ACGU");
	test_enumeration(2, NULL, "GC");
	test_enumeration(0, NULL, "GCU");
	test_enumeration(1, &wide, "GCAU");
	test_enumeration(30, &rna_margins_default, "GCN");
	test_long("ACGU", 0.5f);
	test_long("GC", 2);
	test_long("ACGUN", 0);
	test_long_helix(30);
	test_long_helix(3);
	test_long_helix(0);
	test_gradient(0);
	test_gradient(0.125);
	test_won();
	return done();
}
