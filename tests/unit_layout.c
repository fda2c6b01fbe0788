/*
 * unit_layout.c: drawings of structures: stems are ladders, nothing lies on anything else.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fold/mfe.h"
#include "seq/layout.h"
#include "seq/nearby.h"
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

/* The centre of the circle through three points. */
static struct rna_point
centre_of(struct rna_point a, struct rna_point b, struct rna_point c)
{
	double d = 2 * (a.x * (b.y - c.y) + b.x * (c.y - a.y) + c.x * (a.y - b.y));
	double a2 = a.x * a.x + a.y * a.y, b2 = b.x * b.x + b.y * b.y, c2 = c.x * c.x + c.y * c.y;

	return (struct rna_point){(a2 * (b.y - c.y) + b2 * (c.y - a.y) + c2 * (a.y - b.y)) / d,
	    (a2 * (c.x - b.x) + b2 * (a.x - c.x) + c2 * (b.x - a.x)) / d};
}

/* Bases i..j: 1 when each is as far from the next as the first from the second, which is *step. */
static int
even(const struct rna_point *at, int i, int j, double *step)
{
	int k;

	*step = apart(at[i], at[i + 1]);
	for (k = i; k < j; k++)
		if (fabs(apart(at[k], at[k + 1]) - *step) > 1e-6)
			return 0;
	return 1;
}

/* Bases i..j, four or more: 1 when they lie on one circle, of radius *r around *c. */
static int
round_loop(const struct rna_point *at, int i, int j, struct rna_point *c, double *r)
{
	int k;

	*c = centre_of(at[i], at[(i + j) / 2], at[j]);
	*r = apart(*c, at[i]);
	for (k = i; k <= j; k++)
		if (fabs(apart(*c, at[k]) - *r) > 1e-6 * *r)
			return 0;
	return 1;
}

/* "((((", `left` dots, "((((....))))", `right` dots, "))))": *n bases. */
static void
loop_of(int left, int right, int32_t *pair, int *n)
{
	char s[200];

	*n = snprintf(s, sizeof(s), "((((%.*s((((....))))%.*s))))", left, "........................................",
	    right, "........................................");
	pairs_of(s, pair);
}

/* Hairpin loops are circles of steps of one; bases outside of pairs point away from the middle. */
static void
test_hairpins(void)
{
	struct rna_point at[60], away[60], c;
	int32_t pair[60];
	char s[60];
	double r, step;
	int n, i, good = 1, out = 1;

	for (n = 2; n < 40; n++) {
		snprintf(s, sizeof(s), "(((%.*s)))", n, "........................................");
		pairs_of(s, pair);
		good &= rna_layout(pair, strlen(s), at, away) == RNA_OK && even(at, 2, n + 3, &step) &&
		        fabs(step - 1) < 1e-6 && round_loop(at, 2, n + 3, &c, &r);
		for (i = 3; i < n + 3; i++)
			out &= (at[i].x - c.x) * away[i].x + (at[i].y - c.y) * away[i].y > 0.8 * r;
	}
	ok(good, "hairpin loops are circles of steps of one");
	ok(out, "labels of a loop's bases stand outside of it");
}

/* Interior loops: the longer side is an arc of steps of one, the shorter a line or a flatter arc, both of even steps.
 */
static void
test_interior_loops(void)
{
	struct rna_point at[200], away[200], c;
	int32_t pair[200];
	double r, step;
	int left, right, n, i, good = 1, arcs = 1, sides = 1;

	for (left = 0; left <= 24; left += 2) {
		for (right = 0; right <= 24; right += 3) {
			loop_of(left, right, pair, &n);
			good &= rna_layout(pair, (size_t)n, at, away) == RNA_OK && even(at, 3, 4 + left, &step) &&
			        even(at, left + 15, left + right + 16, &step);
			if (left > right && left > 3) {
				good &= even(at, 3, 4 + left, &step) && round_loop(at, 3, 4 + left, &c, &r);
				arcs &= fabs(2 * r * asin(step / (2 * r)) - 1) < 1e-6;
				/* the other strand stands on the other side of the middle of the bow */
				sides &= apart(at[3], at[n - 4]) < apart(at[4 + left / 2], at[n - 4]);
			}
			for (i = left + 16; i < left + 16 + right && 10 * (right + 1) <= 6 * left; i++)
				good &= fabs(apart(at[i], at[left + 15]) + apart(at[i], at[left + right + 16]) -
					     apart(at[left + 15], at[left + right + 16])) < 1e-6;
		}
	}
	ok(good, "interior loops: even steps on either side");
	ok(arcs, "the longer side is an arc as long as its bases");
	ok(sides, "and bends away from the other side");
}

/* Loops of several stems: all that borders them lies on one circle; what is outside of all pairs is a line. */
static void
test_circles(void)
{
	static const char *const loops[] = {"((((((....))..((....)).((....))...))))", "(((..((....))((....))..)))",
	    "(((((....)).....................((....)).((....)))))"};
	static const char line[] = ".....((....))..((....))...";
	struct rna_point at[100], away[100], c;
	int32_t pair[100];
	int k, i, n, from, good = 1, levels = 1;
	double r = 0;

	for (k = 0; k < 3; k++) {
		n = (int)strlen(loops[k]);
		pairs_of(loops[k], pair);
		good &= rna_layout(pair, (size_t)n, at, away) == RNA_OK;
		for (from = 0; pair[from + 1] == pair[from] - 1; from++)
			;
		for (i = from + 1; pair[i] < 0; i++)
			;
		c = centre_of(at[from], at[i], at[pair[from]]);
		r = apart(c, at[from]);
		for (i = from + 1; i<pair[from]; i = pair[i]> i ? pair[i] + 1 : i + 1)
			good &= fabs(apart(c, at[i]) - r) < 1e-6 * r &&
			        (pair[i] < 0 || fabs(apart(c, at[pair[i]]) - r) < 1e-6 * r);
	}
	ok(good, "loops of several stems are circles");
	n = (int)sizeof(line) - 1;
	pairs_of(line, pair);
	levels &= rna_layout(pair, (size_t)n, at, away) == RNA_OK;
	for (i = 0; i<n; i = pair[i]> i ? pair[i] + 1 : i + 1) {
		levels &= fabs(at[i].y - at[0].y) < 1e-6 && (i == 0 || at[i].x > at[i - 1].x);
		levels &= pair[i] >= 0 || fabs(away[i].x) < 1e-6;
		levels &= i == 0 || pair[i] >= 0 || pair[i - 1] >= 0 || fabs(at[i].x - at[i - 1].x - 1) < 1e-6;
	}
	ok(levels, "outside of all pairs is a line");
}

static int
count_disc(const struct rna_disc *d, void *arg)
{
	int *n = arg;

	*n += d->group == 1 ? 1 : 1000;
	return 0;
}

/* The discs that one touches are those that are near enough, however many there are. */
static void
test_nearby(void)
{
	enum { SIDE = 40 };
	struct rna_nearby g = {0};
	int i, k, pass, n, wrong = 0;

	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < SIDE * SIDE; i++)
			if (rna_nearby_add(&g, i % SIDE - 20, 0.7 * (i / SIDE), 0.3, 1) != RNA_OK)
				abort();
		for (i = 0; i < SIDE * SIDE; i++) {
			n = 0;
			k = rna_nearby_each(&g, i % SIDE - 20, 0.7 * (i / SIDE), 0.5, count_disc, &n);
			/* itself, and those above and below it, 0.7 away */
			wrong += k != 0 || n != 1 + (i >= SIDE) + (i < SIDE * (SIDE - 1));
		}
		rna_nearby_reuse(&g);
	}
	ok(wrong == 0, "%d discs, each touches its neighbours (%d wrong)", SIDE * SIDE, wrong);
	n = 0;
	ok(rna_nearby_each(&g, 0, 0, 0.5, count_disc, &n) == 0 && n == 0, "none is there any more");
	rna_nearby_fini(&g);
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
	test_hairpins();
	test_interior_loops();
	test_circles();
	test_nearby();
	test_odd();
	return done();
}
