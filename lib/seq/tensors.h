/*
 * tensors.h: the numeric fields of all records as one safetensors file.
 *
 * A field that every record has in one shape becomes one tensor [records, dims]; one whose shape differs, or that some
 * records lack, becomes a tensor a record, "field.N" with N counted from 0.  Text fields are left out.  The number of
 * records stands in the file's metadata.  Types are kept; so is bf16.
 */
#ifndef RNA_TENSORS_H
#define RNA_TENSORS_H

#include <stdio.h>
#include "seq/spool.h"

struct rna_tensors {
	char *const *fields; /* NULL: all numeric ones */
	size_t nfields;
	struct rna_spool *spool;
	size_t n, cap;
	uint64_t records;
};

void rna_tensors_init(struct rna_tensors *t, char *const *fields, size_t nfields);
enum rna_status rna_tensors_add(struct rna_tensors *t, const struct rna_record *rec, struct rna_err *err) RNA_CHECK;
/* Writes the file; a chosen field that no record has is an error. */
enum rna_status rna_tensors_write(struct rna_tensors *t, FILE *dst, struct rna_err *err) RNA_CHECK;
void rna_tensors_fini(struct rna_tensors *t);

#endif
