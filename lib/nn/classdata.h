/*
 * classdata.h: labelled RNAs held in memory as tokens: what a classifier learns from, and is validated on.  The chunks
 * of an RNA that was split are pieces of one example.
 */
#ifndef RNA_CLASSDATA_H
#define RNA_CLASSDATA_H

#include <jansson.h>
#include "stream/record.h"

/* One input of the model. */
struct rna_piece {
	uint32_t chunk, ntokens;
	uint8_t segment; /* 1: the segments stand behind the tokens */
	size_t at;       /* of its bytes */
};

struct rna_example {
	uint64_t rid;
	int32_t label; /* index into names */
	uint8_t valid; /* 1: is not trained on */
	uint32_t npieces;
	size_t first; /* of its pieces */
};

struct rna_classdata {
	struct rna_example *list;
	size_t n, cap;
	struct rna_piece *piece;
	size_t npieces, piece_cap, left_out; /* left_out: chunks beyond max_chunks */
	size_t ntrain, nvalid;
	uint64_t tokens; /* of those trained on */
	struct rna_buf bytes;
	json_t *names; /* array of strings; in order of name after rna_classdata_seal */
	int sealed;    /* 1: no further names */
	uint32_t last_chunk; /* index of the last record's */
	uint32_t max_chunks; /* set by the caller: the first so many of an RNA are kept; 0: all */
	int pairs;     /* set by the caller: 1: each record must be a pair */
	int bare;      /* set by the caller: 1: tokens are not kept, and no record but a pair needs them */
};

enum rna_status rna_classdata_init(struct rna_classdata *d, struct rna_err *err) RNA_CHECK;
void rna_classdata_fini(struct rna_classdata *d);
/*
 * Adds a record with `tokens` (see bare) and `label` (str, or i32, whose name is its digits); a chunk behind the first
 * goes to the RNA of the chunk before.  RNA_EFORMAT: it lacks one of them, is a chunk that does not follow on the one
 * before, has more than max tokens, is no pair where pairs are wanted, or, once sealed, another label than those known.
 */
enum rna_status rna_classdata_add(
    struct rna_classdata *d, const struct rna_record *rec, int max, int valid, struct rna_err *err) RNA_CHECK;
/* The names are complete: sorts them.  RNA_EFORMAT when there are fewer than two classes to learn. */
enum rna_status rna_classdata_seal(struct rna_classdata *d, struct rna_err *err) RNA_CHECK;
/* The i-th name. */
const char *rna_classdata_name(const struct rna_classdata *d, int i);
/* Makes rec the tokens (and segments) of a piece. */
enum rna_status rna_classdata_record(
    const struct rna_classdata *d, const struct rna_piece *p, struct rna_record *rec, struct rna_err *err) RNA_CHECK;

#endif
