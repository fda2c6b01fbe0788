/*
 * frame.h: from letters to the tokens of one model input: frames, length policies, chunks; and back.
 */
#ifndef RNA_FRAME_H
#define RNA_FRAME_H

#include <stdint.h>
#include "seq/vocab.h"
#include "stream/record.h"

enum rna_frame { RNA_FRAME_PLAIN, RNA_FRAME_TYPE };            /* [CLS] x [SEP]   and   [CLS] x [IND] type [SEP] */
enum rna_long { RNA_LONG_KEEP, RNA_LONG_DROP, RNA_LONG_TRUNCATE, RNA_LONG_CHUNK };

struct rna_framing {
	enum rna_frame frame;
	enum rna_long policy;     /* what happens to an RNA whose tokens would be more than max */
	uint32_t max;             /* tokens, specials included; 0: no limit */
	uint32_t overlap;         /* nt shared by neighbouring chunks */
};

struct rna_frame_counts {         /* what -v and the provenance report */
	uint64_t records, nt;             /* read */
	uint64_t dropped, dropped_nt;     /* RNAs left out, and their nt */
	uint64_t truncated, truncated_nt; /* RNAs cut, and the nt cut off */
	uint64_t chunked, chunks;         /* RNAs split, and chunks made of them */
	uint64_t unknown;                 /* letters written as [UNK] */
	uint64_t untyped;                 /* RNAs framed with [MASK] in the type slot */
};

/*
 * Frame and max of a model directory's config.json: `rill`.frame and `rill`.max, else plain and as many tokens as it
 * has positions (512 of RNAErnie's 513 rows).  The rest of f is left alone.
 */
enum rna_status rna_frame_config(struct rna_framing *f, const char *path, struct rna_err *err) RNA_CHECK;
/* Specials of a frame: 2 plain, 4 typed ([CLS] [IND] type [SEP]).  For a pair, one [SEP] more. */
uint32_t rna_frame_specials(enum rna_frame frame);
/* Number of chunks that an RNA of n nt gives (1 when it fits; 0 when dropped). */
uint32_t rna_frame_chunks(const struct rna_framing *f, uint64_t n);
/*
 * The same of a record: its `seq`, or `seq` and `seq_b` of a pair, which is never split (1 or 0).  *fits (may be NULL):
 * whether it fits whole, which under RNA_LONG_KEEP is the caller's to judge.
 */
uint32_t rna_frame_count(const struct rna_framing *f, const struct rna_record *rec, int *fits);
/*
 * Writes record number c (0-based) of the chunks of rec's `seq` into out: every field of rec, `tokens`, `type` when
 * there is one, for a pair `segment`, and for split RNAs `chunk` {index, offset} and `last`.  Chunk c begins at base
 * c * (room - overlap), where room is max less the specials; all but the last are full.  `seq`, `pair` and
 * `structure` are cut to the chunk; a base whose partner is outside becomes unpaired.  A pair too long is cut at the
 * longer sequence first.  type: id of the type token or -1.  counts (may be NULL) are added to; an RNA counts with its
 * chunk 0.  out may be rec when that fits whole.  RNA_END: dropped.  RNA_EINVAL: no `seq`, no such chunk, or no [IND]
 * for a typed frame.
 */
enum rna_status rna_frame_record(const struct rna_framing *f, const struct rna_vocab *v, const struct rna_record *rec,
    int type, uint32_t c, struct rna_record *out, struct rna_frame_counts *counts) RNA_CHECK;
/* sum += n. */
void rna_frame_add(struct rna_frame_counts *sum, const struct rna_frame_counts *n);
/*
 * The bases of a token row: *first is the index of the first, the return value their number (specials and slot left
 * out).  Of a pair: those of the first sequence.
 */
uint32_t rna_frame_bases(const struct rna_vocab *v, const uint8_t *tokens, uint64_t ntokens, uint32_t *first);
/* Index of the type slot (the token after [IND]) or -1. */
int64_t rna_frame_slot(const struct rna_vocab *v, const uint8_t *tokens, uint64_t ntokens);

#endif
