/*
 * record_head.h: how a field begins in a stream (formats/stream.md, section 4), for what writes records as bytes.
 */
#ifndef RNA_RECORD_HEAD_H
#define RNA_RECORD_HEAD_H

#include <sys/endian.h>
#include <string.h>
#include "stream/record.h"

#define RNA_RECORD_HEAD 8 /* number of fields, zero */
#define RNA_FIELD_HEAD 8  /* dtype, dimensions, length of the name, zeros */

static inline size_t
rna_padded(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

/* Bytes before the data of a field whose name has k. */
static inline size_t
rna_field_head_size(size_t k, int ndim)
{
	return RNA_FIELD_HEAD + rna_padded(k) + 8 * (size_t)ndim;
}

/* Writes them. */
static inline void
rna_field_head(unsigned char *p, const char *name, size_t k, enum rna_dtype dtype, int ndim, const uint64_t *dims)
{
	int d;

	le64enc(p, (uint64_t)dtype | (uint64_t)ndim << 8 | (uint64_t)k << 16);
	p += RNA_FIELD_HEAD;
	le64enc(p + rna_padded(k) - 8, 0);
	memcpy(p, name, k);
	p += rna_padded(k);
	for (d = 0; d < ndim; d++, p += 8)
		le64enc(p, dims[d]);
}

#endif
