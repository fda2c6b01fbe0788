/*
 * layout_spread.c: which parts of a drawing touch each other, and how a loop makes room for them.
 */
#include <math.h>

#include "seq/layout_private.h"

#define BASE 0.6    /* radius of the disc that a base needs */
#define FOOT 0.47   /* of the bases where a stem begins: their neighbours on the circle are at distance 1 */
#define NFOOT 3     /* so many at each end */
#define GROUND 0.95 /* what hangs on an arm stays so far below the beginning of the arm */
#define THREAD 0.35 /* of a place on the line between two bases that stand apart */
#define FACTOR 1.1  /* a gap grows by this much and STEP in a round */
#define STEP 0.4

struct touching {
	struct layout *l;
	size_t nstems;
	int32_t group; /* of the disc that is asked for */
	struct rna_disc self;
	int grown;
};

/* Gaps from..to are to be wider. */
static void
widen(struct touching *t, size_t from, size_t to)
{
	size_t k;

	for (k = from; k <= to; k++)
		t->l->gap[k].grow = 1;
	t->grown = 1;
}

/* Stem k is to be farther from the arm. */
static void
turn_away(struct touching *t, size_t k)
{
	if (t->l->gap[k].out.x < 0)
		widen(t, 0, k);
	else
		widen(t, k + 1, t->nstems);
}

/* Groups: 0 the arm that carries the loop, 1..nstems the stems, nstems + 1 the loop itself. */
static int
touch(const struct rna_disc *other, void *arg)
{
	struct touching *t = arg;
	const struct gap *gap = t->l->gap;
	int32_t a = t->group, b = other->group, loop = (int32_t)t->nstems + 1, low = a < b ? a : b,
		high = a < b ? b : a;

	if (a == b || (low == 0 && high == loop))
		return 0;
	if (high == loop) { /* only the feet of a stem are near the circle */
		if (t->self.r != FOOT && other->r != FOOT)
			widen(t, 0, t->nstems);
	} else if (low > 0 && gap[low - 1].angle - gap[high - 1].angle < M_PI)
		widen(t, (size_t)low, (size_t)high - 1);
	else if (low > 0) { /* they are nearer to each other on the other side */
		widen(t, 0, (size_t)low - 1);
		widen(t, (size_t)high, t->nstems);
	} else
		turn_away(t, (size_t)high - 1);
	return 0;
}

static enum rna_status
add(struct touching *t, double x, double y, double r)
{
	t->self = (struct rna_disc){x, y, r, t->group, -1};
	rna_nearby_each(&t->l->discs, x, y, r, touch, t);
	return rna_nearby_add(&t->l->discs, x, y, r, t->group);
}

/* The line between two neighbours that stand apart. */
static enum rna_status
add_thread(struct touching *t, struct rna_point p, struct rna_point q, double r)
{
	double d = hypot(q.x - p.x, q.y - p.y), part;
	enum rna_status st = RNA_OK;
	int k, n = d > 1.3 ? (int)(2 * d) : 0;

	for (k = 1; k < n && st == RNA_OK; k++) {
		part = (double)k / n;
		st = add(t, p.x + part * (q.x - p.x), p.y + part * (q.y - p.y), r);
	}
	return st;
}

static double
radius_in(int k, int i, int j)
{
	return k - i < NFOOT || j - k < NFOOT ? FOOT : BASE;
}

/* Bases i..j, of which those at the ends are the feet of a stem, and the lines between them. */
static enum rna_status
add_bases(struct touching *t, const struct rna_point *p, int i, int j)
{
	enum rna_status st = RNA_OK;
	int k;

	for (k = i; k <= j && st == RNA_OK; k++) {
		st = add(t, p[k].x, p[k].y, radius_in(k, i, j));
		if (st == RNA_OK && k < j)
			st = add_thread(t, p[k], p[k + 1], radius_in(k, i, j) == FOOT ? FOOT : THREAD);
	}
	return st;
}

static struct rna_point
place_of(const struct layout *l, int i, int a, int b)
{
	return i == a || i == b || l->pair[i] < 0 ? l->at[i] : l->placed[i];
}

/* The loop itself: its unpaired bases and the lines between all its bases; a, b: the pair that closes it or -1, n. */
static enum rna_status
add_loop(struct touching *t, int a, int b)
{
	struct layout *l = t->l;
	enum rna_status st = RNA_OK;
	int i = a + 1, last = a, k;
	size_t g;

	for (g = 0; g <= t->nstems && st == RNA_OK; g++) {
		for (k = 0; k <= l->gap[g].bases && st == RNA_OK; k++, i++) {
			if (k < l->gap[g].bases)
				st = add(t, l->at[i].x, l->at[i].y, FOOT - 1e-9);
			if (st == RNA_OK && last >= 0 && i < l->n)
				st = add_thread(t, place_of(l, last, a, b), place_of(l, i, a, b), THREAD);
			last = i;
		}
		last = l->gap[g].j;
		i = last + 1;
	}
	return st;
}

enum rna_status
rna_layout_spread(struct layout *l, int first, int a, int b, size_t nstems, int *grown)
{
	struct touching t = {.l = l, .nstems = nstems};
	enum rna_status st = RNA_OK;
	double length;
	size_t k;
	int i;

	rna_nearby_reuse(&l->discs);
	for (k = 0; k <= nstems; k++)
		l->gap[k].grow = 0;
	if (first >= 0) {
		st = add_bases(&t, l->at, first, a);
		if (st == RNA_OK)
			st = add_bases(&t, l->at, b, l->pair[first]);
	}
	for (k = 0; k < nstems && st == RNA_OK; k++) {
		t.group = (int32_t)k + 1;
		for (i = l->gap[k].i; i <= l->gap[k].j && first >= 0; i++) {
			if (l->placed[i].y < GROUND)
				turn_away(&t, k);
		}
		st = add_bases(&t, l->placed, l->gap[k].i, l->gap[k].j);
	}
	t.group = (int32_t)nstems + 1;
	if (st == RNA_OK)
		st = add_loop(&t, a, b);
	for (k = 0; k <= nstems; k++) {
		length = l->gap[k].chord * (l->gap[k].bases + 1);
		if (l->gap[k].grow)
			l->gap[k].chord = (length * FACTOR + STEP) / (l->gap[k].bases + 1);
	}
	*grown = t.grown && l->radius < l->n + 10;
	return st;
}

static int
stop(const struct rna_disc *other, void *arg)
{
	(void)other;
	(void)arg;
	return 1;
}

enum rna_status
rna_layout_stand(struct layout *l, size_t k, double *x, int *fits)
{
	const struct gap *g = &l->gap[k];
	enum rna_status st = RNA_OK;
	int i, touches = 1;
	double r;

	for (i = g->i + NFOOT; i <= g->j - NFOOT; i++)
		*fits = *fits && l->at[i].y > GROUND;
	for (; touches && *fits; *x += touches ? 0.5 : 0) {
		for (touches = 0, i = g->i; i <= g->j && !touches; i++) {
			r = radius_in(i, g->i, g->j);
			touches = rna_nearby_each(
			    &l->discs, l->at[i].x + *x + RNA_LAYOUT_PAIR / 2, l->at[i].y, r, stop, NULL);
		}
	}
	for (i = g->i; i <= g->j && st == RNA_OK && *fits; i++) {
		l->placed[i] = (struct rna_point){l->at[i].x + *x + RNA_LAYOUT_PAIR / 2, l->at[i].y};
		st = rna_nearby_add(&l->discs, l->placed[i].x, l->placed[i].y, radius_in(i, g->i, g->j), 0);
	}
	*x = *x + RNA_LAYOUT_PAIR + 1;
	return st;
}
