/*
 * outfile.h: a text or foreign file that is complete or absent: it grows as FILE.part, locked, and is synced and
 * renamed.
 */
#ifndef RNA_OUTFILE_H
#define RNA_OUTFILE_H

#include <stdio.h>
#include "stream/status.h"

struct rna_outfile;

/*
 * path NULL or "-": standard output.  Otherwise path.part is created and locked (a second writer fails); an existing
 * path is replaced at the close.  A device or named pipe is written as it is.  NULL and err on failure.
 */
struct rna_outfile *rna_outfile_open(const char *path, struct rna_err *err);
/* A regular file may be read back and sought in; a device, a pipe or standard output only written. */
FILE *rna_outfile_fp(const struct rna_outfile *o);
/* Flushes, syncs, renames, frees o.  On failure (a full disk, a closed pipe) the file is removed. */
enum rna_status rna_outfile_close(struct rna_outfile *o, struct rna_err *err) RNA_CHECK;
/* Frees o and removes path.part.  NULL is fine. */
void rna_outfile_abort(struct rna_outfile *o);

#endif
