/*
 * frame_private.h: between the files of frame*.c and bulk.c: an RNA framed without a record.
 */
#ifndef RNA_FRAME_PRIVATE_H
#define RNA_FRAME_PRIVATE_H

#include "seq/entry.h"
#include "seq/frame.h"

/* The part of an RNA that one record holds. */
struct rna_span {
	uint64_t first, n; /* bases */
	uint64_t shared;   /* bases at its start that the chunk before holds too */
	uint64_t n_b;      /* bases of the second sequence of a pair */
};

/* What record c of nchunks holds of sequences of n and nb bases. */
struct rna_span rna_frame_span(const struct rna_framing *f, uint64_t n, uint64_t nb, int pair, uint32_t c,
    uint32_t nchunks);
/* Writes the ids of n letters; how many of them, the first `shared` left out, have no token of their own. */
uint64_t rna_frame_letters(const struct rna_vocab *v, const char *seq, uint64_t n, uint64_t shared, uint8_t *tokens);
/* Counts an RNA of nt bases, of which its nchunks records keep `kept`. */
void rna_frame_count_rna(struct rna_frame_counts *n, const struct rna_framing *f, uint64_t nt, uint64_t kept,
    uint32_t nchunks, int type);

/* 1 when rna_frame_record would take an RNA of n bases: it fits, or the policy says what to do. */
int rna_frame_suits(const struct rna_framing *f, const struct rna_vocab *v, uint64_t n);
/*
 * As rna_frame_record of a record with `rid`, `name`, `desc` (when there is one) and `seq`, encoded at the end of out.
 * The rid is filled in later.  Nothing is appended when the RNA is dropped.
 */
enum rna_status rna_frame_encode(const struct rna_framing *f, const struct rna_vocab *v,
    const struct rna_text_entry *e, int type, uint32_t c, struct rna_buf *out, struct rna_frame_counts *counts,
    uint64_t *tokens) RNA_CHECK;
void rna_frame_encoded_rid(unsigned char *record, uint64_t rid);

#endif
