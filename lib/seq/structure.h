/*
 * structure.h: secondary structures: dot-bracket to partners and back; files of dot-bracket, bpseq, ct and bpRNA .st.
 */
#ifndef RNA_STRUCTURE_H
#define RNA_STRUCTURE_H

#include "seq/entry.h"

/*
 * Appends to pair one int32_t for each of the n characters at s: the 0-based partner, or -1.  Brackets are () [] {} <>
 * and the letters A..Z (open) with a..z (close); . - , : _ ~ and an x that closes nothing are unpaired.  RNA_EFORMAT,
 * with the 1-based position, for a bracket without partner, the & of joined strands and any other byte.
 */
enum rna_status rna_structure_parse(const char *s, size_t n, struct rna_buf *pair, struct rna_err *err) RNA_CHECK;
/*
 * Appends n characters of dot-bracket.  Stems (runs of stacked pairs) are taken longest first, equal ones from the
 * left, and each goes into the first of the layers () [] {} <> Aa .. Zz in which it crosses nothing.  RNA_EFORMAT when
 * 30 layers do not suffice; RNA_EINVAL when pair is not symmetric.
 */
enum rna_status rna_structure_print(const int32_t *pair, size_t n, struct rna_buf *out, struct rna_err *err) RNA_CHECK;

/*
 * Readers of one record each (structure_file.c, structure_table.c).  Comments and foreign header lines are skipped; the
 * name comes from `>`, `#Name:`, `# `, `Filename:` or the ct header.  raw (dot-bracket): structures may be missing.
 */
enum rna_status rna_structure_file_dbn(struct rna_lines *l, int raw, struct rna_entry *e, struct rna_err *err)
    RNA_CHECK;
enum rna_status rna_structure_file_bpseq(struct rna_lines *l, struct rna_entry *e, struct rna_err *err)
    RNA_CHECK;
enum rna_status rna_structure_file_ct(struct rna_lines *l, struct rna_entry *e, struct rna_err *err) RNA_CHECK;
enum rna_status rna_structure_file_st(struct rna_lines *l, struct rna_entry *e, struct rna_err *err) RNA_CHECK;
/* 1 when s up to its first blank is dot-bracket by the look of it: only its bytes, at most half of them letters. */
int rna_structure_is_line(const char *s, size_t n);

#endif
