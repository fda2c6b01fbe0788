/*
 * spool.c: one field of many records, kept on disk until its shape is known.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "seq/spool.h"

FILE *
rna_spool_file(struct rna_err *err)
{
	const char *dir = getenv("TMPDIR");
	char path[4096];
	FILE *fp = NULL;
	int fd;

	snprintf(path, sizeof(path), "%s/rill-XXXXXX", dir != NULL && *dir != '\0' ? dir : "/tmp");
	if ((fd = mkstemp(path)) < 0) {
		rna_fail_errno(err, "can't create a temporary file %s", path);
		return NULL;
	}
	unlink(path);
	if ((fp = fdopen(fd, "w+")) == NULL) {
		rna_fail_errno(err, "can't open a temporary file");
		close(fd);
	}
	return fp;
}

enum rna_status
rna_spool_write(FILE *dst, const void *data, size_t n, struct rna_err *err)
{
	if (n > 0 && fwrite(data, 1, n, dst) != n)
		return rna_fail_errno(err, "can't write");
	return RNA_OK;
}

enum rna_status
rna_spool_copy(FILE *spool, FILE *dst, struct rna_err *err)
{
	enum rna_status st = RNA_OK;
	char block[1 << 16];
	size_t n;

	if (fflush(spool) != 0 || fseeko(spool, 0, SEEK_SET) != 0)
		return rna_fail_errno(err, "can't write a temporary file");
	while (st == RNA_OK && (n = fread(block, 1, sizeof(block), spool)) > 0)
		st = rna_spool_write(dst, block, n, err);
	if (st == RNA_OK && ferror(spool))
		st = rna_fail_errno(err, "can't read a temporary file");
	return st;
}

enum rna_status
rna_spool_init(struct rna_spool *s, const struct rna_field *f, struct rna_err *err)
{
	memset(s, 0, sizeof(*s));
	memcpy(s->name, f->name, sizeof(s->name));
	memcpy(s->dims, f->dims, sizeof(s->dims));
	s->dtype = f->dtype;
	s->ndim = f->ndim;
	s->fp = rna_spool_file(err);
	return s->fp != NULL ? RNA_OK : RNA_EIO;
}

static enum rna_status
add_row(struct rna_spool *s, uint64_t record, int ndim, const uint64_t *dims, struct rna_err *err)
{
	struct rna_spool_row *row;
	size_t cap = s->cap ? s->cap * 2 : 64;

	if (s->rows >= s->cap) {
		while (cap <= s->rows)
			cap *= 2;
		if ((row = reallocarray(s->row, cap, sizeof(*row))) == NULL)
			return rna_fail(err, RNA_EMEM, "out of memory");
		s->row = row;
		s->cap = cap;
	}
	row = &s->row[s->rows];
	row->record = record;
	row->ndim = ndim;
	memcpy(row->dims, dims, sizeof(row->dims));
	return RNA_OK;
}

/* Until now record i was row i and all had one shape; from now on each row says its own. */
enum rna_status
rna_spool_ragged(struct rna_spool *s, struct rna_err *err)
{
	uint64_t rows = s->rows;
	enum rna_status st = RNA_OK;

	if (s->ragged)
		return RNA_OK;
	s->ragged = 1;
	for (s->rows = 0; s->rows < rows && st == RNA_OK; s->rows++)
		st = add_row(s, s->rows, s->ndim, s->dims, err);
	s->rows = rows;
	return st;
}

enum rna_status
rna_spool_add(struct rna_spool *s, uint64_t record, const struct rna_field *f, const void *data, struct rna_err *err)
{
	enum rna_status st = RNA_OK;

	if (f->dtype != s->dtype)
		return rna_fail(err, RNA_EFORMAT, "field %s is %s here, %s in the records before", s->name,
		    rna_dtype_name(f->dtype), rna_dtype_name(s->dtype));
	if (record != s->rows || f->ndim != s->ndim ||
	    memcmp(f->dims, s->dims, (size_t)f->ndim * sizeof(*f->dims)) != 0)
		st = rna_spool_ragged(s, err);
	if (st == RNA_OK && s->ragged)
		st = add_row(s, record, f->ndim, f->dims, err);
	if (st == RNA_OK)
		st = rna_spool_write(s->fp, data, f->size, err);
	if (st == RNA_OK) {
		s->rows++;
		s->bytes += f->size;
	}
	return st;
}

void
rna_spool_fini(struct rna_spool *s)
{
	if (s->fp != NULL)
		fclose(s->fp);
	free(s->row);
	memset(s, 0, sizeof(*s));
}
