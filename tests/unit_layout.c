/*
 * unit_layout.c: drawings of structures: stems are ladders, nothing lies on anything else.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fold/mfe.h"
#include "seq/layout.h"
#include "tap.h"
#include "below.h"

#define MAX_N 900

static double
apart(struct rna_point a, struct rna_point b)
{
	return hypot(a.x - b.x, a.y - b.y);
}

/* 1 when the segments p..p' and q..q' cross. */
static int
cross(struct rna_point p, struct rna_point p2, struct rna_point q, struct rna_point q2)
{
	double a = (p2.x - p.x) * (q.y - p.y) - (p2.y - p.y) * (q.x - p.x);
	double b = (p2.x - p.x) * (q2.y - p.y) - (p2.y - p.y) * (q2.x - p.x);
	double c = (q2.x - q.x) * (p.y - q.y) - (q2.y - q.y) * (p.x - q.x);
	double d = (q2.x - q.x) * (p2.y - q.y) - (q2.y - q.y) * (p2.x - q.x);

	return a * b < 0 && c * d < 0;
}

struct faults {
	int ladder, close, crossing, far;
};

static void
look(const int32_t *pair, int n, double least, struct faults *f)
{
	static struct rna_point at[MAX_N], away[MAX_N];
	int i, j, close = 0, crossing = 0;
	double size = 0;

	if (rna_layout(pair, (size_t)n, at, away) != RNA_OK) {
		f->ladder++;
		return;
	}
	for (i = 0; i < n; i++) {
		j = pair[i];
		size = fmax(size, apart(at[i], at[0]));
		f->ladder += !(fabs(hypot(away[i].x, away[i].y) - 1) < 1e-9);
		if (j < i)
			continue;
		f->ladder += !(fabs(apart(at[i], at[j]) - RNA_LAYOUT_PAIR) < 1e-6);
		if (i + 1 < j - 1 && pair[i + 1] == j - 1)
			f->ladder +=
			    !(fabs(apart(at[i], at[i + 1]) - 1) < 1e-6) || !(fabs(apart(at[j], at[j - 1]) - 1) < 1e-6);
	}
	for (i = 0; i < n; i++) {
		for (j = i + 1; j < n; j++) {
			close += !(apart(at[i], at[j]) > least);
			crossing += i + 1 < n && j + 1 < n && j > i + 1 && cross(at[i], at[i + 1], at[j], at[j + 1]);
		}
	}
	f->close += close > 0;
	f->crossing += crossing > 0;
	f->far += !(size < 6 * n + 20);
}

static void
pairs_of(const char *s, int32_t *pair)
{
	int open[MAX_N], depth = 0, i;

	for (i = 0; s[i] != '\0'; i++) {
		pair[i] = -1;
		if (s[i] == '(')
			open[depth++] = i;
		else if (s[i] == ')') {
			pair[i] = open[--depth];
			pair[pair[i]] = i;
		}
	}
}

/* Structures of least energy of random RNAs. */
static void
test_folds(int count)
{
	static struct rna_energy e;
	struct rna_energy_file *file;
	struct faults f = {0};
	static int32_t pair[MAX_N];
	struct rna_mfe *m;
	char seq[MAX_N];
	struct rna_err err;
	int k, i, n, energy;

	if ((file = rna_energy_file_open(NULL, &err)) == NULL || rna_energy_init(&e, file, 37, 2, &err) != RNA_OK ||
	    (m = rna_mfe_create(&e)) == NULL) {
		ok(0, "energies: %s", err.text);
		return;
	}
	rna_energy_file_close(file);
	for (k = 0; k < count; k++) {
		n = 1 + (int)below(k % 10 == 0 ? MAX_N - 1 : 300);
		for (i = 0; i < n; i++)
			seq[i] = (k % 3 == 0 ? "GGCCAU" : "ACGUGC")[below(6)];
		if (rna_mfe_fold(m, seq, (size_t)n, NULL, pair, &energy, &err) != RNA_OK)
			abort();
		look(pair, n, 0.8, &f); /* the discs that are drawn have the radius 0.4 */
	}
	rna_mfe_destroy(m);
	ok(f.ladder == 0, "%d folded RNAs: stems are ladders", count);
	ok(f.close == 0, "no base lies on another (%d drawings)", f.close);
	ok(200 * f.crossing <= count, "the backbone crosses itself in less than 1 of 200 (%d drawings)", f.crossing);
	ok(f.far == 0, "no drawing is out of proportion");
}

static void
test_odd(void)
{
	static const char *const odd[] = {"", ".", "..", "()", "(.)", "(())", "()()", "(()())", ".(.(.).(..).).",
	    "((((.((((....)).))..))))", "(.((((....))))......................)", "(((()()()()()())))",
	    "((.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.))", "(((...(((...)))....((...))...)))(...)(...)"};
	struct rna_point at[100], away[100];
	static int32_t pair[MAX_N];
	struct faults f = {0};
	size_t k;

	for (k = 0; k < sizeof(odd) / sizeof(odd[0]); k++) {
		pairs_of(odd[k], pair);
		look(pair, (int)strlen(odd[k]), 0.7, &f); /* lonely pairs in lonely pairs */
	}
	ok(f.ladder == 0 && f.close == 0, "odd structures (%d, %d)", f.ladder, f.close);
	pairs_of("(((...)))", pair);
	pair[0] = 7;
	pair[7] = 0;
	pair[1] = 8;
	pair[8] = 1;
	ok(rna_layout(pair, 9, at, away) == RNA_EINVAL, "crossing pairs are refused");
}

int
main(void)
{
	const char *level = getenv("RNA_TEST");

	test_folds(level != NULL && strcmp(level, "deep") == 0 ? 2000 : 150);
	test_odd();
	return done();
}
