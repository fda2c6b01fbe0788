/*
 * model_private.h: between model.c, model_table.c, model_load.c and model_save.c.
 */
#ifndef RNA_MODEL_PRIVATE_H
#define RNA_MODEL_PRIVATE_H

#include "nn/model.h"
#include "nn/names.h"

/* A tensor of a file: a part of one of rill's parameters. */
struct model_entry {
	char name[RNA_NAMES_SIZE]; /* stock BERT */
	int param;                 /* index in params */
	size_t first, n;           /* elements of the parameter */
	int ndim, dims[3];
	int optional; /* 1: drawn at random where a file lacks it */
	int square;   /* 1: one of the matrices that early multimolecule exports forgot to transpose */
	int found;    /* for the loader */
};

struct model_table {
	struct model_entry *list; /* by name */
	size_t n, cap;
	struct rna_params *params;
	struct model_entry none; /* written to after a failure */
	int failed;              /* no memory, or sizes that overflow */
};

/* Declares the parameters of c in params (which must be empty; ntypes: type tokens of the vocabulary) and lists the
 * tensors that hold them. */
enum rna_status rna_model_table(struct model_table *t, const struct rna_config *c, int ntypes,
    struct rna_params *params, struct rna_err *err) RNA_CHECK;
/* Draws parameter i of a new model. */
enum rna_status rna_model_draw(struct rna_model *m, int i, uint64_t seed, struct rna_err *err) RNA_CHECK;
void rna_model_table_fini(struct model_table *t);
struct model_entry *rna_model_table_find(const struct model_table *t, const char *name);

/* Reads dir's tensors: finds which parts it has (config.pooler, .mlm, .untied), declares, allocates and fills
 * m->params. */
enum rna_status rna_model_load(
    struct rna_model *m, const char *dir, const struct rna_model_options *opts, struct rna_err *err) RNA_CHECK;

/* What matrices that are not held are read from; NULL is fine. */
void rna_model_source_close(struct model_source *s);

#endif
