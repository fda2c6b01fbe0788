/*
 * spool.h: one field of many records, kept on disk in an unlinked temporary file until its shape is known.
 */
#ifndef RNA_SPOOL_H
#define RNA_SPOOL_H

#include <stdio.h>
#include "stream/record.h"

struct rna_spool {
	char name[RNA_MAX_NAME + 1];
	enum rna_dtype dtype; /* of the first record; all others must agree */
	int ndim;
	uint64_t dims[RNA_MAX_DIMS]; /* of one record, when all agree */
	uint64_t rows, bytes;        /* taken so far */
	int ragged;                  /* 1: shapes differ, or a record had no such field: see row */
	struct rna_spool_row {
		uint64_t record;
		int ndim;
		uint64_t dims[RNA_MAX_DIMS];
	} * row; /* [rows] when ragged */
	size_t cap;
	FILE *fp; /* NULL: the caller writes the bytes */
};

/* A nameless file in $TMPDIR, else /tmp.  NULL and err on failure. */
FILE *rna_spool_file(struct rna_err *err);
/* Appends n bytes to dst; RNA_EIO when that fails. */
enum rna_status rna_spool_write(FILE *dst, const void *data, size_t n, struct rna_err *err) RNA_CHECK;
/* Copies the spool's bytes to dst. */
enum rna_status rna_spool_copy(FILE *spool, FILE *dst, struct rna_err *err) RNA_CHECK;

/* Begins with field f of a record (0-based number): name, dtype and shape are taken from it. */
enum rna_status rna_spool_init(struct rna_spool *s, const struct rna_field *f, struct rna_err *err) RNA_CHECK;
/* Takes field f of record number `record` (0-based, rising).  RNA_EFORMAT: another dtype than before. */
enum rna_status rna_spool_add(
    struct rna_spool *s, uint64_t record, const struct rna_field *f, const void *data, struct rna_err *err) RNA_CHECK;
/* Marks that some record has no such field. */
enum rna_status rna_spool_ragged(struct rna_spool *s, struct rna_err *err) RNA_CHECK;
void rna_spool_fini(struct rna_spool *s);

#endif
