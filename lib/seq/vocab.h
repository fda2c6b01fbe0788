/*
 * vocab.h: the token list of a model and what each token means (spec: formats/vocab.txt, formats/model.md).
 */
#ifndef RNA_VOCAB_H
#define RNA_VOCAB_H

#include <stddef.h>
#include <stdint.h>
#include "stream/status.h"

#define RNA_VOCAB_MAX 256    /* ids are u8 */

struct rna_vocab {
	int n;                          /* tokens */
	char *token[RNA_VOCAB_MAX];     /* spellings, as in vocab.txt */
	char name[32];                  /* "rnaernie-39" for the default, else "custom-N" */
	char digest[65];                /* SHA-256 (hex) of the tokens joined by LF, LF at the end */
	uint8_t id[256];                /* letter -> id; case folded, U and T one base; unknown letters -> unk */
	uint8_t known[256];             /* letter -> 1 when the letter has a token of its own */
	/* ids of the special tokens, -1 when the vocabulary has none */
	int pad, unk, cls, sep, mask, ind;   /* sep ends a row: [SEP], [EOS] or <eos> */
	int mid;                        /* between the two sequences of a pair: [SEP], else the same as sep */
	int type_first, ntypes;         /* type tokens are type_first .. type_first + ntypes - 1; ntypes 0: none */
	uint8_t base[4];                /* ids of A, C, G, U (or T) */
	uint8_t is_base[256];           /* id -> 1 for tokens that stand for letters (bases, N, other IUPAC letters) */
	uint8_t is_acgu[256];           /* id -> 1 for the four bases */
};

/* The 39 tokens of RNAErnie, compiled in from formats/vocab.txt. */
enum rna_status rna_vocab_init(struct rna_vocab *v) RNA_CHECK;
/*
 * One token a line.  Understands the spellings of RNAErnie ([CLS] [SEP] [MASK] [IND] ...), RNAErnie2 ([EOS] as end) and
 * multimolecule (<cls> <eos> <mask> <null> ...).  Refuses: over 256 tokens, duplicates, a missing base,
 * no [UNK], [CLS] or end.
 */
enum rna_status rna_vocab_load(struct rna_vocab *v, const char *path, struct rna_err *err) RNA_CHECK;
enum rna_status rna_vocab_copy(struct rna_vocab *dst, const struct rna_vocab *src) RNA_CHECK;
void rna_vocab_fini(struct rna_vocab *v);
/* Id of a spelling, or -1.  rna_vocab_type also forgives case, '_', '-' and spaces: "lnc_RNA" finds lncRNA. */
int rna_vocab_find(const struct rna_vocab *v, const char *token);
int rna_vocab_type(const struct rna_vocab *v, const char *name, size_t n);
/* 1 when two spellings agree but for case, '_', '-' and, in name, blanks. */
int rna_vocab_same(const char *token, const char *name, size_t n);

#endif
