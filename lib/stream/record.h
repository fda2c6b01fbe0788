/*
 * record.h: a record is a bag of named, typed arrays (formats/stream.md, formats/fields.md).
 * A record owns its bytes; reuse it in a loop and nothing is allocated per record.
 */
#ifndef RNA_RECORD_H
#define RNA_RECORD_H

#include <stddef.h>
#include <stdint.h>
#include "stream/buf.h"
#include "stream/status.h"

enum rna_dtype {
	RNA_U8 = 1, RNA_I32, RNA_U32, RNA_I64, RNA_U64, RNA_F16, RNA_BF16, RNA_F32, RNA_F64, RNA_STR
};

#define RNA_MAX_DIMS 8
#define RNA_MAX_NAME 63      /* bytes in a field's name: [A-Za-z_][A-Za-z0-9_.-]* */
#define RNA_MAX_FIELDS 4096
#define RNA_MAX_ELEMENTS (UINT64_C(1) << 48)  /* product of the dims that are not 0 */

struct rna_field {
	char name[RNA_MAX_NAME + 1];
	enum rna_dtype dtype;
	int ndim;                        /* 0 = scalar; a str has ndim 1, dims[0] = bytes, and no NUL is stored */
	uint64_t dims[RNA_MAX_DIMS];
	uint64_t count;                  /* product of dims; 1 for a scalar */
	size_t size;                     /* bytes = count * rna_dtype_size */
	size_t offset;                   /* of the data in the record's memory, a multiple of 8 */
};

struct rna_record {
	struct rna_field *fields;        /* in the order they are written */
	size_t nfields, cap;
	struct rna_buf mem;              /* data of all fields; laid out as in a stream ... */
	int loose;                       /* ... unless this is 1: fields were resized or removed */
	uint64_t number;                 /* 1-based number in its input; 0 if made here */
};

size_t rna_dtype_size(enum rna_dtype dtype);        /* 1, 2, 4 or 8; str 1; 0 for an unknown dtype */
const char *rna_dtype_name(enum rna_dtype dtype);   /* "u8", "i32", ... "str"; NULL for an unknown dtype */

/* 1 when the n bytes may name a field. */
int rna_field_name_ok(const char *name, size_t n);
/* Fills dtype, ndim, dims, count and size of f; 0 when the format does not allow them. */
int rna_field_shape(struct rna_field *f, enum rna_dtype dtype, int ndim, const uint64_t *dims);

void rna_record_init(struct rna_record *rec);
void rna_record_reuse(struct rna_record *rec);      /* no fields, memory kept */
void rna_record_fini(struct rna_record *rec);
/* Makes room for nfields fields in all. */
enum rna_status rna_record_grow(struct rna_record *rec, size_t nfields) RNA_CHECK;
enum rna_status rna_record_copy(struct rna_record *dst, const struct rna_record *src) RNA_CHECK;

/* The field, or NULL.  The pointer holds until the next put, set or remove. */
const struct rna_field *rna_record_find(const struct rna_record *rec, const char *name);
/* The field's data (aligned to 8), valid until the next put or set on this record. */
const void *rna_record_data(const struct rna_record *rec, const struct rna_field *field);

/*
 * Adds or replaces a field (a replaced field keeps its place) and returns its memory, zeroed, to be filled before the
 * next put or set.  NULL when memory can't be had or name, ndim or dims break a limit.  rna_record_set copies data,
 * which may be that of another field of this record.
 */
void *rna_record_put(struct rna_record *rec, const char *name, enum rna_dtype dtype, int ndim, const uint64_t *dims);
enum rna_status rna_record_set(struct rna_record *rec, const char *name, enum rna_dtype dtype, int ndim,
    const uint64_t *dims, const void *data) RNA_CHECK;
void rna_record_remove(struct rna_record *rec, const char *name);

/* Short forms.  The set_ ones copy; the get_ ones return NULL (or 0) when the field is absent or of another shape. */
enum rna_status rna_record_set_str(struct rna_record *rec, const char *name, const char *s, size_t n) RNA_CHECK;
enum rna_status rna_record_set_u64(struct rna_record *rec, const char *name, uint64_t v) RNA_CHECK;
enum rna_status rna_record_set_u8(struct rna_record *rec, const char *name, uint8_t v) RNA_CHECK;
enum rna_status rna_record_set_f32(struct rna_record *rec, const char *name, float v) RNA_CHECK;
enum rna_status rna_record_set_vec(struct rna_record *rec, const char *name, enum rna_dtype dtype, const void *data,
    uint64_t n) RNA_CHECK;
const char *rna_record_get_str(const struct rna_record *rec, const char *name, size_t *n); /* not NUL-terminated */
const void *rna_record_get_vec(const struct rna_record *rec, const char *name, enum rna_dtype dtype, uint64_t *n);
int rna_record_get_u64(const struct rna_record *rec, const char *name, uint64_t *v);       /* 1 if there */
int rna_record_get_u8(const struct rna_record *rec, const char *name, uint8_t *v);

/* Appends the record's bytes as formats/stream.md lays them out; reads them back from exactly n bytes. */
size_t rna_record_size(const struct rna_record *rec);  /* the bytes that encode appends, a multiple of 8 */
enum rna_status rna_record_encode(const struct rna_record *rec, struct rna_buf *out) RNA_CHECK;
enum rna_status rna_record_decode(struct rna_record *rec, const void *data, size_t n, struct rna_err *err) RNA_CHECK;

#endif
