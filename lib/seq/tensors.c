/*
 * tensors.c: the numeric fields of all records as one safetensors file.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/endian.h>

#include "seq/tensors.h"

#define HEADER_MAX 100000000 /* the format's own limit */

void
rna_tensors_init(struct rna_tensors *t, char *const *fields, size_t nfields)
{
	memset(t, 0, sizeof(*t));
	t->fields = fields;
	t->nfields = nfields;
}

static int
is_chosen(const struct rna_tensors *t, const struct rna_field *f)
{
	size_t i;

	if (t->fields == NULL)
		return f->dtype != RNA_STR;
	for (i = 0; i < t->nfields; i++)
		if (strcmp(t->fields[i], f->name) == 0)
			return 1;
	return 0;
}

static enum rna_status
find_spool(struct rna_tensors *t, const struct rna_field *f, struct rna_spool **spool, struct rna_err *err)
{
	size_t i, cap = t->cap ? t->cap * 2 : 16;
	struct rna_spool *list;
	enum rna_status st;

	for (i = 0; i < t->n; i++)
		if (strcmp(t->spool[i].name, f->name) == 0) {
			*spool = &t->spool[i];
			return RNA_OK;
		}
	if (f->dtype == RNA_STR)
		return rna_fail(err, RNA_EFORMAT, "field %s is text, not numbers; try: rna-view -O tsv --fields %s",
		    f->name, f->name);
	if (t->n == t->cap) {
		if ((list = reallocarray(t->spool, cap, sizeof(*list))) == NULL)
			return rna_fail(err, RNA_EMEM, "out of memory");
		t->spool = list;
		t->cap = cap;
	}
	if ((st = rna_spool_init(&t->spool[t->n], f, err)) == RNA_OK)
		*spool = &t->spool[t->n++];
	return st;
}

enum rna_status
rna_tensors_add(struct rna_tensors *t, const struct rna_record *rec, struct rna_err *err)
{
	enum rna_status st = RNA_OK;
	struct rna_spool *spool = NULL;
	size_t i;

	for (i = 0; i < rec->nfields && st == RNA_OK; i++) {
		const struct rna_field *f = &rec->fields[i];

		if (is_chosen(t, f) && (st = find_spool(t, f, &spool, err)) == RNA_OK)
			st = rna_spool_add(spool, t->records, f, rna_record_data(rec, f), err);
	}
	t->records++;
	return st;
}

static const char *
dtype_name(enum rna_dtype dtype)
{
	static const char *const names[] = {"", "U8", "I32", "U32", "I64", "U64", "F16", "BF16", "F32", "F64"};

	return names[dtype];
}

static enum rna_status
add_tensor(struct rna_buf *head, const struct rna_spool *s, const struct rna_spool_row *row, uint64_t *at)
{
	const uint64_t *dims = row != NULL ? row->dims : s->dims;
	int d, ndim = row != NULL ? row->ndim : s->ndim;
	uint64_t bytes = rna_dtype_size(s->dtype);
	enum rna_status st = rna_buf_printf(head, ",\"%s", s->name);

	if (st == RNA_OK && row != NULL)
		st = rna_buf_printf(head, ".%llu", (unsigned long long)row->record);
	if (st == RNA_OK)
		st = rna_buf_printf(head, "\":{\"dtype\":\"%s\",\"shape\":[", dtype_name(s->dtype));
	if (st == RNA_OK && row == NULL)
		st = rna_buf_printf(head, ndim ? "%llu," : "%llu", (unsigned long long)s->rows);
	for (d = 0; d < ndim && st == RNA_OK; d++) {
		st = rna_buf_printf(head, d ? ",%llu" : "%llu", (unsigned long long)dims[d]);
		bytes *= dims[d]; /* a product of a record in memory: no overflow */
	}
	if (row == NULL)
		bytes = s->bytes;
	if (st == RNA_OK)
		st = rna_buf_printf(head, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)*at,
		    (unsigned long long)(*at + bytes));
	*at += bytes;
	return st;
}

/* Wide types first, so that every tensor is aligned to its elements without holes. */
static int
by_width(const void *a, const void *b)
{
	const struct rna_spool *x = a, *y = b;
	size_t p = rna_dtype_size(x->dtype), q = rna_dtype_size(y->dtype);

	return p != q ? (p < q) - (p > q) : strcmp(x->name, y->name);
}

static enum rna_status
make_header(struct rna_tensors *t, struct rna_buf *head, struct rna_err *err)
{
	enum rna_status st = rna_buf_printf(
	    head, "{\"__metadata__\":{\"format\":\"rill\",\"records\":\"%llu\"}", (unsigned long long)t->records);
	uint64_t at = 0, r;
	size_t i;

	for (i = 0; i < t->n && st == RNA_OK; i++) {
		struct rna_spool *s = &t->spool[i];

		if (s->rows < t->records && (st = rna_spool_ragged(s, err)) != RNA_OK)
			return st;
		if (!s->ragged)
			st = add_tensor(head, s, NULL, &at);
		for (r = 0; s->ragged && r < s->rows && st == RNA_OK && head->len < HEADER_MAX; r++)
			st = add_tensor(head, s, &s->row[r], &at);
	}
	if (st == RNA_OK)
		st = rna_buf_str(head, "}");
	while (st == RNA_OK && head->len % 8 != 0)
		st = rna_buf_str(head, " ");
	if (st != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	if (head->len > HEADER_MAX)
		return rna_fail(err, RNA_EINVAL, "too many tensors for one safetensors file; choose with --fields");
	return RNA_OK;
}

static enum rna_status
check_fields(const struct rna_tensors *t, struct rna_err *err)
{
	size_t i, k;

	for (i = 0; t->records > 0 && i < t->nfields; i++) {
		for (k = 0; k < t->n && strcmp(t->spool[k].name, t->fields[i]) != 0; k++)
			;
		if (k == t->n)
			return rna_fail(err, RNA_EFORMAT, "no record has a field %s", t->fields[i]);
	}
	return RNA_OK;
}

enum rna_status
rna_tensors_write(struct rna_tensors *t, FILE *dst, struct rna_err *err)
{
	struct rna_buf head = RNA_BUF_INIT;
	enum rna_status st = check_fields(t, err);
	unsigned char size[8];
	size_t i;

	if (st == RNA_OK && t->n > 0)
		qsort(t->spool, t->n, sizeof(*t->spool), by_width);
	if (st == RNA_OK)
		st = make_header(t, &head, err);
	le64enc(size, head.len);
	if (st == RNA_OK)
		st = rna_spool_write(dst, size, sizeof(size), err);
	if (st == RNA_OK)
		st = rna_spool_write(dst, head.data, head.len, err);
	for (i = 0; i < t->n && st == RNA_OK; i++)
		st = rna_spool_copy(t->spool[i].fp, dst, err);
	rna_buf_fini(&head);
	return st;
}

void
rna_tensors_fini(struct rna_tensors *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		rna_spool_fini(&t->spool[i]);
	free(t->spool);
	memset(t, 0, sizeof(*t));
}
