/*
 * neural_trace.c: the structure behind the score: each piece is taken apart in the way that scores most (neural.c has
 * the recurrences; N and M are worked out again for the pairs of the structure alone).
 */
#include "fold/neural_private.h"

struct trace {
	struct rna_neural *w;
	int32_t *pair;
	int depth;
};

/* What a pair closes: k 0 a hairpin, l > 0 an interior loop around (k,l), l 0 a multiloop whose first branch begins at
 * k. */
struct closed {
	float score;
	int k, l;
};

static void
push(struct trace *t, enum neural_part part, int i, int j)
{
	t->w->stack[t->depth++] = (struct neural_work){part, i, j};
}

static inline float
cell(const struct rna_neural *w, float *triangle, int i, int j)
{
	return i > j ? -INFINITY : rna_neural_row(w, triangle, i)[j];
}

static inline float
first(const struct rna_neural *w, int i, int j)
{
	return i > j ? -INFINITY : *rna_neural_t(w, i, j);
}

static float
branch(const struct rna_neural *w, const float stem[RNA_NPAIRS][6][6], int i, int j)
{
	float c = cell(w, w->c, i, j);

	if (c == -INFINITY)
		return c;
	return c + rna_neural_stem(w, stem, rna_pair_type(w->in.code[i], w->in.code[j]), i, j) +
	       rna_neural_score(w, NEURAL_MISMATCH, j, i);
}

/* Score of the stack of (i,j) on (i+1,j-1), with the reward of (i,j). */
static float
stack(const struct rna_neural *w, int i, int j)
{
	const uint8_t *code = w->in.code;

	return w->turner.stack[rna_pair_type(code[i], code[j])][rna_pair_type(code[j - 1], code[i + 1])] +
	       rna_neural_score(w, NEURAL_STACKING, i, j) + rna_neural_score(w, NEURAL_STACKING, j - 1, i + 1) +
	       rna_neural_reward(w, i, j);
}

/* The interior loop of (i,j) around (k,l), which is no stack, without mm(i,j). */
static float
interior(const struct rna_neural *w, int i, int j, int k, int l)
{
	int n1 = k - i - 1, n2 = j - l - 1, entry[4], m;
	float x = (float)rna_energy_interior(w->e, w->in.code, i, j, k, l) / -100.0f;

	for (m = rna_neural_entries(n1, n2, entry); m > 0; m--)
		x += w->lengths[entry[m - 1]];
	return x + rna_neural_region(w, i + 1, k - 1) + rna_neural_region(w, l + 1, j - 1) +
	       rna_neural_score(w, NEURAL_MISMATCH, l, k);
}

static void
better(struct closed *best, float score, int k, int l)
{
	if (score > best->score)
		*best = (struct closed){score, k, l};
}

/* N(i,j) */
static struct closed
best_loop(const struct rna_neural *w, int i, int j)
{
	const uint8_t *code = w->in.code;
	int k, l;
	float c, closing = w->turner.closing[rna_pair_type(code[j], code[i])][code[j - 1]][code[i + 1]];
	struct closed best = {
	    rna_neural_hairpin(w, i, j, rna_pair_type(code[i], code[j])) + rna_neural_region(w, i + 1, j - 1), 0, 0};

	for (k = i + 1; k - i - 1 <= RNA_MAXLOOP && k < j - RNA_MIN_SPAN; k++) {
		for (l = j - 1; k - i - 1 + j - l - 1 <= RNA_MAXLOOP && l - k >= RNA_MIN_SPAN; l--) {
			c = cell(w, w->c, k, l);
			if (c > -INFINITY && (k > i + 1 || l < j - 1))
				better(&best, c + interior(w, i, j, k, l), k, l);
		}
	}
	for (k = i + 1; k < j; k++) {
		c = first(w, k, j - 1);
		if (c > -INFINITY)
			better(&best, c + rna_neural_region(w, i + 1, k - 1) + closing, k, 0);
	}
	best.score += rna_neural_score(w, NEURAL_MISMATCH, i, j) + rna_neural_reward(w, i, j);
	return best;
}

/* C(i,j): the stacks of its helix, and the loop that the last pair closes. */
static void
trace_helix(struct trace *t, int i, int j)
{
	const struct rna_neural *w = t->w;
	struct closed x, best = {-INFINITY, 0, 0};
	float sum = 0, total, most = -INFINITY;
	int m, pairs = 1, h = w->max_helix;

	for (m = 1; cell(w, w->c, i + m - 1, j - m + 1) > -INFINITY; m++) {
		x = best_loop(w, i + m - 1, j - m + 1);
		total = x.score + sum + (h == 0 ? 0 : rna_neural_helix(w, m <= h ? m : h + 1));
		if (total > most) {
			most = total;
			best = x;
			pairs = m;
		}
		if (j - i - 2 * m >= RNA_MIN_SPAN)
			sum += stack(w, i + m - 1, j - m + 1);
	}
	for (m = 0; m < pairs; m++) {
		t->pair[i + m - 1] = j - m - 1;
		t->pair[j - m - 1] = i + m - 1;
	}
	j -= pairs - 1;
	if (best.l > 0)
		push(t, NEURAL_C, best.k, best.l);
	else if (best.k > 0)
		push(t, NEURAL_T, best.k, j - 1);
}

/* R(i,j) */
static void
trace_branches(struct trace *t, int i, int j)
{
	const struct rna_neural *w = t->w;
	float b, two, left, right;

	for (;;) {
		b = branch(w, w->turner.multi, i, j);
		two = first(w, i, j);
		left = cell(w, w->r, i + 1, j) + rna_neural_region(w, i, i);
		right = cell(w, w->r, i, j - 1) + rna_neural_region(w, j, j);
		if (b >= two && b >= left && b >= right)
			push(t, NEURAL_C, i, j);
		else if (two >= left && two >= right)
			push(t, NEURAL_T, i, j);
		else if (left >= right) {
			i++;
			continue;
		} else {
			j--;
			continue;
		}
		return;
	}
}

/* T(i,j) */
static void
trace_first(struct trace *t, int i, int j)
{
	const struct rna_neural *w = t->w;
	float x, most = -INFINITY;
	int k, best = i;

	for (k = i + RNA_MIN_SPAN; k < j; k++) {
		x = branch(w, w->turner.multi, i, k) + cell(w, w->r, k + 1, j);
		if (x > most) {
			most = x;
			best = k;
		}
	}
	push(t, NEURAL_C, i, best);
	push(t, NEURAL_R, best + 1, j);
}

/* F(1) */
static void
trace_exterior(struct trace *t)
{
	const struct rna_neural *w = t->w;
	int i = 1, j, best;
	float most, x;

	while (i <= w->in.n) {
		most = w->f[i + 1] + rna_neural_region(w, i, i);
		best = i;
		for (j = i + RNA_MIN_SPAN; j <= w->in.n; j++) {
			x = branch(w, w->turner.exterior, i, j) + w->f[j + 1];
			if (x > most) {
				most = x;
				best = j;
			}
		}
		if (best > i)
			push(t, NEURAL_C, i, best);
		i = best + 1;
	}
}

void
rna_neural_trace(struct rna_neural *w, int32_t *pair)
{
	struct trace t = {w, pair, 0};
	struct neural_work x;
	int i;

	for (i = 0; i < w->in.n; i++)
		pair[i] = -1;
	trace_exterior(&t);
	while (t.depth > 0) {
		x = w->stack[--t.depth];
		if (x.part == NEURAL_C)
			trace_helix(&t, x.i, x.j);
		else if (x.part == NEURAL_R)
			trace_branches(&t, x.i, x.j);
		else
			trace_first(&t, x.i, x.j);
	}
}
