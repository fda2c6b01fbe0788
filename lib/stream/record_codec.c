/*
 * record_codec.c: a record's bytes in a stream (formats/stream.md, section 4).
 *
 * Numbers in the data are little-endian in the stream and the machine's own in memory; on a big-endian machine
 * both directions swap them, on others the payload is copied once and used where it lies.
 */
#include "stream/record_head.h"

static void
swap_data(unsigned char *p, const struct rna_field *f)
{
#if BYTE_ORDER == BIG_ENDIAN
	size_t size = rna_dtype_size(f->dtype), i, j;
	unsigned char t;

	for (i = 0; i < f->count; i++, p += size) {
		for (j = 0; j < size / 2; j++) {
			t = p[j];
			p[j] = p[size - 1 - j];
			p[size - 1 - j] = t;
		}
	}
#else
	(void)p;
	(void)f;
#endif
}

static size_t
field_size(const struct rna_field *f)
{
	return rna_field_head_size(strlen(f->name), f->ndim) + rna_padded(f->size);
}

size_t
rna_record_size(const struct rna_record *rec)
{
	size_t i, n = RNA_RECORD_HEAD;

	if (!rec->loose)
		return rec->nfields > 0 ? rec->mem.len : n;
	for (i = 0; i < rec->nfields; i++)
		n += field_size(&rec->fields[i]);
	return n;
}

/* The fields one by one. */
static void
encode_fields(const struct rna_record *rec, unsigned char *p)
{
	const struct rna_field *f;
	size_t i, k;

	for (i = 0; i < rec->nfields; i++) {
		f = &rec->fields[i];
		k = strlen(f->name);
		rna_field_head(p, f->name, k, f->dtype, f->ndim, f->dims);
		p += rna_field_head_size(k, f->ndim);
		if (f->size > 0)
			memcpy(p, rec->mem.data + f->offset, f->size);
		memset(p + f->size, 0, rna_padded(f->size) - f->size);
		swap_data(p, f);
		p += rna_padded(f->size);
	}
}

enum rna_status
rna_record_encode(const struct rna_record *rec, struct rna_buf *out)
{
	size_t n = rna_record_size(rec);
	enum rna_status st;
	unsigned char *p;

	st = rna_buf_reserve(out, n);
	if (st != RNA_OK)
		return st;
	p = out->data + out->len;
	out->len += n;
	if (BYTE_ORDER == LITTLE_ENDIAN && !rec->loose && rec->nfields > 0)
		memcpy(p, rec->mem.data, n);
	else
		encode_fields(rec, p + RNA_RECORD_HEAD);
	le32enc(p, (uint32_t)rec->nfields);
	le32enc(p + 4, 0);
	return RNA_OK;
}

/* Which names were met: a name whose bit is not set is new without a look at the others. */
struct seen {
	uint64_t bits[64];
};

static int
seen_before(struct seen *seen, const struct rna_record *rec, const char *name, size_t k)
{
	unsigned h = (unsigned)k;
	uint64_t bit;
	size_t i;

	for (i = 0; i < k; i++)
		h = h * 31 + (unsigned char)name[i];
	h = h * 2654435761u >> 20; /* 12 bits */
	bit = UINT64_C(1) << (h & 63);
	if ((seen->bits[h >> 6] & bit) != 0) {
		for (i = 0; i < rec->nfields; i++) {
			if (memcmp(rec->fields[i].name, name, k) == 0 && rec->fields[i].name[k] == '\0')
				return 1;
		}
	}
	seen->bits[h >> 6] |= bit;
	return 0;
}

static int
all_zero(const unsigned char *p, size_t n)
{
	while (n > 0) {
		if (p[--n] != 0)
			return 0;
	}
	return 1;
}

/* The field at *at in the payload of n bytes; moves *at past it. */
static enum rna_status
decode_field(struct rna_record *rec, struct seen *seen, size_t n, size_t *at, struct rna_err *err)
{
	unsigned char *p = rec->mem.data + *at;
	const char *name = (const char *)p + RNA_FIELD_HEAD;
	struct rna_field *f = &rec->fields[rec->nfields];
	uint64_t dims[RNA_MAX_DIMS];
	size_t left = n - *at, k, head;
	int d, ndim;

	if (left < RNA_FIELD_HEAD + 8)
		return rna_fail(err, RNA_EFORMAT, "field %zu runs over the record's end", rec->nfields + 1);
	ndim = p[1];
	k = p[2];
	if (rna_dtype_size(p[0]) == 0)
		return rna_fail(err, RNA_EFORMAT, "field %zu has unknown dtype %u", rec->nfields + 1, p[0]);
	if (ndim > RNA_MAX_DIMS)
		return rna_fail(err, RNA_EFORMAT, "field %zu has %d dimensions", rec->nfields + 1, ndim);
	head = RNA_FIELD_HEAD + rna_padded(k) + 8 * (size_t)ndim;
	if (head > left)
		return rna_fail(err, RNA_EFORMAT, "field %zu runs over the record's end", rec->nfields + 1);
	if (!rna_field_name_ok(name, k))
		return rna_fail(err, RNA_EFORMAT, "field %zu has a bad name", rec->nfields + 1);
	if (!all_zero(p + 3, 5) || !all_zero(p + RNA_FIELD_HEAD + k, rna_padded(k) - k))
		return rna_fail(err, RNA_EFORMAT, "field %.*s: padding is not zero", (int)k, name);
	if (seen_before(seen, rec, name, k))
		return rna_fail(err, RNA_EFORMAT, "field %.*s is there twice", (int)k, name);
	for (d = 0; d < ndim; d++)
		dims[d] = le64dec(p + RNA_FIELD_HEAD + rna_padded(k) + 8 * (size_t)d);
	if (!rna_field_shape(f, p[0], ndim, dims))
		return rna_fail(err, RNA_EFORMAT, "field %.*s: impossible dimensions", (int)k, name);
	if (f->size > left - head || rna_padded(f->size) > left - head)
		return rna_fail(err, RNA_EFORMAT, "field %.*s: data run over the record's end", (int)k, name);
	p += head;
	if (!all_zero(p + f->size, rna_padded(f->size) - f->size))
		return rna_fail(err, RNA_EFORMAT, "field %.*s: padding is not zero", (int)k, name);
	memcpy(f->name, name, k);
	f->name[k] = '\0';
	f->offset = *at + head;
	swap_data(p, f);
	*at += head + rna_padded(f->size);
	rec->nfields++;
	return RNA_OK;
}

enum rna_status
rna_record_decode(struct rna_record *rec, const void *data, size_t n, struct rna_err *err)
{
	struct seen seen = {{0}};
	uint32_t nfields;
	size_t at = 8;
	enum rna_status st = RNA_OK;

	rna_record_reuse(rec);
	if (n < 8 || n % 8 != 0)
		return rna_fail(err, RNA_EFORMAT, "record of %zu bytes", n);
	nfields = le32dec(data);
	if (nfields > RNA_MAX_FIELDS || nfields > (n - 8) / 16) /* a field takes 16 bytes at the least */
		return rna_fail(err, RNA_EFORMAT, "%u fields in a record of %zu bytes", nfields, n);
	if (le32dec((const unsigned char *)data + 4) != 0)
		return rna_fail(err, RNA_EFORMAT, "reserved bytes of a record are not zero");
	if (rna_buf_add(&rec->mem, data, n) != RNA_OK || rna_buf_reserve(&rec->mem, 8) != RNA_OK ||
	    rna_record_grow(rec, nfields) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "no memory for a record of %zu bytes", n);
	while (st == RNA_OK && rec->nfields < nfields)
		st = decode_field(rec, &seen, n, &at, err);
	if (st == RNA_OK && at != n)
		st = rna_fail(err, RNA_EFORMAT, "%zu bytes after the last field of a record", n - at);
	if (st != RNA_OK)
		rna_record_reuse(rec);
	return st;
}
