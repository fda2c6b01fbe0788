/*
 * fold.h: between the files of rna-fold: what was asked for, and the workspaces of its threads.
 */
#ifndef FOLD_H
#define FOLD_H

#include "fold/mfe.h"
#include "tool.h"

/* Constraints by the name of the RNA (fold_constraint.c). */
struct fold_constraints;
struct fold_constraints *fold_constraints_load(const char *path, struct rna_err *err);
const char *fold_constraints_find(const struct fold_constraints *c, const char *name, size_t n); /* NULL: none */
void fold_constraints_free(struct fold_constraints *c);

/* What one thread works with. */
struct fold_space {
	struct rna_mfe *mfe;
	int32_t *pair; /* [cap + 1] */
	char *text;    /* [cap + 1] */
	size_t cap;
};

struct fold_job {
	struct tool *t;
	double temperature;
	int dangles;
	const char *params; /* -P */
	int eval;
	struct rna_fold_options opts;
	int constraint_field; /* --constraint field */
	struct fold_constraints *constraints;
	struct rna_energy energy;
	struct fold_space *space; /* [threads] */
};

/* Folds one record in place, on any thread (fold_record.c). */
enum rna_status fold_record(struct rna_record *rec, void *job, struct rna_err *err);
void fold_spaces_free(struct fold_job *job);

/* Reads records with structures and prints their loops (fold_eval.c). */
void fold_eval(struct fold_job *job);

/* Bytes of memory that can be had now; UINT64_MAX when the system does not say (fold_memory.c). */
uint64_t fold_memory(void);

#endif
