/*
 * mfe_trace.c: the structure behind the energy, by asking each cell where it came from (mfe.h).
 */
#include <stdlib.h>
#include <string.h>

#include "fold/mfe_private.h"

enum part {
	PART_C,
	PART_CC,
	PART_FM
}; /* which recurrence a piece of work belongs to; PART_CC: the pair inside a stack */

struct work {
	enum part part;
	int i, j;
};

struct trace {
	struct rna_mfe *m;
	int32_t *pair;
	struct work *stack; /* at most one entry a base: pieces do not overlap */
	int depth;
};

static void
push(struct trace *t, enum part part, int i, int j)
{
	t->stack[t->depth++] = (struct work){part, i, j};
}

/* FM(i,k) + FM(k+1,j) = x */
static int
split(struct trace *t, int i, int j, int x)
{
	struct rna_mfe *m = t->m;
	int k;

	for (k = i; k < j; k++) {
		if (rna_mfe_at(m, m->fm, i, k) < RNA_FOLD_NONE &&
		    rna_mfe_at(m, m->fm, i, k) + rna_mfe_at(m, m->fm, k + 1, j) == x) {
			push(t, PART_FM, i, k);
			push(t, PART_FM, k + 1, j);
			return 0;
		}
	}
	return -1;
}

/* What (i,j), with energy x, closes. */
static int
trace_loop(struct trace *t, int i, int j, int x)
{
	struct rna_mfe *m = t->m;
	int k, l, c;

	if (x == rna_energy_hairpin(m->e, m->in.code, i, j))
		return 0;
	for (k = i + 1; k - i - 1 <= RNA_MAXLOOP && k < j - 4; k++) {
		for (l = j - 1; (k - i - 1) + (j - l - 1) <= RNA_MAXLOOP && l - k >= 4; l--) {
			c = rna_mfe_at(m, m->c, k, l);
			if (c < RNA_FOLD_NONE && c + rna_energy_interior(m->e, m->in.code, i, j, k, l) == x) {
				push(t, PART_C, k, l);
				return 0;
			}
		}
	}
	return split(t, i + 1, j - 1, x - rna_mfe_closing(m, i, j));
}

static int
trace_pair(struct trace *t, enum part part, int i, int j)
{
	struct rna_mfe *m = t->m;
	int x = rna_mfe_at(m, part == PART_CC ? m->cc : m->c, i, j), inner;

	t->pair[i - 1] = j - 1;
	t->pair[j - 1] = i - 1;
	if (m->in.opts.no_lonely) {
		inner = j - i > 5 ? rna_mfe_at(m, m->cc, i + 1, j - 1) : RNA_FOLD_INF;
		if (inner < RNA_FOLD_NONE && x == inner + rna_energy_interior(m->e, m->in.code, i, j, i + 1, j - 1)) {
			push(t, PART_CC, i + 1, j - 1);
			return 0;
		}
	}
	return trace_loop(t, i, j, x);
}

static int
trace_multi(struct trace *t, int i, int j)
{
	struct rna_mfe *m = t->m;
	int x = rna_mfe_at(m, m->fm, i, j), base = m->e->ml_base, type;

	while (i < j && x == rna_mfe_at(m, m->fm, i, j - 1) + base) {
		x -= base;
		j--;
	}
	while (i < j && x == rna_mfe_at(m, m->fm, i + 1, j) + base) {
		x -= base;
		i++;
	}
	type = rna_pair_type(m->in.code[i], m->in.code[j]);
	if (type != 0 && rna_mfe_at(m, m->c, i, j) < RNA_FOLD_NONE &&
	    x == rna_mfe_at(m, m->c, i, j) + rna_mfe_stem(m, m->multi, type, i, j)) {
		push(t, PART_C, i, j);
		return 0;
	}
	return split(t, i, j, x);
}

/* The stems of the exterior loop. */
static int
trace_exterior(struct trace *t)
{
	struct rna_mfe *m = t->m;
	int i = 1, j, c, type;

	while (i <= m->in.n) {
		if (m->f[i] == m->f[i + 1]) {
			i++;
			continue;
		}
		for (j = i + 4; j <= m->in.n; j++) {
			type = rna_pair_type(m->in.code[i], m->in.code[j]);
			c = rna_mfe_at(m, m->c, i, j);
			if (type != 0 && c < RNA_FOLD_NONE &&
			    m->f[i] == c + rna_mfe_stem(m, m->exterior, type, i, j) + m->f[j + 1])
				break;
		}
		if (j > m->in.n)
			return -1;
		push(t, PART_C, i, j);
		i = j + 1;
	}
	return 0;
}

enum rna_status
rna_mfe_trace(struct rna_mfe *m, int32_t *pair, struct rna_err *err)
{
	struct trace t = {m, pair, NULL, 0};
	struct work w;
	int i, failed;

	for (i = 0; i < m->in.n; i++)
		pair[i] = -1;
	if ((t.stack = calloc((size_t)m->in.n + 2, sizeof(*t.stack))) == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	failed = trace_exterior(&t);
	while (!failed && t.depth > 0) {
		w = t.stack[--t.depth];
		failed = w.part == PART_FM ? trace_multi(&t, w.i, w.j) : trace_pair(&t, w.part, w.i, w.j);
	}
	free(t.stack);
	if (failed)
		return rna_fail(
		    err, RNA_EINVAL, "the dynamic programme does not agree with itself: please report this sequence");
	return RNA_OK;
}
