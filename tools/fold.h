/*
 * fold.h: between the files of rna-fold: what was asked for, and the workspaces of its threads.
 */
#ifndef FOLD_H
#define FOLD_H

#include "fold/mfe.h"
#include "fold/mfe_device.h"
#include "fold/neural.h"
#include "fold/partition.h"
#include "tool.h"

/* Constraints by the name of the RNA (fold_constraint.c). */
struct fold_constraints;
struct fold_constraints *fold_constraints_load(const char *path, struct rna_err *err);
const char *fold_constraints_find(const struct fold_constraints *c, const char *name, size_t n); /* NULL: none */
void fold_constraints_free(struct fold_constraints *c);

/* What one thread works with. */
struct fold_space {
	struct rna_mfe *mfe;
	struct rna_partition *ensemble;
	struct rna_neural *neural;
	int32_t *pair;           /* [cap + 1] */
	char *text, *constraint; /* [cap + 1] */
	size_t cap;
};

/* Which structure is the answer. */
enum fold_answer { FOLD_MFE, FOLD_MEA, FOLD_CENTROID, FOLD_SAMPLE };

struct fold_job {
	struct tool *t;
	double temperature;
	int dangles;
	const char *params; /* -P */
	int eval;
	enum fold_answer answer;
	int partition; /* pairs and their probabilities are wanted */
	double gamma;  /* of MEA */
	double least;  /* least probability of a pair in bpp_p */
	uint32_t samples;
	struct rna_fold_options opts;
	int constraint_field; /* --constraint field */
	struct fold_constraints *constraints;
	struct rna_energy energy, energy_neural; /* of structures, and what scores are added to, once there are some */
	int has_neural;
	struct fold_space *space; /* [threads] */
	struct rk *rk;            /* -d cuda, else NULL, and what folds on it */
	struct rna_mfe_device *device;
};

/* Folds one record in place, on any thread (fold_record.c). */
enum rna_status fold_record(struct rna_record *rec, void *job, struct rna_err *err);
void fold_spaces_free(struct fold_job *job);
/* Makes room in the thread's workspace for n nt. */
enum rna_status
fold_set_space(const struct fold_job *job, struct fold_space *space, size_t n, struct rna_err *err);
/* Structure of space->pair and its energy, kcal/mol, into the record. */
enum rna_status
fold_set_answer(struct rna_record *rec, struct fold_space *space, size_t n, double energy, struct rna_err *err);

/* 1 when the sums over all structures are needed. */
int fold_wants_ensemble(const struct fold_job *job);
/* The ensemble of the record's RNA, folded already with energy mfe; opts as it was folded (fold_ensemble.c). */
enum rna_status fold_ensemble(struct fold_job *job, struct fold_space *space, struct rna_record *rec,
    const struct rna_fold_options *opts, int mfe, struct rna_err *err);
/* Writes a record with samples as one record a sample. */
void fold_put_samples(struct tool_out *out, struct rna_record *rec, void *job);

/* 1 when the record has the scores of a network (fold_neural.c). */
int fold_has_scores(const struct rna_record *rec);
/* Folds with the record's scores; space->pair has room. */
enum rna_status fold_neural(struct fold_job *job, struct fold_space *space, struct rna_record *rec,
    const struct rna_fold_options *opts, int threads, struct rna_err *err);

/* -d: the GPU is opened, or ends with 1 and the reason (fold_device.c); -d auto goes on without. */
void fold_device_open(struct fold_job *job);
void fold_device_close(struct fold_job *job);
/* The batch of tool_filter: folds together what the device can take. */
void fold_batch(struct rna_record *rec, size_t n, unsigned char *done, void *job);

/* Reads records with structures and prints their loops (fold_eval.c). */
void fold_eval(struct fold_job *job);

/* Bytes of memory that can be had now; UINT64_MAX when the system does not say (fold_memory.c). */
uint64_t fold_memory(void);

#endif
