/*
 * text.h: one record as text, in the formats that rna-view prints and that every tool prints on a terminal.
 * Control characters of names never reach the output.
 */
#ifndef RNA_TEXT_H
#define RNA_TEXT_H

#include "seq/vocab.h"
#include "stream/buf.h"
#include "stream/record.h"

enum rna_text {
	RNA_TEXT_PLAIN, RNA_TEXT_JSON, RNA_TEXT_TSV, RNA_TEXT_FASTA, RNA_TEXT_DBN, RNA_TEXT_BPSEQ, RNA_TEXT_CT
};

struct rna_text_options {
	enum rna_text format;
	const struct rna_vocab *vocab;   /* names of tokens; NULL: the stream has none */
	char *const *fields;             /* fields to print, in this order; NULL: all (TSV: see rna_text_tsv_head) */
	size_t nfields;
};

/*
 * Appends the record to out. RNA_EFORMAT when it lacks what the format needs: seq for FASTA, pair or structure for dbn.
 */
enum rna_status rna_text_record(const struct rna_text_options *opts, const struct rna_record *rec, struct rna_buf *out,
    struct rna_err *err) RNA_CHECK;
/* TSV head line; its columns are opts->fields, or those of the first record. */
enum rna_status rna_text_tsv_head(const struct rna_text_options *opts, const struct rna_record *first,
    struct rna_buf *out) RNA_CHECK;

#endif
