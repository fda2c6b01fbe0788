/*
 * foldnet_private.h: between foldnet.c (opening, new weights), foldnet_table.c (names and shapes), foldnet_config.c and
 * foldnet_run.c (the forward pass).
 */
#ifndef RNA_FOLDNET_PRIVATE_H
#define RNA_FOLDNET_PRIVATE_H

#include "nn/foldnet.h"

enum foldnet_kind {
	FOLDNET_WEIGHT,
	FOLDNET_BIAS,
	FOLDNET_GAMMA,
	FOLDNET_BETA,
	FOLDNET_EMBEDDING,
	FOLDNET_ZERO,
	FOLDNET_XAVIER
};

/* A parameter: rill's name and MXfold2's, its shape, and how it starts: uniform within 1/sqrt(fan_in). */
struct foldnet_param {
	char name[96], published[96];
	int ndim, dims[4];
	enum foldnet_kind kind;
	int fan_in;
};

/* The parameters of a network in order; *n of them; NULL: no memory. */
struct foldnet_param *foldnet_table(const struct rna_foldnet_config *c, size_t *n);

/* foldnet_config.c: of config.json in dir.  *json: all of it, which the caller lets go of, also on failure. */
enum rna_status
foldnet_load_config(struct rna_foldnet_config *c, const char *dir, json_t **json, struct rna_err *err) RNA_CHECK;

/* Tables of lengths: names, entries and where each begins (fold/neural.h). */
struct foldnet_length {
	const char *name, *published;
	int entries, first;
};
enum { FOLDNET_LENGTHS = 7 };
extern const struct foldnet_length foldnet_lengths[FOLDNET_LENGTHS];

#endif
