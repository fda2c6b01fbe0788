/*
 * foldtruth.c: structures of records, and known ones kept to be found by rid or by name (foldtruth.h).
 */
#include <stdlib.h>
#include <string.h>

#include "seq/structure.h"
#include "stat/foldtruth.h"
#include "stream/rng.h"

struct rna_foldtruth_entry {
	uint64_t rid, name; /* hash of the name, 0 without one */
	size_t at, n;       /* partners, in int32_t */
};

static enum rna_status
check_pairs(const int32_t *pair, size_t n, struct rna_err *err)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (pair[i] < -1 || pair[i] >= (int64_t)n || pair[i] == (int64_t)i ||
		    (pair[i] >= 0 && pair[pair[i]] != (int64_t)i))
			return rna_fail(err, RNA_EFORMAT, "base %zu: its pair is not symmetric", i + 1);
	}
	return RNA_OK;
}

enum rna_status
rna_foldtruth_pairs(const struct rna_record *rec, const char *first, struct rna_buf *out, struct rna_err *err)
{
	const int32_t *pair;
	const char *text, *seq;
	size_t length, had = out->len, n;
	enum rna_status s;
	uint64_t m = 0;

	pair = rna_record_get_vec(rec, "pair", RNA_I32, &m);
	text = rna_record_get_str(rec, "structure", &length);
	if (text != NULL && (pair == NULL || strcmp(first, "structure") == 0))
		s = rna_structure_parse(text, length, out, err);
	else if (pair != NULL) {
		if ((s = rna_buf_add(out, pair, m * sizeof(*pair))) != RNA_OK)
			rna_fail(err, s, "out of memory");
	} else
		return rna_fail(err, RNA_EFORMAT, "neither structure nor pair");
	if (s != RNA_OK)
		return s;
	n = (out->len - had) / sizeof(*pair);
	if ((seq = rna_record_get_str(rec, "seq", &length)) != NULL && length != n)
		return rna_fail(err, RNA_EFORMAT, "%zu bases, and a structure of %zu", length, n);
	return check_pairs((const int32_t *)(const void *)(out->data + had), n, err);
}

void
rna_foldtruth_init(struct rna_foldtruth *t)
{
	memset(t, 0, sizeof(*t));
}

void
rna_foldtruth_fini(struct rna_foldtruth *t)
{
	free(t->entry);
	free(t->by_name);
	rna_buf_fini(&t->pairs);
	memset(t, 0, sizeof(*t));
}

static uint64_t
name_of(const struct rna_record *rec)
{
	size_t n;
	const char *name = rna_record_get_str(rec, "name", &n);

	return name != NULL && n > 0 ? rna_hash(name, n, 0) : 0;
}

enum rna_status
rna_foldtruth_add(struct rna_foldtruth *t, const struct rna_record *rec, struct rna_err *err)
{
	struct rna_foldtruth_entry *e;
	size_t cap = t->cap > 0 ? 2 * t->cap : 1024;
	enum rna_status s;

	if (t->n == t->cap) {
		if ((e = reallocarray(t->entry, cap, sizeof(*e))) == NULL)
			return rna_fail(err, RNA_EMEM, "out of memory");
		t->entry = e;
		t->cap = cap;
	}
	e = &t->entry[t->n];
	*e = (struct rna_foldtruth_entry){.name = name_of(rec), .at = t->pairs.len / sizeof(int32_t)};
	(void)rna_record_get_u64(rec, "rid", &e->rid);
	if ((s = rna_foldtruth_pairs(rec, "pair", &t->pairs, err)) != RNA_OK)
		return s;
	e->n = t->pairs.len / sizeof(int32_t) - e->at;
	t->n++;
	return RNA_OK;
}

static int
by_rid(const void *a, const void *b)
{
	const struct rna_foldtruth_entry *x = a, *y = b;

	return (x->rid > y->rid) - (x->rid < y->rid);
}

/* A key of a name and the number of its entry. */
struct named {
	uint64_t name;
	size_t at;
};

static int
by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return (x->name > y->name) - (x->name < y->name);
}

enum rna_status
rna_foldtruth_sort(struct rna_foldtruth *t)
{
	struct named *x = calloc(t->n + 1, sizeof(*x));
	size_t i;

	t->by_name = calloc(t->n + 1, sizeof(*t->by_name));
	if (x == NULL || t->by_name == NULL) {
		free(x);
		return RNA_EMEM;
	}
	if (t->n > 0)
		qsort(t->entry, t->n, sizeof(*t->entry), by_rid);
	for (i = 0; i < t->n; i++)
		x[i] = (struct named){t->entry[i].name, i};
	qsort(x, t->n, sizeof(*x), by_name);
	for (i = 0; i < t->n; i++)
		t->by_name[i] = x[i].at;
	free(x);
	return RNA_OK;
}

/* Binary search for key; *many: more than one has it. */
static const struct rna_foldtruth_entry *
search(const struct rna_foldtruth *t, uint64_t key, int named, int *many)
{
	const struct rna_foldtruth_entry *e;
	size_t low = 0, high = t->n, mid;

	*many = 0;
	while (low < high) {
		mid = low + (high - low) / 2;
		e = &t->entry[named ? t->by_name[mid] : mid];
		if ((named ? e->name : e->rid) < key)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == t->n || key == 0)
		return NULL;
	e = &t->entry[named ? t->by_name[low] : low];
	*many = low + 1 < t->n && named && t->entry[t->by_name[low + 1]].name == key;
	return (named ? e->name : e->rid) == key ? e : NULL;
}

const int32_t *
rna_foldtruth_find(const struct rna_foldtruth *t, const struct rna_record *rec, size_t *n)
{
	const struct rna_foldtruth_entry *e;
	uint64_t rid = 0;
	int many;

	(void)rna_record_get_u64(rec, "rid", &rid);
	if ((e = search(t, rid, 0, &many)) == NULL && ((e = search(t, name_of(rec), 1, &many)) == NULL || many))
		return NULL;
	*n = e->n;
	return (const int32_t *)(const void *)t->pairs.data + e->at;
}
