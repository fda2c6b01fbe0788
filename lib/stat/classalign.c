/*
 * classalign.c: two predictions of the same RNAs, brought into one order (classset.h).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "stat/classset.h"

struct place {
	uint64_t rid;
	size_t at;
};

static int
by_rid(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->rid > y->rid) - (x->rid < y->rid);
}

/* The records sorted by rid; NULL without memory. */
static struct place *
sort_rids(const struct rna_classset *s)
{
	struct place *p = calloc(s->n + 1, sizeof(*p));
	size_t i;

	if (p == NULL)
		return NULL;
	for (i = 0; i < s->n; i++)
		p[i] = (struct place){s->rid[i], i};
	qsort(p, s->n, sizeof(*p), by_rid);
	return p;
}

static enum rna_status
same_rnas(const struct place *a, const struct place *b, size_t n, struct rna_err *err)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (a[i].rid == 0 || b[i].rid == 0)
			return rna_fail(err, RNA_EFORMAT, "records without a rid can't be paired");
		if (i + 1 < n && (a[i].rid == a[i + 1].rid || b[i].rid == b[i + 1].rid))
			return rna_fail(err, RNA_EFORMAT, "an RNA comes twice; vote first with rna-vote");
		if (a[i].rid != b[i].rid)
			return rna_fail(err, RNA_EFORMAT, "the RNAs are not those of the other predictions");
	}
	return RNA_OK;
}

/* from[at] of the records in their new order. */
static enum rna_status
reorder(struct rna_classset *s, const size_t *from)
{
	size_t row = s->columns * sizeof(*s->prob), i;
	uint64_t *rid = calloc(s->n, sizeof(*rid));
	int32_t *truth = calloc(s->n, sizeof(*truth)), *call = calloc(s->n, sizeof(*call));
	double *prob = calloc(s->n, row > 0 ? row : 1);

	if (rid == NULL || truth == NULL || call == NULL || prob == NULL) {
		free(rid);
		free(truth);
		free(call);
		free(prob);
		return RNA_EMEM;
	}
	for (i = 0; i < s->n; i++) {
		rid[i] = s->rid[from[i]];
		truth[i] = s->truth[from[i]];
		call[i] = s->call[from[i]];
		if (row > 0)
			memcpy(prob + i * s->columns, s->prob + from[i] * s->columns, row);
	}
	free(s->rid);
	free(s->truth);
	free(s->call);
	free(s->prob);
	s->rid = rid;
	s->truth = truth;
	s->call = call;
	s->prob = prob;
	s->cap = s->n;
	return RNA_OK;
}

static enum rna_status
same_truth(const struct rna_classset *s, const struct rna_classset *ref, struct rna_err *err)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (strcmp(s->name[s->truth[i]], ref->name[ref->truth[i]]) != 0)
			return rna_fail(err, RNA_EFORMAT, "the labels differ from those of the other predictions");
	return RNA_OK;
}

enum rna_status
rna_classset_align(struct rna_classset *s, const struct rna_classset *ref, struct rna_err *err)
{
	struct place *a, *b;
	enum rna_status st;
	size_t *from, i;

	if (s->n != ref->n)
		return rna_fail(err, RNA_EFORMAT, "%zu records, and %zu of the other predictions", s->n, ref->n);
	if (s->nclasses != ref->nclasses)
		return rna_fail(err, RNA_EFORMAT, "the classes are not those of the other predictions");
	for (i = 0; i < s->nclasses; i++)
		if (strcmp(s->name[i], ref->name[i]) != 0)
			return rna_fail(err, RNA_EFORMAT, "the classes are not those of the other predictions");
	a = sort_rids(s);
	b = sort_rids(ref);
	from = calloc(s->n + 1, sizeof(*from));
	if (a == NULL || b == NULL || from == NULL)
		st = rna_fail(err, RNA_EMEM, "out of memory");
	else
		st = same_rnas(a, b, s->n, err);
	for (i = 0; st == RNA_OK && i < s->n; i++)
		from[b[i].at] = a[i].at;
	if (st == RNA_OK && (st = reorder(s, from)) != RNA_OK)
		st = rna_fail(err, st, "out of memory");
	free(a);
	free(b);
	free(from);
	return st == RNA_OK ? same_truth(s, ref, err) : st;
}
