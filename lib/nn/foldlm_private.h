/*
 * foldlm_private.h: between foldlm.c (an RNA in chunks, its features), foldlm_learn.c (the model that learns) and
 * foldlm_kept.c (features kept for when an RNA comes again).
 */
#ifndef RNA_FOLDLM_PRIVATE_H
#define RNA_FOLDLM_PRIVATE_H

#include "nn/batch.h"
#include "nn/embed.h"
#include "nn/foldlm.h"
#include "seq/frame.h"

/* Features of an RNA that the frozen model has computed. */
struct foldlm_kept {
	size_t n;
	int done;                /* views that are there */
	float *sigma, *features; /* [views], [views][n + 1][columns] */
	char *letters;           /* [n] */
};

/* Such RNAs by their letters, as many as fit. */
struct foldlm_shelf {
	struct foldlm_kept **slot;
	size_t nslots, n;
	size_t bytes, most; /* memory taken, and not to be passed */
};

/* NULL: not there. */
struct foldlm_kept *foldlm_kept_find(const struct foldlm_shelf *s, const char *letters, size_t n);
/* An entry to fill, the shelf's; NULL: no room for it. */
struct foldlm_kept *foldlm_kept_add(struct foldlm_shelf *s, const char *letters, size_t n, int views, size_t columns);
void foldlm_kept_clear(struct foldlm_shelf *s);

struct rna_foldlm {
	struct rna_model *m;
	struct rna_foldlm_options opts;
	struct rna_embed *hidden, *typer;
	struct rna_framing framing;
	struct rna_record rec, *chunk; /* the RNA, and what the model gets of it */
	uint32_t nchunks, cap;
	size_t n;
	uint8_t type[RNA_VOCAB_MAX];
	float sigma[RNA_VOCAB_MAX], *logits;
	uint64_t rnas, stitched;
	struct foldlm_shelf shelf;
	struct foldlm_kept *kept; /* of the RNA at hand; NULL: it has no room */
	/* the model that learns: all chunks of an RNA in one batch */
	struct rna_tape *tape;
	rna_t last; /* hidden states of all tokens */
	struct rna_batch batch;
	float *rows; /* [tokens of the batch, hidden] */
	int tokens;  /* capacity */
};

/* foldlm_learn.c: frees what is there for it. */
void foldlm_learn_drop(struct rna_foldlm *l);

/* The chunk that base b has its features from, the one in which it is farthest from a cut; *at: its row there. */
uint32_t foldlm_chunk_of(const struct rna_foldlm *l, size_t b, size_t *at);

#endif
