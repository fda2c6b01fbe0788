/*
 * energy.c: energies of single loops, and of a structure as the sum of its loops (energy.h; spec A.0-A.2).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fold/energy.h"

void
rna_fold_encode(const char *letters, size_t n, uint8_t *code)
{
	size_t i;

	code[0] = code[n + 1] = 0;
	for (i = 0; i < n; i++) {
		switch (letters[i]) {
		case 'A':
		case 'a':
			code[i + 1] = 1;
			break;
		case 'C':
		case 'c':
			code[i + 1] = 2;
			break;
		case 'G':
		case 'g':
			code[i + 1] = 3;
			break;
		case 'U':
		case 'u':
		case 'T':
		case 't':
			code[i + 1] = 4;
			break;
		default:
			code[i + 1] = 0;
			break;
		}
	}
}

const uint8_t rna_pair_types[5][5] = {
    /* N  A  C  G  U */
    {0, 0, 0, 0, 0},
    {0, 0, 0, 0, 5},
    {0, 0, 0, 1, 0},
    {0, 0, 2, 0, 3},
    {0, 6, 0, 4, 0},
};

/* AU, GU and non-canonical pairs end a helix at a cost. */
static int
terminal(const struct rna_energy *e, int type)
{
	return type > 2 ? e->terminal_au : 0;
}

int
rna_energy_length(const struct rna_energy *e, const int *table, int n)
{
	return n <= RNA_MAXLOOP ? table[n] : table[RNA_MAXLOOP] + (int)(e->lxc * log((double)n / RNA_MAXLOOP));
}

/* Pair type with non-canonical pairs as 7. */
static int
type_of(const uint8_t *code, int i, int j)
{
	int t = rna_pair_type(code[i], code[j]);

	return t != 0 ? t : 7;
}

/* Energy of a special hairpin closed by (i,j), or RNA_FOLD_INF. */
static int
special(const struct rna_energy *e, const uint8_t *code, int i, int j)
{
	static const char letter[] = "NACGU";
	char loop[10];
	int n = j - i + 1, k;

	if (n != 5 && n != 6 && n != 8)
		return RNA_FOLD_INF;
	for (k = 0; k < n; k++)
		loop[k] = letter[code[i + k]];
	loop[n] = '\0';
	for (k = 0; k < e->nspecial; k++) {
		if (strcmp(e->special[k].loop, loop) == 0)
			return e->special[k].energy;
	}
	return RNA_FOLD_INF;
}

int
rna_energy_hairpin(const struct rna_energy *e, const uint8_t *code, int i, int j)
{
	int n = j - i - 1, type = type_of(code, i, j), x;

	if ((x = special(e, code, i, j)) != RNA_FOLD_INF)
		return x;
	if (n <= 3)
		return rna_energy_length(e, e->hairpin, n) + terminal(e, type);
	return rna_energy_length(e, e->hairpin, n) + e->mismatch_hairpin[type][code[i + 1]][code[j - 1]];
}

static int
asymmetry(const struct rna_energy *e, int d)
{
	int x = abs(d) * e->ninio;

	return x < e->ninio_max ? x : e->ninio_max;
}

/* One side empty. */
static int
bulge(const struct rna_energy *e, int n, int type, int inner)
{
	if (n == 0)
		return e->stack[type][inner];
	if (n == 1)
		return e->bulge[1] + e->stack[type][inner];
	return rna_energy_length(e, e->bulge, n) + terminal(e, type) + terminal(e, inner);
}

int
rna_energy_interior(const struct rna_energy *e, const uint8_t *code, int i, int j, int k, int l)
{
	int n1 = k - i - 1, n2 = j - l - 1, type = type_of(code, i, j), inner = type_of(code, l, k);
	int a = code[i + 1], b = code[j - 1], c = code[k - 1], d = code[l + 1], n = n1 + n2;

	if (n1 == 0 || n2 == 0)
		return bulge(e, n, type, inner);
	if (n1 == 1 && n2 == 1)
		return e->int11[type][inner][a][b];
	if (n1 == 1 && n2 == 2)
		return e->int21[type][inner][a][d][b];
	if (n1 == 2 && n2 == 1)
		return e->int21[inner][type][d][a][c];
	if (n1 == 2 && n2 == 2)
		return e->int22[type][inner][a][c][d][b];
	if (n1 == 1 || n2 == 1)
		return rna_energy_length(e, e->interior, n) + asymmetry(e, n1 - n2) + e->mismatch_1n[type][a][b] +
		       e->mismatch_1n[inner][d][c];
	if (n == 5)
		return e->interior[5] + e->ninio + e->mismatch_23[type][a][b] + e->mismatch_23[inner][d][c];
	return rna_energy_length(e, e->interior, n) + asymmetry(e, n1 - n2) + e->mismatch_interior[type][a][b] +
	       e->mismatch_interior[inner][d][c];
}

/* Both neighbours: the mismatch; one: its dangle. */
static int
neighbours(const struct rna_energy *e, const int mismatch[RNA_NPAIRS][5][5], int type, int x5, int x3)
{
	if (x5 >= 0 && x3 >= 0)
		return mismatch[type][x5][x3];
	if (x5 >= 0)
		return e->dangle5[type][x5];
	return x3 >= 0 ? e->dangle3[type][x3] : 0;
}

int
rna_energy_multi_stem(const struct rna_energy *e, int type, int x5, int x3)
{
	return e->ml_branch + terminal(e, type) + neighbours(e, e->mismatch_multi, type, x5, x3);
}

int
rna_energy_exterior_stem(const struct rna_energy *e, int type, int x5, int x3)
{
	return terminal(e, type) + neighbours(e, e->mismatch_exterior, type, x5, x3);
}

/* The evaluator: partner[1..n], 0 unpaired. */
struct evaluation {
	const struct rna_energy *e;
	const uint8_t *code;
	const int *partner;
	int n;
	void (*loop)(const struct rna_loop *, void *);
	void *arg;
	int64_t total;
};

static void
add_loop(struct evaluation *v, enum rna_loop_kind kind, int i, int j, int k, int l, int energy)
{
	struct rna_loop loop = {kind, i, j, k, l, energy};

	v->total += energy;
	if (v->loop != NULL)
		v->loop(&loop, v->arg);
}

static int
exterior(const struct evaluation *v)
{
	int p, q, sum = 0;

	for (p = 1; p <= v->n; p++) {
		if ((q = v->partner[p]) == 0)
			continue;
		sum += rna_energy_exterior_stem(
		    v->e, type_of(v->code, p, q), p > 1 ? v->code[p - 1] : -1, q < v->n ? v->code[q + 1] : -1);
		p = q;
	}
	return sum;
}

/* Closing pair seen from inside, the branches, the unpaired bases. */
static int
multi(const struct evaluation *v, int i, int j)
{
	int p, q, sum;

	sum = v->e->ml_closing + rna_energy_multi_stem(v->e, type_of(v->code, j, i), v->code[j - 1], v->code[i + 1]);
	for (p = i + 1; p < j; p++) {
		if ((q = v->partner[p]) == 0) {
			sum += v->e->ml_base;
			continue;
		}
		sum += rna_energy_multi_stem(v->e, type_of(v->code, p, q), v->code[p - 1], v->code[q + 1]);
		p = q;
	}
	return sum;
}

/* The loop closed by (i,j): its kind is told by the number of branches. */
static void
closed_loop(struct evaluation *v, int i, int j)
{
	int p, k = 0, branches = 0;

	for (p = i + 1; p < j; p++) {
		if (v->partner[p] == 0)
			continue;
		k = branches++ == 0 ? p : k;
		p = v->partner[p];
	}
	if (branches == 0)
		add_loop(v, RNA_LOOP_HAIRPIN, i, j, 0, 0, rna_energy_hairpin(v->e, v->code, i, j));
	else if (branches == 1)
		add_loop(v, RNA_LOOP_INTERIOR, i, j, k, v->partner[k],
		    rna_energy_interior(v->e, v->code, i, j, k, v->partner[k]));
	else
		add_loop(v, RNA_LOOP_MULTI, i, j, 0, 0, multi(v, i, j));
}

/* partner[] from pair[]; every pair checked.  open: stack of the pairs that enclose the position. */
static enum rna_status
check_pairs(const uint8_t *code, int n, const int32_t *pair, int lenient, int *partner, int *open, struct rna_err *err)
{
	int i, j, depth = 0;

	for (i = 1; i <= n; i++) {
		j = pair[i - 1] + 1;
		partner[i] = j > 0 ? j : 0;
		if (pair[i - 1] < -1 || j > n || j == i || (j > 0 && pair[j - 1] != i - 1))
			return rna_fail(err, RNA_EINVAL, "base %d: its partner is not its partner's", i);
		if (j > i && j - i < 4)
			return rna_fail(err, RNA_EINVAL, "pair %d-%d: a hairpin has at least 3 bases", i, j);
		if (j > i && !lenient && rna_pair_type(code[i], code[j]) == 0)
			return rna_fail(err, RNA_EINVAL, "pair %d-%d: not AU, GC or GU", i, j);
		if (j > i)
			open[depth++] = i;
		else if (j > 0 && open[--depth] != j)
			return rna_fail(err, RNA_EINVAL, "pair %d-%d: crosses another (pseudoknot)", j, i);
	}
	return RNA_OK;
}

enum rna_status
rna_energy_evaluate(const struct rna_energy *e, const char *letters, size_t n, const int32_t *pair, int lenient,
    void (*loop)(const struct rna_loop *loop, void *arg), void *arg, int *total, struct rna_err *err)
{
	struct evaluation v = {e, NULL, NULL, (int)n, loop, arg, 0};
	enum rna_status s = RNA_OK;
	uint8_t *code;
	int *partner, i;

	if (n > INT32_MAX / 8)
		return rna_fail(err, RNA_EINVAL, "%zu nt are too many to evaluate", n);
	code = malloc(n + 2);
	partner = calloc(2 * n + 2, sizeof(*partner));
	if (code == NULL || partner == NULL)
		s = rna_fail(err, RNA_EMEM, "out of memory");
	else {
		rna_fold_encode(letters, n, code);
		s = check_pairs(code, (int)n, pair, lenient, partner, partner + n + 1, err);
	}
	if (s == RNA_OK) {
		v.code = code;
		v.partner = partner;
		add_loop(&v, RNA_LOOP_EXTERIOR, 0, 0, 0, 0, exterior(&v));
		for (i = 1; i <= v.n; i++) {
			if (partner[i] > i)
				closed_loop(&v, i, partner[i]);
		}
		*total = (int)v.total;
	}
	free(code);
	free(partner);
	return s;
}
