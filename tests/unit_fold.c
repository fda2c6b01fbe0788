/*
 * unit_fold.c: folding against the enumeration of all structures, the evaluator, itself at other CPU levels, and a
 * table of RNAfold's answers.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "enumerate.h"
#include "fold/partition.h"
#include "tap.h"
#include "below.h"

#define MAX_N 420

static struct rna_energy energies[3]; /* [dangles] */

static void
random_rna(char *s, int n, const char *letters)
{
	int i;

	for (i = 0; i < n; i++)
		s[i] = letters[below((unsigned)strlen(letters))];
	s[n] = '\0';
}

/* 1. Enumeration */

struct enumeration {
	const char *seq;
	int n;
	const struct rna_energy *e;
	const struct rna_fold_options *opts;
	const int32_t *pair;
	int least;
	double z, kt, p[32][32], mea;
	const double (*known)[32]; /* probabilities: MEA is looked for */
	double gamma;
};

static int
lonely(const struct enumeration *x)
{
	int i, j;

	for (i = 0; i < x->n; i++) {
		if ((j = x->pair[i]) <= i)
			continue;
		if (!(x->pair[i + 1] == j - 1 && i + 1 < j - 1) && !(i > 0 && j + 1 < x->n && x->pair[i - 1] == j + 1))
			return 1;
	}
	return 0;
}

/* What the letters of a constraint forbid. */
static int
conflicts(const struct enumeration *x, const int32_t *want)
{
	const char *c = x->opts->constraint;
	int i, k, j;

	for (i = 0; i < x->n; i++) {
		j = x->pair[i];
		if (j >= 0 && (c[i] == 'x' || (j < i && c[i] == '<') || (j > i && c[i] == '>')))
			return 1;
		if (j >= 0 && (c[i] == '(' || c[i] == ')') && want[i] != j)
			return 1;
		for (k = i + 1; j > i && k < j; k++) {
			if (want[k] >= 0 && (want[k] < i || want[k] > j))
				return 1;
		}
	}
	return 0;
}

static void
demanded(const char *c, int n, int32_t *want)
{
	int i, depth = 0, open[32];

	for (i = 0; i < n; i++) {
		want[i] = -1;
		if (c[i] == '(')
			open[depth++] = i;
		if (c[i] == ')') {
			want[i] = open[--depth];
			want[want[i]] = i;
		}
	}
}

static int
too_wide(const struct enumeration *x)
{
	int i;

	for (i = 0; i < x->n; i++) {
		if (x->opts->max_span > 0 && x->pair[i] - i + 1 > x->opts->max_span)
			return 1;
	}
	return 0;
}

static void
visit(const int32_t *pair, void *arg)
{
	struct enumeration *x = arg;
	struct rna_err err;
	int32_t want[32];
	double sum = 0;
	int total, i;

	x->pair = pair;
	if ((x->opts->no_lonely && lonely(x)) || too_wide(x))
		return;
	if (x->opts->constraint != NULL) {
		demanded(x->opts->constraint, x->n, want);
		if (conflicts(x, want))
			return;
	}
	if (rna_energy_evaluate(x->e, x->seq, (size_t)x->n, x->pair, 0, NULL, NULL, &total, &err) != RNA_OK)
		abort();
	x->least = total < x->least ? total : x->least;
	x->z += exp(-total / x->kt);
	for (i = 0; i < x->n; i++) {
		if (x->pair[i] > i)
			x->p[i][x->pair[i]] += exp(-total / x->kt);
	}
	if (x->known != NULL) {
		for (i = 0; i < x->n; i++) {
			double u = 1;
			int k;

			for (k = 0; k < x->n; k++)
				u -= k < i ? x->known[k][i] : x->known[i][k];
			if (x->pair[i] < 0)
				sum += u;
			else if (x->pair[i] > i)
				sum += 2 * x->gamma * x->known[i][x->pair[i]];
		}
		x->mea = sum > x->mea ? sum : x->mea;
	}
}

static void
all_structures(struct enumeration *x, const char *seq, int dangles, const struct rna_fold_options *opts)
{
	const double(*known)[32] = x->known;
	double gamma = x->gamma;

	memset(x, 0, sizeof(*x));
	x->known = known;
	x->gamma = gamma;
	x->seq = seq;
	x->n = (int)strlen(seq);
	x->e = &energies[dangles];
	x->opts = opts;
	x->kt = 0.198717 * 310.15;
	x->least = RNA_FOLD_INF;
	enumerate(seq, visit, x);
}

static void
random_constraint(char *c, int n)
{
	int i, j;

	for (i = 0; i < n; i++)
		c[i] = "......x<>|"[below(10)];
	c[n] = '\0';
	if (n >= 8) {
		i = (int)below((unsigned)n - 6);
		j = i + 5 + (int)below((unsigned)(n - i - 5));
		c[i] = '(';
		c[j] = ')';
	}
}

static int
differs(struct enumeration *x, const struct rna_pair_prob *pairs, size_t npairs)
{
	size_t k;
	int i, j, bad = 0;

	for (k = 0; k < npairs; k++)
		x->p[pairs[k].i][pairs[k].j] -= pairs[k].p * x->z;
	for (i = 0; i < x->n; i++) {
		for (j = 0; j < x->n; j++)
			bad += !(fabs(x->p[i][j]) <= 1e-5 * x->z);
	}
	return bad;
}

static void
test_enumeration(int count)
{
	static struct enumeration x;
	const char *letters[] = {"GC", "GGCCAU", "GU", "ACGU", "GCN"};
	struct rna_mfe *m[3] = {rna_mfe_create(&energies[0]), NULL, rna_mfe_create(&energies[2])};
	struct rna_partition *q = rna_partition_create(&energies[0]);
	int bad_mfe = 0, bad_lonely = 0, bad_z = 0, bad_p = 0, bad_mea = 0, k, d, n, energy, structures = 0;
	const struct rna_pair_prob *pairs;
	char seq[32], constraint[32];
	struct rna_fold_options opts;
	struct rna_err err;
	double ensemble, known[32][32], accuracy;
	int32_t pair[32];
	size_t npairs, i;

	for (k = 0; k < count; k++) {
		n = 1 + (int)below(k % 8 == 0 ? 16 : 13);
		random_rna(seq, n, letters[k % 5]);
		random_constraint(constraint, n);
		opts =
		    (struct rna_fold_options){k % 3 == 1 ? 5 + (int)below(10) : 0, 0, k % 4 == 3 ? constraint : NULL};
		for (d = 2; d >= 0; d -= 2) {
			x.known = NULL;
			all_structures(&x, seq, d, &opts);
			bad_mfe += rna_mfe_fold(m[d], seq, (size_t)n, &opts, pair, &energy, &err) != RNA_OK ||
			           energy != x.least;
		}
		structures += x.z > 1.0000001;
		bad_z += rna_partition_fold(q, seq, (size_t)n, &opts, energy, &ensemble, &err) != RNA_OK ||
		         !(fabs(ensemble + x.kt * log(x.z) / 100) < 1e-6);
		bad_p += rna_partition_pairs(q, 0, &pairs, &npairs, &err) != RNA_OK || differs(&x, pairs, npairs);
		memset(known, 0, sizeof(known));
		for (i = 0; i < npairs; i++)
			known[pairs[i].i][pairs[i].j] = pairs[i].p;
		x.known = (const double(*)[32])known;
		x.gamma = 0.5 + below(5);
		all_structures(&x, seq, 0, &(struct rna_fold_options){0, 0, NULL});
		bad_mea += rna_fold_mea(pairs, npairs, (size_t)n, x.gamma, pair, &accuracy, &err) != RNA_OK ||
		           !(fabs(accuracy - x.mea) < 1e-4);
		x.known = NULL;
		opts = (struct rna_fold_options){0, 1, NULL};
		all_structures(&x, seq, 2, &opts);
		bad_lonely +=
		    rna_mfe_fold(m[2], seq, (size_t)n, &opts, pair, &energy, &err) != RNA_OK || energy != x.least;
	}
	ok(structures > count / 4, "%d of %d short RNAs can pair", structures, count);
	ok(bad_mfe == 0, "least energies, by enumeration, also under spans and constraints");
	ok(bad_lonely == 0, "least energies without lonely pairs");
	ok(bad_z == 0, "partition functions");
	ok(bad_p == 0, "probabilities of pairs");
	ok(bad_mea == 0, "maximum expected accuracy");
	rna_mfe_destroy(m[0]);
	rna_mfe_destroy(m[2]);
	rna_partition_destroy(q);
}

/* 2. The evaluator, other levels, samples */

static void
test_evaluator(int count)
{
	const char *letters[] = {"ACGU", "GC", "ACGUN", "GU"};
	struct rna_mfe *m[3] = {rna_mfe_create(&energies[0]), NULL, rna_mfe_create(&energies[2])};
	struct rna_fold_options opts;
	int bad = 0, k, n, d, energy, total;
	static char seq[MAX_N];
	static int32_t pair[MAX_N];
	struct rna_err err;

	for (k = 0; k < count; k++) {
		n = 1 + (int)below(400);
		d = k & 1 ? 2 : 0;
		random_rna(seq, n, letters[k % 4]);
		opts = (struct rna_fold_options){k % 5 == 4 ? 20 + (int)below(60) : 0, k % 7 == 3, NULL};
		bad += rna_mfe_fold(m[d], seq, (size_t)n, &opts, pair, &energy, &err) != RNA_OK ||
		       rna_energy_evaluate(&energies[d], seq, (size_t)n, pair, 0, NULL, NULL, &total, &err) != RNA_OK ||
		       total != energy;
	}
	ok(bad == 0, "%d random RNAs: the structure has the energy that the programme gives", count);
	rna_mfe_destroy(m[0]);
	rna_mfe_destroy(m[2]);
}

static void
test_levels(void)
{
	static const char *const levels[] = {"plain", "avx2", "avx512"};
	const struct rna_pair_prob *pairs;
	double ensemble, first_ensemble = 0, sum, first_sum = 0;
	int32_t pair[MAX_N], first[MAX_N];
	int k, energy, bad = 0;
	char seq[MAX_N];
	struct rna_err err;
	size_t npairs, i;

	random_rna(seq, 333, "ACGU");
	for (k = 0; k < 3; k++) {
		setenv("RILL_CPU", levels[k], 1);
		struct rna_mfe *m = rna_mfe_create(&energies[2]);
		struct rna_partition *q = rna_partition_create(&energies[2]);

		bad += rna_mfe_fold(m, seq, 333, NULL, pair, &energy, &err) != RNA_OK ||
		       rna_partition_fold(q, seq, 333, NULL, energy, &ensemble, &err) != RNA_OK ||
		       rna_partition_pairs(q, 0, &pairs, &npairs, &err) != RNA_OK;
		for (sum = 0, i = 0; i < npairs; i++)
			sum += pairs[i].p * (double)(1 + i % 7);
		if (k == 0) {
			memcpy(first, pair, sizeof(pair));
			first_ensemble = ensemble;
			first_sum = sum;
		}
		bad += memcmp(first, pair, 333 * sizeof(*pair)) != 0 || ensemble != first_ensemble || sum != first_sum;
		rna_mfe_destroy(m);
		rna_partition_destroy(q);
	}
	unsetenv("RILL_CPU");
	ok(bad == 0, "the same bits at every level of the processor");
}

static void
test_samples(void)
{
	static const char seq[] = "GGGAAACGCUUCGGCGAAUCCCAGGAAACC";
	struct rna_partition *q = rna_partition_create(&energies[2]);
	const struct rna_pair_prob *pairs;
	int n = (int)strlen(seq), draws = 20000, k, i, bad = 0, total;
	static double count[32][32];
	double ensemble, p;
	int32_t pair[32];
	struct rna_rng rng;
	struct rna_err err;
	size_t npairs, j;

	rna_rng_init(&rng, rna_rng_key(1, 0, 2, 0, RNA_RNG_FOLD));
	bad += rna_partition_fold(q, seq, (size_t)n, NULL, -500, &ensemble, &err) != RNA_OK;
	for (k = 0; k < draws; k++) {
		bad += rna_partition_sample(q, &rng, pair, &err) != RNA_OK ||
		       rna_energy_evaluate(&energies[2], seq, (size_t)n, pair, 0, NULL, NULL, &total, &err) != RNA_OK;
		for (i = 0; i < n; i++) {
			if (pair[i] > i)
				count[i][pair[i]]++;
		}
	}
	ok(bad == 0, "samples are structures");
	bad = rna_partition_pairs(q, 0, &pairs, &npairs, &err) != RNA_OK;
	for (j = 0; j < npairs; j++) {
		p = pairs[j].p;
		bad += fabs(count[pairs[j].i][pairs[j].j] - p * draws) > 5 * sqrt(draws * p * (1 - p)) + 3;
		count[pairs[j].i][pairs[j].j] = 0;
	}
	for (k = 0; k < n * n; k++)
		bad += count[k / n][k % n] > 0;
	ok(bad == 0, "pairs come as often as their probabilities say");
	rna_partition_destroy(q);
}

int
main(void)
{
	const char *level = getenv("RNA_TEST");
	int deep = level != NULL && strcmp(level, "deep") == 0, quick = level != NULL && strcmp(level, "quick") == 0;
	struct rna_energy_file *f;
	struct rna_err err;

	f = rna_energy_file_open(NULL, &err);
	if (f == NULL || rna_energy_init(&energies[0], f, 37, 0, &err) != RNA_OK ||
	    rna_energy_init(&energies[2], f, 37, 2, &err) != RNA_OK) {
		ok(0, "energies: %s", err.text);
		return done();
	}
	rna_energy_file_close(f);
	test_enumeration(quick ? 150 : deep ? 4000 : 600);
	test_evaluator(quick ? 100 : deep ? 10000 : 500);
	test_levels();
	test_samples();
	return done();
}
