/*
 * annotate.h: type and label of a record, from where the user says they stand.
 */
#ifndef RNA_ANNOTATE_H
#define RNA_ANNOTATE_H

#include "seq/types.h"
#include "seq/vocab.h"
#include "stream/record.h"

struct rna_annotate {
	const struct rna_vocab *vocab; /* of the ids that rna_annotate_type returns */
	const struct rna_vocab *was;   /* of the ids in `type` of the records; NULL: not known, not used */
	const struct rna_types *table; /* id_mapping, or NULL */
	int header;                    /* 1: look at name and description */
	int type;                      /* for RNAs whose type nothing else tells; -1 */
	const char *label;             /* NULL: none; "header": first word of the description; else see below */
};

/* Asked in this order: the table, the header line, `type` of the record, a->type.  -1: unknown. */
int rna_annotate_type(const struct rna_annotate *a, const struct rna_record *rec);
/* The same of an RNA of a text file, which is no record yet. */
int rna_annotate_text(const struct rna_annotate *a, const char *name, size_t n_name, const char *desc, size_t n_desc);
/*
 * Writes `label`: the first word of the description, or the str field that a->label names, or what follows NAME= or
 * NAME: in the description.  RNA_EFORMAT when there is none, or nothing behind it.
 */
enum rna_status rna_annotate_label(const struct rna_annotate *a, struct rna_record *rec, struct rna_err *err) RNA_CHECK;

#endif
