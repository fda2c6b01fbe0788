/*
 * output.h: private to lib/stream: bytes out: standard output, a device or fifo as it is, or a file that appears
 * under its name only when it is complete.
 */
#ifndef RNA_OUTPUT_H
#define RNA_OUTPUT_H

#include <stddef.h>
#include <stdint.h>
#include "stream/status.h"

struct rna_output;

/*
 * path NULL or "-": standard output.  A path that is there and is no regular file is opened and written directly.
 * Else path.part is created or taken over, and locked: a second writer fails.  keep: what is in path.part stays.
 */
struct rna_output *rna_output_open(const char *path, int keep, struct rna_err *err);
const char *rna_output_name(const struct rna_output *o);       /* as given, "(standard output)" */
const char *rna_output_part(const struct rna_output *o);       /* path.part; NULL when written directly */
int rna_output_fd(const struct rna_output *o);                 /* stays o's */
/* Cuts path.part to n bytes and goes on there. */
enum rna_status rna_output_cut(struct rna_output *o, uint64_t n, struct rna_err *err) RNA_CHECK;
enum rna_status rna_output_write(struct rna_output *o, const void *data, size_t n, struct rna_err *err) RNA_CHECK;
/* Syncs, renames path.part to path and frees o.  On failure path.part is removed. */
enum rna_status rna_output_commit(struct rna_output *o, struct rna_err *err) RNA_CHECK;
/* Frees o; path.part is removed, or left where it is when keep is not 0.  NULL is fine. */
void rna_output_abort(struct rna_output *o, int keep);

#endif
