/*
 * fold_device.c: rna-fold -d cuda: the RNAs of a batch that the GPU can take are folded together before the threads
 * have the others.  The records are the same either way.
 */
#include <stdlib.h>
#include <string.h>

#include "fold.h"

void
fold_device_open(struct fold_job *job)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct tool *t = job->t;
	char why[256] = "";

	if (strcmp(t->device, "cpu") == 0)
		return;
	if ((job->rk = rk_open("cuda", 1, why, sizeof(why))) != NULL) {
		job->device = rna_mfe_device_create(job->rk, &job->energy, job->opts.max_span, &err);
		if (job->device != NULL)
			return;
		tool_die_err(t, &err);
	}
	if (strcmp(t->device, "cuda") == 0)
		tool_die(t, "-d cuda: %s", why);
	tool_note(t, 1, "-d auto: cpu: %s", why);
}

void
fold_device_close(struct fold_job *job)
{
	rna_mfe_device_destroy(job->device);
	rk_close(job->rk);
}

/* Least energy alone, of one strand of its own. */
static int
may(const struct fold_job *job, const struct rna_record *rec, const char **seq, size_t *n)
{
	size_t len;
	const char *name;

	if ((*seq = rna_record_get_str(rec, "seq", n)) == NULL || *n > rna_mfe_device_longest(job->device) ||
	    fold_has_scores(rec) || rna_record_find(rec, "chunk") != NULL || rna_record_find(rec, "seq_b") != NULL ||
	    job->constraint_field)
		return 0;
	name = job->constraints != NULL ? rna_record_get_str(rec, "name", &len) : NULL;
	return name == NULL || fold_constraints_find(job->constraints, name, len) == NULL;
}

/* The structure and the energy of answer i into the record. */
static enum rna_status
answer(const struct fold_job *job, struct rna_record *rec, size_t i, struct rna_err *err)
{
	struct fold_space *space = &job->space[0];
	const int16_t *partner;
	enum rna_status s;
	int energy;
	size_t n, k;

	rna_record_get_str(rec, "seq", &n);
	if ((s = fold_set_space(job, space, n, err)) != RNA_OK)
		return s;
	partner = rna_mfe_device_answer(job->device, i, &energy);
	for (k = 0; k < n; k++)
		space->pair[k] = partner[k];
	return fold_set_answer(rec, space, n, energy / 100.0, err);
}

void
fold_batch(struct rna_record *rec, size_t n, unsigned char *done, void *arg)
{
	struct fold_job *job = arg;
	struct rna_err err = {.record = RNA_NOREC};
	enum rna_status s = RNA_OK;
	const char *seq;
	size_t i, k, len;

	rna_mfe_device_reset(job->device);
	for (i = 0; i < n && s == RNA_OK; i++)
		if ((done[i] = (unsigned char)may(job, &rec[i], &seq, &len)) != 0)
			s = rna_mfe_device_add(job->device, seq, len, &err);
	if (s == RNA_OK)
		s = rna_mfe_device_fold(job->device, &err);
	for (i = k = 0; i < n && s == RNA_OK; i++)
		if (done[i])
			s = answer(job, &rec[i], k++, &err);
	if (s != RNA_OK)
		tool_die_err(job->t, &err);
}
