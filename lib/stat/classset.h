/*
 * classset.h: classifications with their truth, gathered from records: label, call, probabilities of the classes.
 */
#ifndef RNA_CLASSSET_H
#define RNA_CLASSSET_H

#include <stddef.h>
#include <stdint.h>
#include "stream/record.h"

#define RNA_CLASSSET_MAX 10000

struct rna_classset {
	size_t n, cap;
	uint64_t *rid;         /* [n], 0 where the record has none */
	int32_t *truth, *call; /* [n]: number of the class; before rna_classset_finish, of the name; call -1: none */
	double *prob;          /* [n][columns] */
	size_t columns;        /* of prob, 0: calls only */
	char **name;           /* [nclasses], in the order of the columns */
	size_t nclasses;
};

void rna_classset_init(struct rna_classset *s);
void rna_classset_fini(struct rna_classset *s);
/*
 * Adds a record: `label` (str, or i32, whose name is its digits), and `prob` f32 [C], else `logits` f32 [C], of which
 * the softmax is taken, and `call` str.  All records have probabilities, of equally many classes, or none has.
 * RNA_EFORMAT.
 */
enum rna_status rna_classset_add(struct rna_classset *s, const struct rna_record *rec, struct rna_err *err) RNA_CHECK;
/*
 * After the last record: the classes, in the order of prob's columns; n = 0: the names that occurred, sorted by their
 * bytes.  Records without a call get the class of the largest probability, of equal ones the first.  RNA_EFORMAT when
 * there is no record, when a name is not among the classes or their number is not that of the columns.
 */
enum rna_status
rna_classset_finish(struct rna_classset *s, char *const *classes, size_t n, struct rna_err *err) RNA_CHECK;
/* Puts the records of s into the order of those of ref, by rid.  RNA_EFORMAT unless both have the same RNAs, once each,
   with the same labels and classes. */
enum rna_status
rna_classset_align(struct rna_classset *s, const struct rna_classset *ref, struct rna_err *err) RNA_CHECK;

#endif
