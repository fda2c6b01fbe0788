/*
 * replace.h: a file of a model is written whole or not at all (stream/outfile.h, for paths that a caller builds).
 * And the reading of small files that a person or a stranger may have written.
 */
#ifndef RNA_REPLACE_H
#define RNA_REPLACE_H

#include <stddef.h>
#include <stdio.h>
#include "stream/buf.h"
#include "stream/outfile.h"
#include "stream/status.h"

struct rna_replace {
	FILE *fp; /* write here */
	struct rna_outfile *out;
};

enum rna_status rna_replace_open(struct rna_replace *r, const char *path, struct rna_err *err) RNA_CHECK;
/* Takes the place of path, durably.  On failure the temporary file is removed and path is as it was. */
enum rna_status rna_replace_commit(struct rna_replace *r, struct rna_err *err) RNA_CHECK;
void rna_replace_abort(struct rna_replace *r); /* after a failure; a committed or zeroed r is fine */

/* A regular file of at most max bytes into buf (a NUL follows the bytes, not counted).  Pipes and devices are refused.
 */
enum rna_status rna_replace_slurp(const char *path, size_t max, struct rna_buf *buf, struct rna_err *err) RNA_CHECK;
/* a followed by b, in malloc'ed memory; NULL: none. */
char *rna_replace_join(const char *a, const char *b);
/* Opens a regular file for reading; -1 and err on failure.  *size: its bytes. */
int rna_replace_open_regular(const char *path, size_t *size, struct rna_err *err);

#endif
