/*
 * header.h: the JSON header of a stream: format version, vocabulary, totals, provenance (formats/stream.md).
 */
#ifndef RNA_HEADER_H
#define RNA_HEADER_H

#include <jansson.h>
#include <stdint.h>
#include "stream/buf.h"
#include "stream/status.h"

struct rna_header {
	json_t *json;   /* the object; keys this version does not know are passed through */
};

#define RNA_TOTAL_UNKNOWN UINT64_MAX

enum rna_status rna_header_init(struct rna_header *h) RNA_CHECK;  /* an empty header of the current version */
void rna_header_fini(struct rna_header *h);
enum rna_status rna_header_copy(struct rna_header *dst, const struct rna_header *src) RNA_CHECK;
enum rna_status rna_header_parse(struct rna_header *h, const char *json, size_t n, struct rna_err *err) RNA_CHECK;
/* Compact, keys in insertion order. */
enum rna_status rna_header_dump(const struct rna_header *h, struct rna_buf *out) RNA_CHECK;

/* Vocabulary: a name and the hex digest of its token list; "" and "" when no tokens are in the stream. */
enum rna_status rna_header_set_vocab(struct rna_header *h, const char *name, const char *digest) RNA_CHECK;
const char *rna_header_vocab_name(const struct rna_header *h);
const char *rna_header_vocab_digest(const struct rna_header *h);

/* Totals, where the writer knew them, else RNA_TOTAL_UNKNOWN; setting RNA_TOTAL_UNKNOWN removes the key. */
enum rna_status rna_header_set_totals(struct rna_header *h, uint64_t records, uint64_t tokens) RNA_CHECK;
uint64_t rna_header_records(const struct rna_header *h);
uint64_t rna_header_tokens(const struct rna_header *h);

/*
 * Appends one provenance entry {"tool", "version", "args": [...], and the members of extra (which may be NULL; the
 * reference is not stolen)}: seed, model digest, cpu level, counts of dropped or cut records and the like.
 * args: what can change a record, spelled as on the command line; what can't (-@ -o -q -v ...) the caller leaves out.
 */
enum rna_status rna_header_add_provenance(struct rna_header *h, const char *tool, const char *version,
    int nargs, char *const *args, const json_t *extra) RNA_CHECK;

#endif
