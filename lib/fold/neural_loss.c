/*
 * neural_loss.c: the structured hinge loss of the neural fold (neural.h; spec B.5), and the reference it compares with.
 */
#include <stdlib.h>
#include <string.h>

#include "fold/neural_private.h"

/* 1. The reference */

/* The pairs that cross others: ends in order, and for each the number of its partner's end. */
struct crossing {
	int32_t *end, *partner;
	int32_t n;
	int32_t *most; /* [n + 1][n + 1] pairs that can stay among ends a .. b-1 */
};

/* 1 when a pair crosses (i,j). */
static int
is_crossed(const int32_t *pair, int32_t i, int32_t j)
{
	int32_t k;

	for (k = i + 1; k < j; k++) {
		if (pair[k] >= 0 && (pair[k] < i || pair[k] > j))
			return 1;
	}
	return 0;
}

/* Leaves out what is not canonical or too short; how many pairs. */
static enum rna_status
keep_canonical(
    const uint8_t *code, size_t n, const int32_t *pair, int32_t *reference, size_t *dropped, struct rna_err *err)
{
	size_t i, j;

	for (i = 0; i < n; i++) {
		if (pair[i] < -1 || pair[i] >= (int32_t)n || pair[i] == (int32_t)i ||
		    (pair[i] >= 0 && pair[pair[i]] != (int32_t)i))
			return rna_fail(err, RNA_EINVAL, "base %zu: its partner is not its partner's", i + 1);
	}
	for (i = 0; i < n; i++) {
		j = pair[i] < 0 ? i : (size_t)pair[i];
		reference[i] = pair[i];
		if (j <= i)
			continue;
		if (j - i < RNA_MIN_SPAN || rna_pair_type(code[i + 1], code[j + 1]) == 0)
			reference[i] = -1;
	}
	for (i = 0; i < n; i++) {
		j = reference[i] < 0 ? i : (size_t)reference[i];
		if (j < i && reference[j] != (int32_t)i) {
			reference[i] = -1;
			(*dropped)++;
		}
	}
	return RNA_OK;
}

/* The ends of the pairs that cross others. */
static void
find_crossing(const int32_t *pair, int32_t n, struct crossing *x)
{
	int32_t i, j;

	for (i = 0; i < n; i++) {
		j = pair[i];
		if (j < 0 || !is_crossed(pair, i < j ? i : j, i < j ? j : i))
			continue;
		x->end[x->n] = i;
		if (j < i) {
			int32_t a = 0;

			while (x->end[a] != j)
				a++;
			x->partner[x->n] = a;
			x->partner[a] = x->n;
		}
		x->n++;
	}
}

static int32_t *
most_at(const struct crossing *x, int32_t a, int32_t b)
{
	return x->most + (size_t)a * ((size_t)x->n + 1) + (size_t)b;
}

/* Pairs among ends a .. b-1 when the pair of a stays; -1: it can't. */
static int32_t
with_first(const struct crossing *x, int32_t a, int32_t b)
{
	int32_t p = x->partner[a];

	return p <= a || p >= b ? -1 : 1 + *most_at(x, a + 1, p) + *most_at(x, p + 1, b);
}

/* Of the pairs that cross, as many stay as can; of equals, those that begin first. */
static void
drop_crossing(struct crossing *x, int32_t *reference, size_t *dropped)
{
	int32_t a, b, m = x->n, kept, without;

	for (a = m; a >= 0; a--) {
		for (b = a; b <= m; b++) {
			without = a < b ? *most_at(x, a + 1, b) : 0;
			kept = a < b ? with_first(x, a, b) : -1;
			*most_at(x, a, b) = kept > without ? kept : without;
		}
	}
	*dropped += (size_t)(m / 2 - *most_at(x, 0, m));
	for (a = 0; a < m; a++) {
		/* the pairs that enclose a have been decided: b is the end of the innermost that stayed */
		for (b = m, kept = a - 1; kept >= 0; kept--) {
			if (x->partner[kept] > a && reference[x->end[kept]] >= 0) {
				b = x->partner[kept];
				break;
			}
		}
		if (x->partner[a] < a)
			continue;
		if (with_first(x, a, b) < 0 || with_first(x, a, b) < *most_at(x, a + 1, b)) {
			reference[reference[x->end[a]]] = -1;
			reference[x->end[a]] = -1;
		}
	}
}

enum rna_status
rna_neural_reference(
    const char *letters, size_t n, const int32_t *pair, int32_t *reference, size_t *dropped, struct rna_err *err)
{
	struct crossing x = {NULL, NULL, 0, NULL};
	enum rna_status s;
	size_t lost = 0, m;
	uint8_t *code;

	if (n > INT32_MAX / 64)
		return rna_fail(err, RNA_EINVAL, "%zu nt are too many to fold", n);
	code = malloc(n + 2);
	x.end = calloc(n + 1, sizeof(*x.end));
	x.partner = calloc(n + 1, sizeof(*x.partner));
	if (code == NULL || x.end == NULL || x.partner == NULL) {
		s = rna_fail(err, RNA_EMEM, "out of memory");
		goto out;
	}
	rna_fold_encode(letters, n, code);
	if ((s = keep_canonical(code, n, pair, reference, &lost, err)) != RNA_OK)
		goto out;
	find_crossing(reference, (int32_t)n, &x);
	m = (size_t)x.n + 1;
	if (x.n > 0 && (x.most = calloc(m * m, sizeof(*x.most))) == NULL)
		s = rna_fail(err, RNA_EMEM, "out of memory");
	else if (x.n > 0)
		drop_crossing(&x, reference, &lost);
out:
	if (dropped != NULL)
		*dropped = lost;
	free(code);
	free(x.end);
	free(x.partner);
	free(x.most);
	return s;
}

/* 2. The loss */

const struct rna_margins rna_margins_default = {0.5f, 0.005f, 0, 0};

/* What the reference has to win by. */
static double
margin(const int32_t *reference, const int32_t *pair, size_t n, const struct rna_margins *margins)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (reference[i] == pair[i])
			continue;
		if (reference[i] < 0)
			sum += (double)margins->pos_unpaired;
		else if (reference[i] > (int32_t)i)
			sum += (double)margins->pos_paired;
		if (pair[i] < 0)
			sum += (double)margins->neg_unpaired;
		else if (pair[i] > (int32_t)i)
			sum += (double)margins->neg_paired;
	}
	return sum;
}

/* A structure of the workspace's own. */
static enum rna_status
own_pairs(struct rna_neural *w, size_t n, int32_t **pair, struct rna_err *err)
{
	if (w->npairs < n) {
		free(w->pairs);
		w->pairs = malloc(n * sizeof(*w->pairs));
		w->npairs = w->pairs != NULL ? n : 0;
	}
	if ((*pair = w->pairs) == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	return RNA_OK;
}

enum rna_status
rna_neural_loss(struct rna_neural *w, const char *letters, size_t n, const struct rna_neural_scores *scores,
    const int32_t *reference, const struct rna_margins *margins, double lambda, struct rna_neural_loss *loss,
    float *dscores, float *dlengths, int32_t *best, struct rna_err *err)
{
	double length = (double)n, augmented, turner, learned, factor;
	enum rna_status s;
	memset(loss, 0, sizeof(*loss));
	if (n == 0)
		return RNA_OK;
	margins = margins != NULL ? margins : &rna_margins_default;
	s = rna_neural_evaluate(w, letters, n, scores, reference, &loss->reference_score, &turner, err);
	if (s == RNA_OK && best == NULL)
		s = own_pairs(w, n, &best, err);
	if (s != RNA_OK)
		return s;
	s = rna_neural_fold_augmented(w, letters, n, scores, reference, margins, best, &augmented, err);
	if (s == RNA_OK)
		s = rna_neural_evaluate(w, letters, n, scores, best, &loss->best_score, NULL, err);
	if (s != RNA_OK)
		return s;
	/* the sum in doubles: of equal structures it is exactly 0 */
	loss->best_score += margin(reference, best, n, margins);
	learned = loss->reference_score - turner;
	loss->thermodynamic = lambda * learned * learned / length;
	loss->hinge =
	    loss->best_score > loss->reference_score ? (loss->best_score - loss->reference_score) / length : 0;
	loss->loss = loss->hinge + loss->thermodynamic;
	factor = 2 * lambda * learned / length - (loss->hinge > 0 ? 1 / length : 0);
	if (dscores == NULL && dlengths == NULL)
		return RNA_OK;
	if (loss->hinge > 0)
		s = rna_neural_count(w, letters, n, best, 1 / length, dscores, dlengths, err);
	if (s == RNA_OK && factor != 0)
		s = rna_neural_count(w, letters, n, reference, factor, dscores, dlengths, err);
	return s;
}
