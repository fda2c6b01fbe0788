/*
 * foldnet.h: the folding network: scores of every pair and region of an RNA, for lib/fold/neural.h (Sato, Akiyama and
 * Sakakibara 2021; with a language model's vectors: Wang et al. 2024).  Equations, names and shapes: formats/model.md,
 * "Folding networks".
 */
#ifndef RNA_FOLDNET_H
#define RNA_FOLDNET_H

#include <jansson.h>
#include "nn/params.h"
#include "nn/tape.h"
#include "stream/status.h"

#define RNA_FOLDNET_LAYERS 32 /* most convolutions of a kind */

struct rna_foldnet_config {
	int embed;           /* columns of the letters' embedding */
	int features, inner; /* columns of a language model's vectors (0: none) and of their map */
	int types;           /* views of an RNA by type (foldlm.h); 0: one */
	int convs, filters, width[RNA_FOLDNET_LAYERS]; /* along the sequence */
	int lstm_layers, lstm_units, heads;
	int pair_convs, pair_width[RNA_FOLDNET_LAYERS]; /* over the map, of 2 lstm_units channels */
	int hidden;                                     /* of the head */
	int max_helix;
	float dropout, head_dropout;
	int exclude_diagonal; /* 1: cells (i,i) are the constant of no image */
	int lower_constant;   /* 1: cells (j,i) too, and there is one image: published MXfold2 weights */
	int published;        /* 1: tensors have MXfold2's names */
};

struct rna_foldnet {
	struct rna_foldnet_config config;
	struct rna_params params; /* names "fold.*" */
	struct rk *rk;
	char digest[65]; /* of the file it was read from, or "" */
};

/* What rna-train makes: MXfold2's type C with both images scored; features: columns of a language model, 0: none. */
void rna_foldnet_default(struct rna_foldnet_config *c, int features);
/* Smaller ones by name: small 32 channels, tiny 16 and half of the convolutions; base: as it is. */
enum rna_status rna_foldnet_preset(struct rna_foldnet_config *c, const char *name, struct rna_err *err) RNA_CHECK;
/* 1 when config.json of dir tells of a folding network; 0 when it is another model's or can't be read. */
int rna_foldnet_is(const char *dir);
/* Keys of a folding network: "rill.fold" of config.json, or all of it when model_type is mxfold2. */
enum rna_status
rna_foldnet_read_config(struct rna_foldnet_config *c, const json_t *config, struct rna_err *err) RNA_CHECK;
json_t *rna_foldnet_config_json(const struct rna_foldnet_config *c); /* NULL: no memory */

/* New weights, as PyTorch draws them, keyed by (seed, name).  A failed net is fit for rna_foldnet_fini. */
enum rna_status rna_foldnet_create(struct rna_foldnet *f, const struct rna_foldnet_config *c, struct rk *rk,
    uint64_t seed, struct rna_err *err) RNA_CHECK;
/* From a folder with config.json and model.safetensors.  rk outlives it. */
enum rna_status rna_foldnet_open(struct rna_foldnet *f, const char *dir, struct rk *rk, struct rna_err *err) RNA_CHECK;
void rna_foldnet_fini(struct rna_foldnet *f);
/* A folder for a network without a language model.  With one: rna_model_save, with rill.fold and model.extra set. */
enum rna_status rna_foldnet_save(const struct rna_foldnet *f, const char *dir, struct rna_err *err) RNA_CHECK;

/* A network at work: a tape for one RNA at a time, made anew when a longer one comes. */
struct rna_foldrun;

/* train: dropout, and rna_foldrun_backward.  NULL: no memory. */
struct rna_foldrun *rna_foldrun_create(struct rna_foldnet *f, int train);
void rna_foldrun_destroy(struct rna_foldrun *r);
/*
 * Scores of n letters: scores [3,n,n] and lengths [194] as neural.h has them.  features [n + 1, columns], the row of
 * [CLS] first, or NULL where the network takes none.  key: of the dropout.
 */
enum rna_status rna_foldrun_forward(struct rna_foldrun *r, const char *letters, size_t n, const float *features,
    uint64_t key, float *scores, float *lengths, struct rna_err *err) RNA_CHECK;
/*
 * After forward of the same RNA: adds to the gradients of the parameters.  dfeatures, like features: written, or NULL.
 */
enum rna_status rna_foldrun_backward(struct rna_foldrun *r, const float *dscores, const float *dlengths,
    float *dfeatures, struct rna_err *err) RNA_CHECK;
/* The weights have changed. */
enum rna_status rna_foldrun_repack(struct rna_foldrun *r, struct rna_err *err) RNA_CHECK;
/* Device memory that an RNA of n letters takes. */
size_t rna_foldrun_bytes(struct rna_foldnet *f, int train, size_t n);

#endif
