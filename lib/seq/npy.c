/*
 * npy.c: one field of all records as a NumPy array.
 */
#include <stdlib.h>
#include <string.h>

#include "seq/npy.h"
#include "seq/spool.h"

#define DIGITS 20 /* of the largest number of records */

struct rna_npy {
	FILE *dst, *spool; /* spool: NULL when dst can be patched */
	off_t start;       /* of the array in dst */
	char field[RNA_MAX_NAME + 1];
	enum rna_dtype dtype;
	int ndim;
	uint64_t dims[RNA_MAX_DIMS], rows;
	size_t header; /* bytes kept free for the header */
	float *wide;   /* bf16 as f32 */
	size_t cap;
};

static const char *
descr(enum rna_dtype dtype)
{
	switch (dtype) {
	case RNA_U8:
		return "|u1";
	case RNA_I32:
		return "<i4";
	case RNA_U32:
		return "<u4";
	case RNA_I64:
		return "<i8";
	case RNA_U64:
		return "<u8";
	case RNA_F16:
		return "<f2";
	case RNA_F64:
		return "<f8";
	case RNA_BF16:
	case RNA_F32:
	case RNA_STR:
		break;
	}
	return "<f4";
}

/* The header's text without padding; returns its length. */
static size_t
describe(const struct rna_npy *n, char *dst, size_t size)
{
	int d, len = snprintf(dst, size, "{'descr': '%s', 'fortran_order': False, 'shape': (%llu,", descr(n->dtype),
		   (unsigned long long)n->rows);

	for (d = 0; d < n->ndim; d++)
		len += snprintf(dst + len, size - (size_t)len, d ? ", %llu" : " %llu", (unsigned long long)n->dims[d]);
	len += snprintf(dst + len, size - (size_t)len, "), }");
	return (size_t)len;
}

/* Magic, version, length and text, padded with spaces so that the data begin at a multiple of 64. */
static enum rna_status
write_header(const struct rna_npy *n, struct rna_err *err)
{
	char head[512];
	size_t len;

	memset(head, ' ', sizeof(head));
	memcpy(head, "\x93NUMPY\x01\x00", 8);
	head[8] = (char)((n->header - 10) & 0xff);
	head[9] = (char)((n->header - 10) >> 8);
	len = describe(n, head + 10, sizeof(head) - 10);
	head[10 + len] = ' ';
	head[n->header - 1] = '\n';
	return rna_spool_write(n->dst, head, n->header, err);
}

static void
size_header(struct rna_npy *n)
{
	char text[512];

	n->header = (10 + describe(n, text, sizeof(text)) + DIGITS + 64) / 64 * 64;
}

struct rna_npy *
rna_npy_open(FILE *dst, const char *field, struct rna_err *err)
{
	struct rna_npy *n = calloc(1, sizeof(*n));

	if (n == NULL) {
		rna_fail(err, RNA_EMEM, "out of memory");
		return NULL;
	}
	n->dst = dst;
	n->dtype = RNA_F32;
	snprintf(n->field, sizeof(n->field), "%s", field);
	if ((n->start = ftello(dst)) < 0 && (n->spool = rna_spool_file(err)) == NULL) {
		free(n);
		return NULL;
	}
	return n;
}

static enum rna_status
begin(struct rna_npy *n, const struct rna_field *f, struct rna_err *err)
{
	n->dtype = f->dtype;
	n->ndim = f->ndim;
	memcpy(n->dims, f->dims, sizeof(n->dims));
	size_header(n);
	return n->spool == NULL ? write_header(n, err) : RNA_OK;
}

static enum rna_status
widen(struct rna_npy *n, const struct rna_field *f, const uint16_t *data, struct rna_err *err)
{
	uint64_t i;
	float *wide;

	if (f->count > n->cap) {
		if ((wide = reallocarray(n->wide, f->count, sizeof(*wide))) == NULL)
			return rna_fail(err, RNA_EMEM, "out of memory");
		n->wide = wide;
		n->cap = f->count;
	}
	for (i = 0; i < f->count; i++) {
		uint32_t bits = (uint32_t)data[i] << 16;

		memcpy(&n->wide[i], &bits, sizeof(bits));
	}
	return RNA_OK;
}

static void
shape(char *dst, size_t size, const uint64_t *dims, int ndim)
{
	int d, len = snprintf(dst, size, "[");

	for (d = 0; d < ndim; d++)
		len += snprintf(dst + len, size - (size_t)len, d ? ",%llu" : "%llu", (unsigned long long)dims[d]);
	snprintf(dst + len, size - (size_t)len, "]");
}

static enum rna_status
check(const struct rna_npy *n, const struct rna_field *f, struct rna_err *err)
{
	char here[256], before[256];

	if (f == NULL)
		return rna_fail(err, RNA_EFORMAT, "no field %s", n->field);
	if (f->dtype == RNA_STR)
		return rna_fail(err, RNA_EFORMAT, "field %s is text, not numbers; try: rna-view -O tsv --fields %s",
		    n->field, n->field);
	if (n->rows == 0)
		return RNA_OK;
	if (f->dtype != n->dtype)
		return rna_fail(err, RNA_EFORMAT, "field %s is %s here, %s in the records before", n->field,
		    rna_dtype_name(f->dtype), rna_dtype_name(n->dtype));
	if (f->ndim == n->ndim && memcmp(f->dims, n->dims, (size_t)f->ndim * sizeof(*f->dims)) == 0)
		return RNA_OK;
	shape(here, sizeof(here), f->dims, f->ndim);
	shape(before, sizeof(before), n->dims, n->ndim);
	return rna_fail(err, RNA_EFORMAT,
	    "field %s has shape %s here, %s in the records before; "
	    "one array needs one shape: try rna-view -O safetensors",
	    n->field, here, before);
}

enum rna_status
rna_npy_add(struct rna_npy *n, const struct rna_record *rec, struct rna_err *err)
{
	const struct rna_field *f = rna_record_find(rec, n->field);
	enum rna_status st = check(n, f, err);
	const void *data;
	size_t size;

	if (st == RNA_OK && n->rows == 0)
		st = begin(n, f, err);
	if (st != RNA_OK)
		return st;
	data = rna_record_data(rec, f);
	size = f->size;
	if (f->dtype == RNA_BF16) {
		if ((st = widen(n, f, data, err)) != RNA_OK)
			return st;
		data = n->wide;
		size = f->count * sizeof(*n->wide);
	}
	st = rna_spool_write(n->spool != NULL ? n->spool : n->dst, data, size, err);
	n->rows += st == RNA_OK;
	return st;
}

enum rna_status
rna_npy_close(struct rna_npy *n, struct rna_err *err)
{
	enum rna_status st = RNA_OK;

	if (n->header == 0)
		size_header(n);
	if (n->spool == NULL && fseeko(n->dst, n->start, SEEK_SET) != 0)
		st = rna_fail_errno(err, "can't go back to write the header");
	if (st == RNA_OK)
		st = write_header(n, err);
	if (st == RNA_OK && n->spool != NULL)
		st = rna_spool_copy(n->spool, n->dst, err);
	if (st == RNA_OK && n->spool == NULL && fseeko(n->dst, 0, SEEK_END) != 0)
		st = rna_fail_errno(err, "can't write");
	rna_npy_abort(n);
	return st;
}

void
rna_npy_abort(struct rna_npy *n)
{
	if (n == NULL)
		return;
	if (n->spool != NULL)
		fclose(n->spool);
	free(n->wide);
	free(n);
}
