/*
 * shuffle.h: records in an order that depends on nothing but the seed and the records: sorted by a random key of their
 * rid.  What does not fit in memory lies in unlinked temporary files, partitioned by key.
 */
#ifndef RNA_SHUFFLE_H
#define RNA_SHUFFLE_H

#include <stdint.h>
#include "stream/record.h"
#include "stream/status.h"

#define RNA_SHUFFLE_MEM_MIN (512u << 10)

struct rna_shuffle_options {
	uint64_t seed;
	uint64_t mem;         /* bytes for records, their index and file buffers; at least RNA_SHUFFLE_MEM_MIN */
	const char *tmpdir;   /* folder of the temporary files; NULL: $TMPDIR, else /tmp */
	int rewindable;       /* 1: rna_shuffle_rewind will be called, so temporary files are kept to the end */
};

struct rna_shuffle;

/* NULL and err on failure.  The options are copied; tmpdir must outlive the shuffle. */
struct rna_shuffle *rna_shuffle_create(const struct rna_shuffle_options *opts, struct rna_err *err);
/* Adds a copy of rec.  Not after the first rna_shuffle_read. */
enum rna_status rna_shuffle_add(struct rna_shuffle *s, const struct rna_record *rec, struct rna_err *err) RNA_CHECK;
/*
 * The next record in shuffled order, or RNA_END.  Records of one rid form a unit: they come one after the other, in
 * the order in which they were added; *first is 1 at the first of them.  The order of units depends on the seed and
 * the rids only.  rec->number is 0.
 */
enum rna_status rna_shuffle_read(struct rna_shuffle *s, struct rna_record *rec, int *first,
    struct rna_err *err) RNA_CHECK;
/* The same for a record that is passed on: its n encoded bytes, valid until the next call. */
enum rna_status rna_shuffle_read_encoded(struct rna_shuffle *s, const void **data, size_t *n, int *first,
    struct rna_err *err) RNA_CHECK;
/* Starts again with the first record. */
void rna_shuffle_rewind(struct rna_shuffle *s);
/* Bytes that went through temporary files so far; 0 when all fitted in memory. */
uint64_t rna_shuffle_spilled(const struct rna_shuffle *s);
void rna_shuffle_destroy(struct rna_shuffle *s);   /* NULL is fine */

/* The record's rid; for a record without one, a hash of its bytes (scratch is used for that). */
enum rna_status rna_shuffle_rid(const struct rna_record *rec, struct rna_buf *scratch, uint64_t *rid) RNA_CHECK;

#endif
