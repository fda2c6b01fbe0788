/*
 * layout.c: where the bases of a structure are drawn (layout.h).
 *
 * 1. Circles   2. Arms: stems with their interior loops, up to a loop of several stems   3. Loops of several stems
 * 4. The exterior loop   5. All of it
 *
 * An arm is laid out after all that hangs on its far end, in a frame of its own: the first pair lies on the x axis
 * around 0 and the arm goes down from there.  Whoever carries the arm moves and turns it as a whole.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "seq/layout.h"
#include "seq/layout_private.h"

#define PAIR RNA_LAYOUT_PAIR
#define LINE_BASES 60 /* exterior loops up to here are drawn as a line, when their stems let them */
#define LINE_STEMS 4
#define ROUNDS 160 /* a circle is made larger at most so often */
#define WORK 8000000 /* bases are placed so often in all; then circles stay as they are, as in absurdly nested loops */

/* 1. Circles */

/* The radius of the circle on which the chords close: that many of the length of a gap, then the pairs. */
static double
radius_of(const struct layout *l, size_t ngaps, double first)
{
	double low = first / 2, high, r, sum;
	size_t k;
	int step;

	for (k = 0; k < ngaps; k++)
		low = fmax(low, l->gap[k].chord / 2);
	low = fmax(low, PAIR / 2);
	for (high = low, k = 0; k < ngaps; k++)
		high += l->gap[k].chord * (l->gap[k].bases + 1) + PAIR;
	for (step = 0; step < 60; step++) {
		r = (low + high) / 2;
		sum = asin(fmin(1, first / (2 * r))) + (double)(ngaps - 1) * asin(PAIR / (2 * r));
		for (k = 0; k < ngaps; k++)
			sum += (l->gap[k].bases + 1) * asin(fmin(1, l->gap[k].chord / (2 * r)));
		if (sum > M_PI)
			low = r;
		else
			high = r;
	}
	return high;
}

/* n bases from base i on, between two places at a distance h below each other, in a bow to the side (-1 left, 1). */
static void
bow(struct layout *l, int i, int n, struct rna_point from, double h, double side, int upwards)
{
	double length = n + 1, low = 1e-6, high = M_PI / 2, half, r, a, y, x;
	int k, step;

	/* half the angle of the arc: its length is to its chord as the angle is to its sine */
	for (step = 0; step < 50; step++) {
		half = (low + high) / 2;
		if (half / sin(half) < length / h)
			low = half;
		else
			high = half;
	}
	r = h / (2 * sin(high));
	for (k = 1; k <= n; k++) {
		a = high * (2 * k / length - 1); /* -high .. high down the arc */
		if (length <= h) {
			x = 0;
			y = h * k / length;
		} else {
			x = r * (cos(a) - cos(high));
			y = h / 2 + r * sin(a);
		}
		l->at[i + k - 1] = (struct rna_point){from.x + side * x, from.y + (upwards ? h - y : y)};
	}
}

/* 2. Arms */

/* The stems inside (a,b) into l->gap: gap k lies before stem k, the last one before b.  Returns the number of stems. */
static size_t
find_stems(struct layout *l, int a, int b)
{
	size_t k = 0;
	int i = a + 1, from = i;

	while (i < b) {
		if (l->pair[i] < i) {
			i++;
			continue;
		}
		l->gap[k++] = (struct gap){.bases = i - from, .i = i, .j = l->pair[i], .chord = 1};
		from = i = l->pair[i] + 1;
	}
	l->gap[k] = (struct gap){.bases = b - from, .i = b, .j = b, .chord = 1};
	return k;
}

static void
put_pair(struct layout *l, int a, int b, double y)
{
	l->at[a] = (struct rna_point){-PAIR / 2, y};
	l->at[b] = (struct rna_point){PAIR / 2, y};
}

/*
 * The loop between (a,b) at y and the only stem in it; returns where that begins.  The longer side is half a circle,
 * which does not reach back to the stem; beside a pair that stands alone it is less, to leave room for what is on the
 * other side of that pair.
 */
static double
interior_loop(struct layout *l, int a, int b, double y, int alone)
{
	int c = l->gap[0].i, d = l->gap[0].j, n1 = c - a - 1, n2 = b - d - 1, most = n1 > n2 ? n1 : n2;
	double h = fmax(1, (most + 1) * (alone || l->pair[c + 1] != d - 1 ? 0.82 : 2 / M_PI));

	if (n1 > 0)
		bow(l, a + 1, n1, (struct rna_point){-PAIR / 2, y}, h, -1, 0);
	if (n2 > 0)
		bow(l, d + 1, n2, (struct rna_point){PAIR / 2, y}, h, 1, 1);
	return y + h;
}

/* The bases of a circle that begins after the chord first at y; stems are put there by place_stems. */
static void
circle(struct layout *l, int i, size_t ngaps, double first, double y)
{
	double r = radius_of(l, ngaps, first), angle = -asin(fmin(1, first / (2 * r)));
	double middle = y + sqrt(fmax(0, r * r - first * first / 4)), step, turn = asin(fmin(1, PAIR / (2 * r)));
	size_t k;
	int b;

	l->middle = (struct rna_point){0, middle};
	l->radius = r;
	for (k = 0; k < ngaps; k++) {
		step = 2 * asin(fmin(1, l->gap[k].chord / (2 * r)));
		for (b = 0; b < l->gap[k].bases; b++, i++) {
			angle -= step;
			l->at[i].x = r * sin(angle);
			l->at[i].y = middle - r * cos(angle);
		}
		angle -= step + turn; /* to the middle of the stem */
		l->gap[k].angle = angle;
		l->gap[k].out = (struct rna_point){sin(angle), -cos(angle)};
		l->gap[k].foot = r * cos(turn);
		angle -= turn;
		i = l->gap[k].j + 1;
	}
}

/* The arm that begins with (a,b).  RNA_EMEM. */
static enum rna_status
arm(struct layout *l, int a, int b)
{
	enum rna_status st = RNA_OK;
	double y = 0;
	size_t n;
	int first = a;

	for (;;) {
		put_pair(l, a, b, y);
		n = find_stems(l, a, b);
		if (n != 1)
			break;
		y = interior_loop(l, a, b, y, a == first || l->pair[a - 1] != b + 1);
		a = l->gap[0].i;
		b = l->gap[0].j;
	}
	if (n == 0 && b - a > 1)
		circle(l, a + 1, 1, PAIR, y);
	else if (n > 1)
		st = rna_layout_join(l, first, a, b, n, y);
	return st;
}

/* 3. Loops of several stems */

/* Stem k with all that hangs on it, from its own frame to its place on the circle, into l->placed. */
void
rna_layout_place(struct layout *l, size_t k)
{
	const struct gap *g = &l->gap[k];
	struct rna_point u = g->out, m = {l->middle.x + g->foot * u.x, l->middle.y + g->foot * u.y}, p;
	int i;

	for (i = g->i; i <= g->j; i++) {
		p = l->at[i];
		/* the x axis of the arm, from its 5' strand to its 3' strand, is u turned to the left */
		l->placed[i] = (struct rna_point){m.x + p.x * u.y + p.y * u.x, m.y - p.x * u.x + p.y * u.y};
	}
}

/* The circle after (a,b), the last pair of the arm that begins with base first; b n and first -1: the exterior loop. */
enum rna_status
rna_layout_join(struct layout *l, int first, int a, int b, size_t nstems, double y)
{
	enum rna_status st = RNA_OK;
	int round, grown = 1;
	size_t k;

	for (round = 0; grown && st == RNA_OK; round++) {
		circle(l, a + 1, nstems + 1, PAIR, y);
		for (k = 0; k < nstems; k++) {
			rna_layout_place(l, k);
			l->work += l->gap[k].j - l->gap[k].i;
		}
		grown = 0;
		if (round < ROUNDS && l->work < WORK)
			st = rna_layout_spread(l, first, a, b, nstems, &grown);
	}
	for (k = 0; k < nstems && st == RNA_OK; k++)
		memcpy(l->at + l->gap[k].i, l->placed + l->gap[k].i,
		    (size_t)(l->gap[k].j - l->gap[k].i + 1) * sizeof(*l->at));
	return st;
}

/* 4. The exterior loop */

/* As a line from left to right with all stems below it; *fits 0: a stem comes up to the line, or there are too many. */
static enum rna_status
line(struct layout *l, size_t nstems, int *fits)
{
	enum rna_status st = RNA_OK;
	int total = 0, i = 0, b;
	double x = 0;
	size_t k;

	for (k = 0; k <= nstems; k++)
		total += l->gap[k].bases;
	*fits = total <= LINE_BASES && nstems <= LINE_STEMS;
	rna_nearby_reuse(&l->discs);
	for (k = 0; k <= nstems && *fits; k++) {
		for (b = 0; b < l->gap[k].bases; b++, i++)
			l->placed[i] = (struct rna_point){x++, 0};
		if (k == nstems)
			break;
		st = rna_layout_stand(l, k, &x, fits);
		if (st != RNA_OK)
			return st;
		i = l->gap[k].j + 1;
	}
	if (*fits)
		memcpy(l->at, l->placed, (size_t)l->n * sizeof(*l->at));
	return st;
}

static enum rna_status
exterior(struct layout *l)
{
	size_t nstems = find_stems(l, -1, l->n);
	enum rna_status st;
	int fits;

	if ((st = line(l, nstems, &fits)) != RNA_OK || fits)
		return st;
	return rna_layout_join(l, -1, -1, l->n, nstems, 0);
}

/* 5. All of it */

/* Marks the pairs that an arm goes through: the only stem in the loop of another pair.  RNA_EINVAL: a crossing. */
static enum rna_status
mark_inner(struct layout *l)
{
	int *open = calloc((size_t)l->n + 1, sizeof(*open)), depth = 0, i;
	enum rna_status st = RNA_OK;

	if (open == NULL)
		return RNA_EMEM;
	for (i = 0; i < l->n && st == RNA_OK; i++) {
		if (l->pair[i] > i)
			open[depth++] = i;
		else if (l->pair[i] >= 0 && (depth == 0 || open[--depth] != l->pair[i]))
			st = RNA_EINVAL;
	}
	free(open);
	for (i = 0; i < l->n && st == RNA_OK; i++) {
		if (l->pair[i] > i && find_stems(l, i, l->pair[i]) == 1)
			l->inner[l->gap[0].i] = 1;
	}
	return st;
}

static void
set_away(const struct layout *l, struct rna_point *away)
{
	double dx, dy, d;
	int i;

	for (i = 0; i < l->n; i++) {
		const struct rna_point *p = &l->at[i > 0 ? i - 1 : i], *q = &l->at[i + 1 < l->n ? i + 1 : i];

		dx = q->x - p->x;
		dy = q->y - p->y;
		if (l->pair[i] >= 0) { /* away from the partner */
			dx = l->at[i].y - l->at[l->pair[i]].y;
			dy = l->at[l->pair[i]].x - l->at[i].x;
		}
		d = hypot(dx, dy);
		away[i] = d > 0 ? (struct rna_point){-dy / d, dx / d} : (struct rna_point){0, -1};
	}
}

enum rna_status
rna_layout(const int32_t *pair, size_t n, struct rna_point *at, struct rna_point *away)
{
	struct layout l = {.pair = pair, .n = (int)n, .at = at};
	enum rna_status st = RNA_EMEM;
	int i;

	if (n > INT32_MAX / 4)
		return RNA_EINVAL;
	if (n == 0)
		return RNA_OK;
	l.placed = calloc(n, sizeof(*l.placed));
	l.gap = calloc(n / 2 + 2, sizeof(*l.gap));
	l.inner = calloc(n, 1);
	if (l.placed != NULL && l.gap != NULL && l.inner != NULL)
		st = mark_inner(&l);
	for (i = l.n - 1; i >= 0 && st == RNA_OK; i--) {
		if (pair[i] > i && !l.inner[i])
			st = arm(&l, i, pair[i]);
	}
	if (st == RNA_OK && (st = exterior(&l)) == RNA_OK)
		set_away(&l, away);
	free(l.placed);
	free(l.gap);
	free(l.inner);
	rna_nearby_fini(&l.discs);
	return st;
}
