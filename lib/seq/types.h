/*
 * types.h: the coarse type of an RNA, from its header line or from RNAcentral's id_mapping table.
 */
#ifndef RNA_TYPES_H
#define RNA_TYPES_H

#include "seq/vocab.h"
#include "stream/input.h"

/*
 * The type that a header line tells, as the id of a token, or -1.  Tried in this order, each forgiving case, '_' and
 * '-' and the names other databases use (lincRNA, Mt_tRNA, pre-miRNA ...):
 *   transcript_biotype: and gene_biotype: (Ensembl), the words before " from N species" (RNAcentral), the first word of
 *   the description (`>ID TYPE`), a field of a name with '|' (GENCODE), words of the description, most telling first.
 */
int rna_types_from_header(const struct rna_vocab *v, const char *name, size_t n_name, const char *desc, size_t n_desc);
/* As rna_vocab_type, with the names that other databases use; -1. */
int rna_types_find(const struct rna_vocab *v, const char *word, size_t n);

/* Votes of an id_mapping table, one 64-bit word for each (URS, type). */
struct rna_types {
	uint64_t *vote;       /* URS << 24 | type << 16 | votes; 0: free */
	size_t n, cap;
	uint64_t rows, unknown;   /* rows read, and those whose type is none of the vocabulary's */
};

/* Reads id_mapping.tsv (packed or not): URS, database, external id, taxid, type, gene. */
enum rna_status rna_types_load(struct rna_types *t, const struct rna_vocab *v, const char *path, struct rna_err *err)
    RNA_CHECK;
/*
 * The type most rows give to the URS at the start of name (URS + 10 hex digits; _taxid or /taxid may follow), or -1.
 * Of equal votes a telling type wins over ncRNA, miscRNA and other, then the lower id.
 */
int rna_types_vote(const struct rna_types *t, const struct rna_vocab *v, const char *name, size_t n);
void rna_types_fini(struct rna_types *t);

#endif
