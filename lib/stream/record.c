/*
 * record.c: a record's fields and their memory.  The bytes in a stream are record_codec.c's.
 *
 * Fields lie in one buffer as they will in a stream, each behind its head, so that most records are written by one
 * copy.  A field that is replaced by a larger one moves to the end and leaves a hole; such a record is loose: its
 * encoding has to be put together.
 */
#include <stdlib.h>
#include <string.h>
#include "stream/record_head.h"

static const struct {
	size_t size;
	const char *name;
} dtypes[] = {
	[RNA_U8] = {1, "u8"}, [RNA_I32] = {4, "i32"}, [RNA_U32] = {4, "u32"}, [RNA_I64] = {8, "i64"},
	[RNA_U64] = {8, "u64"}, [RNA_F16] = {2, "f16"}, [RNA_BF16] = {2, "bf16"}, [RNA_F32] = {4, "f32"},
	[RNA_F64] = {8, "f64"}, [RNA_STR] = {1, "str"}
};

static int
known(enum rna_dtype dtype)
{
	return (int)dtype >= RNA_U8 && (int)dtype <= RNA_STR;
}

size_t
rna_dtype_size(enum rna_dtype dtype)
{
	return known(dtype) ? dtypes[dtype].size : 0;
}

const char *
rna_dtype_name(enum rna_dtype dtype)
{
	return known(dtype) ? dtypes[dtype].name : NULL;
}

int
rna_field_name_ok(const char *name, size_t n)
{
	size_t i;
	char c;

	if (n < 1 || n > RNA_MAX_NAME)
		return 0;
	for (i = 0; i < n; i++) {
		c = name[i];
		if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_')
			continue;
		if (i == 0 || !((c >= '0' && c <= '9') || c == '.' || c == '-'))
			return 0;
	}
	return 1;
}

int
rna_field_shape(struct rna_field *f, enum rna_dtype dtype, int ndim, const uint64_t *dims)
{
	uint64_t product = 1, count = 1;
	int i;

	if (!known(dtype) || ndim < 0 || ndim > RNA_MAX_DIMS || (dtype == RNA_STR && ndim != 1))
		return 0;
	for (i = 0; i < ndim; i++) {
		if (__builtin_mul_overflow(product, dims[i] == 0 ? 1 : dims[i], &product) ||
		    product > RNA_MAX_ELEMENTS)
			return 0;
		count *= dims[i];
		f->dims[i] = dims[i];
	}
	if (count > SIZE_MAX / 8 - 8)
		return 0;
	f->dtype = dtype;
	f->ndim = ndim;
	f->count = count;
	f->size = (size_t)count * dtypes[dtype].size;
	return 1;
}

void
rna_record_init(struct rna_record *rec)
{
	memset(rec, 0, sizeof(*rec));
}

void
rna_record_reuse(struct rna_record *rec)
{
	rec->nfields = 0;
	rna_buf_reuse(&rec->mem);
	rec->loose = 0;
	rec->number = 0;
}

void
rna_record_fini(struct rna_record *rec)
{
	free(rec->fields);
	rna_buf_fini(&rec->mem);
	rna_record_init(rec);
}

enum rna_status
rna_record_grow(struct rna_record *rec, size_t nfields)
{
	struct rna_field *p;
	size_t cap;

	if (nfields <= rec->cap)
		return RNA_OK;
	cap = rec->cap * 2 > nfields ? rec->cap * 2 : nfields;
	if (cap < 8)
		cap = 8;
	p = reallocarray(rec->fields, cap, sizeof(*p));
	if (p == NULL)
		return RNA_EMEM;
	rec->fields = p;
	rec->cap = cap;
	return RNA_OK;
}

enum rna_status
rna_record_copy(struct rna_record *dst, const struct rna_record *src)
{
	enum rna_status st;

	if (dst == src)
		return RNA_OK;
	rna_record_reuse(dst);
	st = rna_record_grow(dst, src->nfields);
	if (st == RNA_OK)
		st = rna_buf_add(&dst->mem, src->mem.data, src->mem.len);
	if (st != RNA_OK)
		return st;
	if (src->nfields > 0)
		memcpy(dst->fields, src->fields, src->nfields * sizeof(*src->fields));
	dst->nfields = src->nfields;
	dst->loose = src->loose;
	dst->number = src->number;
	return RNA_OK;
}

/* Names are short: a call of strcmp would cost more than it compares. */
static int
same_name(const char *a, const char *b)
{
	while (*a == *b && *a != '\0')
		a++, b++;
	return *a == *b;
}

const struct rna_field *
rna_record_find(const struct rna_record *rec, const char *name)
{
	size_t i;

	for (i = 0; i < rec->nfields; i++) {
		if (same_name(rec->fields[i].name, name))
			return &rec->fields[i];
	}
	return NULL;
}

const void *
rna_record_data(const struct rna_record *rec, const struct rna_field *field)
{
	return rec->mem.data + field->offset;
}

/* Memory for data of n bytes at the record's end, behind a head when there is one to write. */
static enum rna_status
extend(struct rna_record *rec, size_t head, size_t n, size_t *offset)
{
	size_t lead = rec->mem.len == 0 ? RNA_RECORD_HEAD : 0;
	enum rna_status st;

	/* one spare unit, so that the data of an empty field has an address too */
	st = rna_buf_reserve(&rec->mem, lead + head + rna_padded(n) + 8);
	if (st != RNA_OK)
		return st;
	memset(rec->mem.data + rec->mem.len, 0, lead);
	*offset = rec->mem.len + lead + head;
	rec->mem.len = *offset + rna_padded(n);
	return RNA_OK;
}

/* Adds or replaces a field; its memory is not yet filled. */
static enum rna_status
place(struct rna_record *rec, const char *name, enum rna_dtype dtype, int ndim, const uint64_t *dims,
    struct rna_field **out)
{
	struct rna_field shape, *f;     /* of shape, what rna_field_shape fills is used */
	size_t k = strnlen(name, RNA_MAX_NAME + 1), head = rna_field_head_size(k, ndim);
	enum rna_status st;

	if (!rna_field_name_ok(name, k) || !rna_field_shape(&shape, dtype, ndim, dims))
		return RNA_EINVAL;
	f = (struct rna_field *)rna_record_find(rec, name);
	if (f == NULL) {
		if (rec->nfields == RNA_MAX_FIELDS)
			return RNA_EINVAL;
		st = rna_record_grow(rec, rec->nfields + 1);
		if (st == RNA_OK)
			st = extend(rec, head, shape.size, &shape.offset);
		if (st != RNA_OK)
			return st;
		f = &rec->fields[rec->nfields++];
		memcpy(f->name, name, k + 1);
	} else {
		shape.offset = f->offset;
		rec->loose |= ndim != f->ndim || rna_padded(shape.size) != rna_padded(f->size);
		if (rna_padded(shape.size) > rna_padded(f->size)) {
			st = extend(rec, 0, shape.size, &shape.offset);
			if (st != RNA_OK)
				return st;
		}
	}
	if (!rec->loose)
		rna_field_head(rec->mem.data + shape.offset - head, name, k, dtype, ndim, dims);
	f->dtype = shape.dtype;
	f->ndim = ndim;
	for (int i = 0; i < ndim; i++)
		f->dims[i] = shape.dims[i];
	f->count = shape.count;
	f->size = shape.size;
	f->offset = shape.offset;
	*out = f;
	return RNA_OK;
}

void *
rna_record_put(struct rna_record *rec, const char *name, enum rna_dtype dtype, int ndim, const uint64_t *dims)
{
	struct rna_field *f;

	if (place(rec, name, dtype, ndim, dims, &f) != RNA_OK)
		return NULL;
	memset(rec->mem.data + f->offset, 0, rna_padded(f->size));
	return rec->mem.data + f->offset;
}

enum rna_status
rna_record_set(struct rna_record *rec, const char *name, enum rna_dtype dtype, int ndim, const uint64_t *dims,
    const void *data)
{
	uintptr_t base = (uintptr_t)rec->mem.data, from = (uintptr_t)data;
	int own = rec->mem.len > 0 && from >= base && from < base + rec->mem.len;
	struct rna_field *f;
	enum rna_status st;
	unsigned char *to;

	st = place(rec, name, dtype, ndim, dims, &f);
	if (st != RNA_OK)
		return st;
	to = rec->mem.data + f->offset;
	if (own) /* another field of this record, which may just have moved */
		data = rec->mem.data + (from - base);
	if (f->size > 0)
		memmove(to, data, f->size);
	memset(to + f->size, 0, rna_padded(f->size) - f->size);
	return RNA_OK;
}

void
rna_record_remove(struct rna_record *rec, const char *name)
{
	const struct rna_field *f = rna_record_find(rec, name);
	size_t i;

	if (f == NULL)
		return;
	i = (size_t)(f - rec->fields);
	if (i + 1 < rec->nfields)
		rec->loose = 1;
	else if (!rec->loose)
		rec->mem.len = f->offset - rna_field_head_size(strlen(name), f->ndim);
	memmove(rec->fields + i, rec->fields + i + 1, (rec->nfields - i - 1) * sizeof(*f));
	rec->nfields--;
}

enum rna_status
rna_record_set_str(struct rna_record *rec, const char *name, const char *s, size_t n)
{
	uint64_t dim = n;

	return rna_record_set(rec, name, RNA_STR, 1, &dim, s);
}

enum rna_status
rna_record_set_u64(struct rna_record *rec, const char *name, uint64_t v)
{
	return rna_record_set(rec, name, RNA_U64, 0, NULL, &v);
}

enum rna_status
rna_record_set_u8(struct rna_record *rec, const char *name, uint8_t v)
{
	return rna_record_set(rec, name, RNA_U8, 0, NULL, &v);
}

enum rna_status
rna_record_set_f32(struct rna_record *rec, const char *name, float v)
{
	return rna_record_set(rec, name, RNA_F32, 0, NULL, &v);
}

enum rna_status
rna_record_set_vec(struct rna_record *rec, const char *name, enum rna_dtype dtype, const void *data, uint64_t n)
{
	return rna_record_set(rec, name, dtype, 1, &n, data);
}

const void *
rna_record_get_vec(const struct rna_record *rec, const char *name, enum rna_dtype dtype, uint64_t *n)
{
	const struct rna_field *f = rna_record_find(rec, name);

	if (f == NULL || f->dtype != dtype || f->ndim != 1)
		return NULL;
	*n = f->count;
	return rna_record_data(rec, f);
}

const char *
rna_record_get_str(const struct rna_record *rec, const char *name, size_t *n)
{
	uint64_t count;
	const char *s = rna_record_get_vec(rec, name, RNA_STR, &count);

	if (s != NULL)
		*n = (size_t)count;
	return s;
}

static const void *
scalar(const struct rna_record *rec, const char *name, enum rna_dtype dtype)
{
	const struct rna_field *f = rna_record_find(rec, name);

	return f != NULL && f->dtype == dtype && f->ndim == 0 ? rna_record_data(rec, f) : NULL;
}

int
rna_record_get_u64(const struct rna_record *rec, const char *name, uint64_t *v)
{
	const uint64_t *p = scalar(rec, name, RNA_U64);

	if (p != NULL)
		*v = *p;
	return p != NULL;
}

int
rna_record_get_u8(const struct rna_record *rec, const char *name, uint8_t *v)
{
	const uint8_t *p = scalar(rec, name, RNA_U8);

	if (p != NULL)
		*v = *p;
	return p != NULL;
}
