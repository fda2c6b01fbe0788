/*
 * foldtruth.h: structures of records, and known ones kept to be found by rid or by name.
 */
#ifndef RNA_FOLDTRUTH_H
#define RNA_FOLDTRUTH_H

#include "stream/buf.h"
#include "stream/record.h"

struct rna_foldtruth_entry;

struct rna_foldtruth {
	struct rna_foldtruth_entry *entry; /* in order of rid, after rna_foldtruth_sort */
	size_t *by_name;                   /* entries in order of name's hash */
	size_t n, cap;
	struct rna_buf pairs; /* int32_t partners of all entries */
};

/*
 * Partners of a record's bases, from the field first (`structure` or `pair`), else from the other; appended to out as
 * int32_t.  RNA_EFORMAT when there is none, when it is not symmetric, or not as long as `seq`.
 */
enum rna_status rna_foldtruth_pairs(
    const struct rna_record *rec, const char *first, struct rna_buf *out, struct rna_err *err) RNA_CHECK;

void rna_foldtruth_init(struct rna_foldtruth *t);
void rna_foldtruth_fini(struct rna_foldtruth *t);
/* Keeps the record's `pair`, else its `structure`. */
enum rna_status rna_foldtruth_add(struct rna_foldtruth *t, const struct rna_record *rec, struct rna_err *err) RNA_CHECK;
/* After the last add, before the first find. */
enum rna_status rna_foldtruth_sort(struct rna_foldtruth *t) RNA_CHECK;
/*
 * Partners of the RNA with the record's rid, else of the one with its name, and their number in *n; NULL when there is
 * none, or when the name comes more than once.
 */
const int32_t *rna_foldtruth_find(const struct rna_foldtruth *t, const struct rna_record *rec, size_t *n);

#endif
