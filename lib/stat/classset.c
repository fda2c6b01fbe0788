/*
 * classset.c: classifications with their truth, gathered from records (classset.h).
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stat/classset.h"

void
rna_classset_init(struct rna_classset *s)
{
	memset(s, 0, sizeof(*s));
}

static void
free_names(char **name, size_t n)
{
	size_t i;

	for (i = 0; name != NULL && i < n; i++)
		free(name[i]);
	free(name);
}

void
rna_classset_fini(struct rna_classset *s)
{
	free_names(s->name, s->nclasses);
	free(s->rid);
	free(s->truth);
	free(s->call);
	free(s->prob);
	memset(s, 0, sizeof(*s));
}

static enum rna_status
no_memory(struct rna_err *err)
{
	return rna_fail(err, RNA_EMEM, "out of memory");
}

/* Number of the name, which is added when it is new. */
static enum rna_status
intern(struct rna_classset *s, const char *name, size_t n, int32_t *id, struct rna_err *err)
{
	char **names;
	size_t i;

	for (i = 0; i < s->nclasses; i++) {
		if (strncmp(s->name[i], name, n) == 0 && s->name[i][n] == '\0') {
			*id = (int32_t)i;
			return RNA_OK;
		}
	}
	if (s->nclasses == RNA_CLASSSET_MAX)
		return rna_fail(err, RNA_EFORMAT, "more than %d different labels", RNA_CLASSSET_MAX);
	if (memchr(name, '\0', n) != NULL)
		return rna_fail(err, RNA_EFORMAT, "a label with a NUL in it");
	if ((names = reallocarray(s->name, s->nclasses + 1, sizeof(*names))) == NULL)
		return no_memory(err);
	s->name = names;
	if ((names[s->nclasses] = strndup(name, n)) == NULL)
		return no_memory(err);
	*id = (int32_t)s->nclasses++;
	return RNA_OK;
}

/* Room for one more record. */
static enum rna_status
reserve(struct rna_classset *s)
{
	size_t cap = s->cap > 0 ? 2 * s->cap : 1024;
	void *p;

	if (s->n < s->cap)
		return RNA_OK;
	if ((p = reallocarray(s->rid, cap, sizeof(*s->rid))) == NULL)
		return RNA_EMEM;
	s->rid = p;
	if ((p = reallocarray(s->truth, cap, sizeof(*s->truth))) == NULL)
		return RNA_EMEM;
	s->truth = p;
	if ((p = reallocarray(s->call, cap, sizeof(*s->call))) == NULL)
		return RNA_EMEM;
	s->call = p;
	if (s->columns > 0) {
		if ((p = reallocarray(s->prob, cap, s->columns * sizeof(*s->prob))) == NULL)
			return RNA_EMEM;
		s->prob = p;
	}
	s->cap = cap;
	return RNA_OK;
}

static void
softmax(const float *x, size_t n, double *p)
{
	double max = (double)x[0], sum = 0;
	size_t i;

	for (i = 1; i < n; i++)
		max = fmax(max, (double)x[i]);
	for (i = 0; i < n; i++)
		sum += p[i] = exp((double)x[i] - max);
	for (i = 0; i < n; i++)
		p[i] /= sum;
}

/* The probabilities that the record has, or NULL; *soft: as logits. */
static const float *
scores_of(const struct rna_record *rec, uint64_t *n, int *soft)
{
	const float *p = rna_record_get_vec(rec, "prob", RNA_F32, n);

	*soft = p == NULL;
	if (p == NULL)
		p = rna_record_get_vec(rec, "logits", RNA_F32, n);
	if (p == NULL)
		*n = 0;
	return p;
}

static enum rna_status
add_scores(struct rna_classset *s, const float *p, size_t n, int soft, struct rna_err *err)
{
	double *to = s->prob + s->n * n;
	size_t i;

	for (i = 0; i < n; i++)
		if (!isfinite(p[i]))
			return rna_fail(err, RNA_EFORMAT, "a score that is not finite");
	if (soft)
		softmax(p, n, to);
	for (i = 0; !soft && i < n; i++)
		to[i] = (double)p[i];
	return RNA_OK;
}

static enum rna_status
add_names(struct rna_classset *s, const struct rna_record *rec, struct rna_err *err)
{
	const struct rna_field *f = rna_record_find(rec, "label");
	const char *label, *call;
	size_t n, m;
	char digits[16];
	enum rna_status st;

	if (f != NULL && f->dtype == RNA_I32 && f->count == 1) {
		n = (size_t)snprintf(digits, sizeof(digits), "%" PRId32, *(const int32_t *)rna_record_data(rec, f));
		label = digits;
	} else if ((label = rna_record_get_str(rec, "label", &n)) == NULL)
		return rna_fail(err, RNA_EFORMAT, "no label (str or i32)");
	if ((st = intern(s, label, n, &s->truth[s->n], err)) != RNA_OK)
		return st;
	s->call[s->n] = -1;
	if ((call = rna_record_get_str(rec, "call", &m)) != NULL)
		return intern(s, call, m, &s->call[s->n], err);
	if (s->columns == 0)
		return rna_fail(err, RNA_EFORMAT, "no prediction: neither call nor prob nor logits of classes");
	return RNA_OK;
}

enum rna_status
rna_classset_add(struct rna_classset *s, const struct rna_record *rec, struct rna_err *err)
{
	enum rna_status st;
	const float *p;
	uint64_t n;
	int soft;

	p = scores_of(rec, &n, &soft);
	if (n > RNA_CLASSSET_MAX)
		return rna_fail(err, RNA_EFORMAT, "scores of more than %d classes", RNA_CLASSSET_MAX);
	if (s->n == 0)
		s->columns = n;
	if (n != s->columns)
		return rna_fail(err, RNA_EFORMAT, "scores of %" PRIu64 " classes, %zu before", n, s->columns);
	if (reserve(s) != RNA_OK)
		return no_memory(err);
	if ((st = add_names(s, rec, err)) != RNA_OK || (p != NULL && (st = add_scores(s, p, n, soft, err)) != RNA_OK))
		return st;
	s->rid[s->n] = 0;
	(void)rna_record_get_u64(rec, "rid", &s->rid[s->n]);
	s->n++;
	return RNA_OK;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The classes in order as a copy of their own. */
static char **
copy_classes(const struct rna_classset *s, char *const *classes, size_t n)
{
	char **to = calloc(n + 1, sizeof(*to));
	size_t i;

	if (to == NULL)
		return NULL;
	for (i = 0; i < n; i++) {
		if ((to[i] = strdup(classes[i])) == NULL) {
			free_names(to, n);
			return NULL;
		}
	}
	if (classes == s->name)
		qsort(to, n, sizeof(*to), by_name);
	return to;
}

/* Number of the class of each name that occurred. */
static enum rna_status
map_names(const struct rna_classset *s, char **classes, size_t n, int32_t *map, struct rna_err *err)
{
	size_t i, c, d;

	for (c = 0; c < n; c++)
		for (d = 0; d < c; d++)
			if (strcmp(classes[c], classes[d]) == 0)
				return rna_fail(err, RNA_EFORMAT, "class %s is named twice", classes[c]);
	for (i = 0; i < s->nclasses; i++) {
		for (c = 0; c < n && strcmp(s->name[i], classes[c]) != 0; c++)
			;
		if (c == n)
			return rna_fail(
			    err, RNA_EFORMAT, "%s: a label or call that is none of the %zu classes", s->name[i], n);
		map[i] = (int32_t)c;
	}
	return RNA_OK;
}

static int32_t
largest(const double *p, size_t n)
{
	size_t i, best = 0;

	for (i = 1; i < n; i++)
		best = p[i] > p[best] ? i : best;
	return (int32_t)best;
}

enum rna_status
rna_classset_finish(struct rna_classset *s, char *const *classes, size_t n, struct rna_err *err)
{
	enum rna_status st = RNA_OK;
	int32_t *map;
	char **names;
	size_t i;

	if (s->n == 0)
		return rna_fail(err, RNA_EFORMAT, "no records");
	if (n == 0) {
		classes = s->name;
		n = s->nclasses;
	}
	if (s->columns > 0 && s->columns != n)
		return rna_fail(err, RNA_EFORMAT,
		    "scores of %zu classes, and %zu class names; name them with --classes", s->columns, n);
	names = copy_classes(s, classes, n);
	map = calloc(s->nclasses, sizeof(*map));
	if (names == NULL || map == NULL)
		st = no_memory(err);
	if (st == RNA_OK)
		st = map_names(s, names, n, map, err);
	for (i = 0; st == RNA_OK && i < s->n; i++) {
		s->truth[i] = map[s->truth[i]];
		s->call[i] = s->call[i] >= 0 ? map[s->call[i]] : largest(s->prob + i * s->columns, s->columns);
	}
	free(map);
	if (st != RNA_OK) {
		free_names(names, n);
		return st;
	}
	free_names(s->name, s->nclasses);
	s->name = names;
	s->nclasses = n;
	return RNA_OK;
}
