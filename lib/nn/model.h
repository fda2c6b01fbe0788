/*
 * model.h: a model directory opened on a backend: config.json, vocab.txt, model.safetensors (formats/model.md).
 */
#ifndef RNA_MODEL_H
#define RNA_MODEL_H

#include "nn/config.h"
#include "nn/params.h"
#include "nn/tape.h"
#include "seq/vocab.h"

struct rna_model {
	struct rna_config config;
	struct rna_vocab vocab;
	struct rna_params params;
	struct rk *rk;
	struct model_source *source; /* where matrices come from that are not held, or NULL */
	const struct rna_params *extra; /* saved beside the model's own, under their names; the caller's, or NULL */
	char digest[65];    /* SHA-256 (hex) of model.safetensors, or of its shards; "" unless asked for */
	int square_suspect; /* 1: the file looks like an early multimolecule export (see --fix-square) */
};

struct rna_model_options {
	int fix_square;            /* transpose the square matrices of early multimolecule exports */
	int need_mlm, need_pooler; /* fail when the file lacks them */
	int type_head;             /* with a type head: drawn anew from seed where the file has none */
	uint64_t seed;
	int digest;  /* take the digest, for the provenance of what is computed: most of the time of opening */
	int threads; /* 2 or more: beside the loading */
	int need_class; /* fail when the file lacks a class head */
	/*
	 * To be run, not trained or saved: the matrices of the layers are read when a tape packs them and not held
	 * beside what it packs, where the backend can do that.  The files stay mapped.
	 */
	int once;
	/*
	 * Opened to be fine-tuned (NULL: not): a class head for these classes, drawn from seed where the file has no
	 * such; no MLM and type head; a pooler only where the head reads it.
	 */
	json_t *labels;
	int class_from, class_mlp, pairs; /* with labels: of struct rna_config */
	int class_chunks, class_typer;    /* so too; RNA_TYPER_SHARED: the MLM head stays */
	int class_axis, class_lm;
	float class_dropout;
};

/* Opens dir.  rk is the caller's and outlives the model.  NULL opts: none. */
enum rna_status rna_model_open(struct rna_model *m, const char *dir, struct rk *rk,
    const struct rna_model_options *opts, struct rna_err *err) RNA_CHECK;
/* A new model with random weights N(0, init_range), keyed by (seed, parameter's name): the same on every machine. */
enum rna_status rna_model_create(struct rna_model *m, const struct rna_config *c, const struct rna_vocab *v,
    struct rk *rk, uint64_t seed, struct rna_err *err) RNA_CHECK;
void rna_model_fini(struct rna_model *m);
/*
 * Writes config.json, vocab.txt and model.safetensors (stock BERT names, fp32) into dir, each by temporary file, fsync,
 * rename.  dir is created if missing.
 */
enum rna_status rna_model_save(const struct rna_model *m, const char *dir, struct rna_err *err) RNA_CHECK;

/* Encoder on a tape (encoder.c): hidden[0] = embeddings ... hidden[layers]; layers < 0: all.  Returns the last. */
rna_t rna_encoder_forward(struct rna_tape *t, const struct rna_model *m, int layers, rna_t *hidden);
/*
 * The last hidden state of the rows of `at` alone: what gathering there from rna_encoder_forward gives, bit for bit,
 * but behind its attention the last layer is computed for these rows only.  Gradients are the same to rounding: sums
 * over rows leave out zeros.
 */
rna_t rna_encoder_rows(struct rna_tape *t, const struct rna_model *m, enum rna_tape_index at);
/* tanh of a linear map of cls, the last hidden states at RNA_AT_CLS: [seqs, hidden]. */
rna_t rna_encoder_pooled(struct rna_tape *t, const struct rna_model *m, rna_t cls);
/* MLM head on given rows: [.., vocab]. */
rna_t rna_encoder_logits(struct rna_tape *t, const struct rna_model *m, rna_t rows);

#endif
