/*
 * npy.h: one field of all records as a NumPy array: shape [records, the field's dims], format version 1.0.
 */
#ifndef RNA_NPY_H
#define RNA_NPY_H

#include <stdio.h>
#include "stream/record.h"

struct rna_npy;

/*
 * dst: where the file goes.  The header holds the number of records, which is known at the end: on a seekable dst it is
 * written last, else the data wait in a temporary file.  NULL and err on failure.
 */
struct rna_npy *rna_npy_open(FILE *dst, const char *field, struct rna_err *err);
/*
 * Adds a record's field.  RNA_EFORMAT: no such field, a str, or another type or shape than in the record before.
 * bf16, which NumPy lacks, becomes f32.
 */
enum rna_status rna_npy_add(struct rna_npy *n, const struct rna_record *rec, struct rna_err *err) RNA_CHECK;
/* Header and what waited; frees n, dst stays open.  Without records: an f32 array of shape [0]. */
enum rna_status rna_npy_close(struct rna_npy *n, struct rna_err *err) RNA_CHECK;
void rna_npy_abort(struct rna_npy *n); /* frees n; NULL is fine */

#endif
