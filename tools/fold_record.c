/*
 * fold_record.c: one record folded, on one thread.
 */
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "fold.h"

#define KEEP_BYTES (64u << 20)  /* a workspace above this is given back after the RNA that needed it */
#define ASK_BYTES  (256u << 20) /* below this, memory is not asked about */

void
fold_spaces_free(struct fold_job *job)
{
	int i;

	for (i = 0; i < job->t->threads; i++) {
		rna_mfe_destroy(job->space[i].mfe);
		rna_partition_destroy(job->space[i].ensemble);
		rna_neural_destroy(job->space[i].neural);
		free(job->space[i].pair);
		free(job->space[i].text);
		free(job->space[i].constraint);
	}
	free(job->space);
}

static enum rna_status
no_memory(struct rna_err *err)
{
	return rna_fail(err, RNA_EMEM, "out of memory");
}

enum rna_status
fold_set_space(const struct fold_job *job, struct fold_space *space, size_t n, struct rna_err *err)
{
	if (space->mfe == NULL && (space->mfe = rna_mfe_create(&job->energy)) == NULL)
		return no_memory(err);
	if (fold_wants_ensemble(job) && space->ensemble == NULL &&
	    (space->ensemble = rna_partition_create(&job->energy)) == NULL)
		return no_memory(err);
	if (space->pair != NULL && space->cap >= n)
		return RNA_OK;
	free(space->pair);
	free(space->text);
	free(space->constraint);
	space->cap = n;
	space->pair = reallocarray(NULL, n + 1, sizeof(*space->pair));
	space->text = malloc(n + 1);
	space->constraint = malloc(n + 1);
	return space->pair != NULL && space->text != NULL && space->constraint != NULL ? RNA_OK : no_memory(err);
}

/* The constraint of this record into space->constraint; *wanted 0: there is none. */
static enum rna_status
find_constraint(const struct fold_job *job, struct fold_space *space, const struct rna_record *rec, int *wanted,
    struct rna_err *err)
{
	const char *s = NULL, *name;
	size_t len = 0, n = 0;

	if (job->constraint_field && (s = rna_record_get_str(rec, "constraint", &len)) == NULL)
		s = rna_record_get_str(rec, "structure", &len);
	if (job->constraints != NULL && (name = rna_record_get_str(rec, "name", &n)) != NULL &&
	    (s = fold_constraints_find(job->constraints, name, n)) != NULL)
		len = strlen(s);
	*wanted = s != NULL;
	rna_record_get_str(rec, "seq", &n);
	if (s == NULL)
		return RNA_OK;
	if (len != n)
		return rna_fail(err, RNA_EFORMAT, "the constraint has %zu letters, the sequence %zu", len, n);
	memcpy(space->constraint, s, n);
	space->constraint[n] = '\0';
	return RNA_OK;
}

enum rna_status
fold_set_answer(struct rna_record *rec, struct fold_space *space, size_t n, double energy, struct rna_err *err)
{
	size_t i;

	for (i = 0; i < n; i++)
		space->text[i] = space->pair[i] < 0 ? '.' : (size_t)space->pair[i] > i ? '(' : ')';
	if (rna_record_set_str(rec, "structure", space->text, n) != RNA_OK ||
	    rna_record_set_f32(rec, "energy", (float)energy) != RNA_OK)
		return no_memory(err);
	return RNA_OK;
}

static enum rna_status
fold(struct fold_job *job, struct fold_space *space, struct rna_record *rec, const char *seq, size_t n, int threads,
    struct rna_err *err)
{
	struct rna_fold_options opts = job->opts;
	enum rna_status s;
	int energy, constrained;

	if ((s = fold_set_space(job, space, n, err)) != RNA_OK ||
	    (s = find_constraint(job, space, rec, &constrained, err)) != RNA_OK)
		return s;
	opts.constraint = constrained ? space->constraint : NULL;
	if (fold_has_scores(rec))
		return fold_neural(job, space, rec, &opts, threads, err);
	rna_mfe_share(space->mfe, threads);
	if ((s = rna_mfe_fold(space->mfe, seq, n, &opts, space->pair, &energy, err)) != RNA_OK)
		return s;
	if ((s = fold_set_answer(rec, space, n, energy / 100.0, err)) != RNA_OK || !fold_wants_ensemble(job))
		return s;
	rna_partition_share(space->ensemble, threads);
	return fold_ensemble(job, space, rec, &opts, energy, err);
}

/* Records that rna-fold can't take for what they are. */
static enum rna_status
check(const struct rna_record *rec, struct rna_err *err)
{
	if (rna_record_find(rec, "chunk") != NULL)
		return rna_fail(err, RNA_EINVAL,
		    "is a chunk of a longer RNA, which folds as a whole: tokenize without --long chunk, or fold the "
		    "FASTA");
	if (rna_record_find(rec, "seq_b") != NULL)
		return rna_fail(err, RNA_EINVAL, "is a pair of RNAs: only single strands are folded");
	return RNA_OK;
}

static void
trim(struct fold_space *space)
{
	rna_mfe_trim(space->mfe);
	rna_partition_trim(space->ensemble);
	rna_neural_trim(space->neural);
}

/* RNAs that take much of the memory that is there are folded one at a time, each by all threads. */
static enum rna_status
fold_large(struct fold_job *job, struct fold_space *space, struct rna_record *rec, const char *seq, size_t n,
    uint64_t bytes, struct rna_err *err)
{
	enum rna_status s;
	uint64_t there;

#pragma omp critical(fold_large)
	{
		there = fold_memory();
		if (bytes > there)
			s = rna_fail(err, RNA_EMEM, "folding %zu nt takes %.1f GiB of memory, and %.1f GiB can be had",
			    n, (double)bytes / (1u << 30), (double)there / (1u << 30));
		else
			s = fold(job, space, rec, seq, n, job->t->threads, err);
		trim(space);
	}
	return s;
}

enum rna_status
fold_record(struct rna_record *rec, void *arg, struct rna_err *err)
{
	struct fold_job *job = arg;
	struct fold_space *space = &job->space[omp_get_thread_num()];
	enum rna_status s;
	const char *seq;
	uint64_t bytes;
	size_t n;

	if ((seq = rna_record_get_str(rec, "seq", &n)) == NULL)
		return rna_fail(err, RNA_EFORMAT, "has no field seq");
	if ((s = check(rec, err)) != RNA_OK)
		return s;
	bytes = fold_has_scores(rec) ? rna_neural_bytes(n) : rna_mfe_bytes(n, job->opts.no_lonely);
	if (fold_wants_ensemble(job))
		bytes += rna_partition_bytes(n);
	if (bytes > ASK_BYTES)
		return fold_large(job, space, rec, seq, n, bytes, err);
	s = fold(job, space, rec, seq, n, omp_in_parallel() ? 1 : job->t->threads, err);
	if (bytes > KEEP_BYTES)
		trim(space);
	return s;
}
