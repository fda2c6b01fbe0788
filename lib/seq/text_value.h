/*
 * text_value.h: pieces that the text formats share: strings made harmless, numbers, field selection.
 * Writing goes through a sink that remembers its first failure, so that a printer is a list of puts and one check.
 */
#ifndef RNA_TEXT_VALUE_H
#define RNA_TEXT_VALUE_H

#include "seq/text.h"

struct rna_text_sink {
	struct rna_buf *buf;
	enum rna_status status; /* the first failure; later puts do nothing */
};

enum rna_text_escape {
	RNA_TEXT_ESCAPE_JSON,   /* inside a JSON string: \uXXXX; bytes that are not UTF-8 become U+FFFD */
	RNA_TEXT_ESCAPE_TSV,    /* \t \n \r \\ and \xNN: can be undone */
	RNA_TEXT_ESCAPE_LINE,   /* \xNN, a backslash stays: names in FASTA and on a terminal */
	RNA_TEXT_ESCAPE_XML,    /* text in SVG: \xNN, and & < > " as entities */
	RNA_TEXT_ESCAPE_LETTERS /* one byte in, one byte out: what is not a printable ASCII letter or sign becomes N */
};

void rna_text_put(struct rna_text_sink *o, const char *s);
void rna_text_put_bytes(struct rna_text_sink *o, const char *s, size_t n);
void rna_text_printf(struct rna_text_sink *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void rna_text_string(struct rna_text_sink *o, enum rna_text_escape how, const char *s, size_t n);

/* Element i of an array as a double; exact but for 64-bit integers over 2^53.  Not for str. */
double rna_text_number(enum rna_dtype dtype, const void *data, uint64_t i);
/* Element i as text, floats with %.9g (f64 %.17g); what stands for NaN and infinity: "null" in JSON, nan, inf, -inf
 * else. */
void rna_text_element(
    struct rna_text_sink *o, enum rna_text_escape how, const struct rna_field *f, const void *data, uint64_t i);
/* The name of the token in element i of `type` or `types`; NULL: not such a field, or no such token. */
const char *
rna_text_token_name(const struct rna_text_options *opts, const struct rna_field *f, const void *data, uint64_t i);
/* The record's `energy`, kcal/mol; 0 when it has none. */
int rna_text_energy(const struct rna_record *rec, double *energy);
/* How many columns there are, and the name of column i: the chosen fields, else the record's. */
size_t rna_text_columns(const struct rna_text_options *opts, const struct rna_record *rec);
const char *rna_text_column(const struct rna_text_options *opts, const struct rna_record *rec, size_t i);

/* The formats, one file each. */
void rna_text_json(struct rna_text_sink *o, const struct rna_text_options *opts, const struct rna_record *rec);
void rna_text_tsv(struct rna_text_sink *o, const struct rna_text_options *opts, const struct rna_record *rec);
void rna_text_plain(struct rna_text_sink *o, const struct rna_text_options *opts, const struct rna_record *rec);
enum rna_status rna_text_structure(
    struct rna_text_sink *o, enum rna_text format, const struct rna_record *rec, struct rna_err *err) RNA_CHECK;

#endif
