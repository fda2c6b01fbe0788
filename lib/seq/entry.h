/*
 * entry.h: one sequence as a text reader (fasta.c, csv.c, structure_*.c) leaves it, before source.c makes it a record.
 */
#ifndef RNA_ENTRY_H
#define RNA_ENTRY_H

#include <stddef.h>
#include <stdint.h>
#include "stream/buf.h"
#include "stream/input.h"

struct rna_entry {
	struct rna_buf head;          /* the header line: name, blanks, description */
	struct rna_buf seq;           /* letters as read */
	struct rna_buf pair;          /* int32_t a base: partner or -1; structure files only */
	struct rna_buf structure;     /* dot-bracket as read; empty: to be made from pair */
	struct rna_buf name_b, seq_b; /* CSV pairs only */
	struct rna_buf label;
	int has_pair, has_b, has_label;
	int has_energy, has_ensemble;
	float energy, ensemble;       /* kcal/mol, where the file says */
};

/* The same in the memory of others, without what only other formats have. */
struct rna_text_entry {
	const char *name, *desc, *seq;
	size_t n_name, n_desc, n_seq;
};

void rna_entry_reuse(struct rna_entry *e);
void rna_entry_fini(struct rna_entry *e);

/*
 * Appends a piece of a sequence.  Blanks are left out; every other printable ASCII byte is kept as read.  RNA_EFORMAT,
 * naming the byte and line, for control bytes, NUL and bytes over 126; also when seq would be longer than max.
 */
enum rna_status rna_entry_letters(struct rna_buf *seq, const void *s, size_t n, uint64_t max, uint64_t line,
    struct rna_err *err) RNA_CHECK;
/* 1 when all n bytes are printable and none is a blank: letters as most files have them. */
int rna_entry_printable(const void *s, size_t n);
/* Name and description of a header line of n bytes: its first word, and what follows the blanks after it. */
void rna_entry_split(const char *head, size_t n, struct rna_text_entry *e);
/* Hash of n letters read in upper case with T as U, chained on seed.  scratch keeps its memory. */
enum rna_status rna_entry_hash(const void *s, size_t n, uint64_t seed, struct rna_buf *scratch,
    uint64_t *hash) RNA_CHECK;

/* The lines of a file, for readers of small records. */
struct rna_lines {
	struct rna_input *in;
	const char *line;             /* of the last rna_lines_next */
	size_t n;
	int again;                    /* 1: rna_lines_next returns this line once more */
	uint64_t number;              /* 1-based number of line */
	uint64_t max;                 /* letters in a sequence; 0: RNA_ENTRY_MAX */
};

#define RNA_ENTRY_MAX (UINT64_C(1) << 31)

/* Letters that a sequence may have. */
static inline uint64_t
rna_lines_max(const struct rna_lines *l)
{
	return l->max > 0 ? l->max : RNA_ENTRY_MAX;
}

/* The next line, a byte order mark at the start of the file left out. */
enum rna_status rna_lines_next(struct rna_lines *l, struct rna_err *err) RNA_CHECK;
/* 1 when the line is empty or blanks. */
int rna_lines_blank(const struct rna_lines *l);

#endif
