/*
 * unit_neural_reference.c: the reference of the neural fold's loss, with pseudoknots and pairs that are none, and what
 * the fold refuses.
 */
#include <math.h>
#include <string.h>

#include "fold/neural.h"
#include "tap.h"

/* 1. The reference */

static int
reference_is(const char *seq, const char *brackets, const char *want, size_t dropped)
{
	int32_t pair[64] = {0}, open[4][64];
	int depth[4] = {0}, i, k, n = (int)strlen(seq), good;
	struct rna_err err;
	size_t lost;

	for (i = 0; i < n; i++) {
		pair[i] = -1;
		for (k = 0; k < 4; k++) {
			if (brackets[i] == "([{<"[k])
				open[k][depth[k]++] = i;
			if (brackets[i] == ")]}>"[k]) {
				pair[i] = open[k][--depth[k]];
				pair[pair[i]] = i;
			}
		}
	}
	if (rna_neural_reference(seq, (size_t)n, pair, pair, &lost, &err) != RNA_OK)
		return 0;
	good = lost == dropped;
	for (i = 0; i < n; i++)
		good &= want[i] == (pair[i] < 0 ? '.' : pair[i] > i ? '(' : ')');
	return good;
}

static void
test_reference(void)
{
	int32_t broken[4] = {3, -1, -1, -1}, out[4];
	struct rna_err err;

	ok(reference_is("GGGAAACCC", "(((...)))", "(((...)))", 0), "a canonical nested structure is its own reference");
	ok(reference_is("GGGAACCC", "(((..)))", "((....))", 1), "a hairpin of 2 loses a pair");
	ok(reference_is("GAGAAACCC", "(((...)))", "(.(...).)", 1), "AC does not pair");
	ok(reference_is("NGGAAACCN", "(((...)))", ".((...)).", 1), "N does not pair");
	ok(reference_is("GGGGGAAACCAACCC", "(([[[...))..]]]", "..(((.......)))", 2),
	    "of two helices that cross the longer stays");
	ok(reference_is("GGGGGGAAACCCCAACC", "(([[[[...]]]]..))", "((((((...))))..))", 0),
	    "brackets of two kinds may nest");
	ok(reference_is("GGGAAACCCGGGGGAACCACC", "(((...)))(([[...)).]]", "(((...)))((.....))...", 2),
	    "helices beside a pseudoknot are left alone, and of equals the first stays");
	ok(reference_is("GGGGGGGGAAACCCAAACCCAACC", "(([[[{{{...]]]...}}}..))", "(((((......)))........))", 3),
	    "a pseudoknot inside a helix");
	ok(rna_neural_reference("GAAC", 4, broken, out, NULL, &err) == RNA_EINVAL, "a partner that does not answer");
}

/* 2. Scores that are none */

static void
test_refusals(void)
{
	struct rna_neural *w = rna_neural_create(NULL, 30);
	struct rna_fold_options lonely = {0, 1, NULL};
	float map[3 * 9 * 9] = {0}, lengths[RNA_LENGTHS] = {0};
	struct rna_neural_scores scores = {map, lengths};
	int32_t pair[9] = {0};
	struct rna_err err;
	double score;

	map[2 * 81 + 5 * 9 + 7] = NAN;
	ok(rna_neural_fold(w, "GGGAAACCC", 9, &scores, NULL, pair, &score, &err) == RNA_EINVAL &&
		strcmp(err.text, "scores[2,5,7] is nan: not a score") == 0,
	    "NaN among the scores");
	map[2 * 81 + 5 * 9 + 7] = -2e6f;
	ok(rna_neural_fold(w, "GGGAAACCC", 9, &scores, NULL, pair, &score, &err) == RNA_EINVAL, "a huge score");
	map[2 * 81 + 5 * 9 + 7] = 0;
	lengths[193] = INFINITY;
	ok(rna_neural_fold(w, "GGGAAACCC", 9, &scores, NULL, pair, &score, &err) == RNA_EINVAL, "infinite lengths");
	ok(rna_neural_fold(w, "GGGAAACCC", 9, NULL, &lonely, pair, &score, &err) == RNA_EINVAL, "no lonely pairs");
	ok(rna_neural_fold(w, "", 0, NULL, NULL, pair, &score, &err) == RNA_OK && score == 0, "no bases");
	ok(rna_neural_fold(w, "A", 1, NULL, NULL, pair, &score, &err) == RNA_OK && pair[0] == -1, "one base");
	rna_neural_destroy(w);
}

int
main(void)
{
	test_reference();
	test_refusals();
	return done();
}
