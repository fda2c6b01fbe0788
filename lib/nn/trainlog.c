/*
 * trainlog.c: the table of a training.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nn/trainlog.h"

static const char head[] = "step\ttokens\trecords\tloss\tbase_loss\tbase_acc\tlr\tgrad_norm\ttokens_per_s\t"
			   "valid_loss\tvalid_acc\tvalid_type_acc\tvalid_type_recall\n";

/* Bytes of the head and of the whole rows up to step; 0: not our file, begin anew. */
static long
kept(FILE *fp, int64_t step)
{
	char line[1024];
	long end;

	if (fgets(line, sizeof(line), fp) == NULL || strcmp(line, head) != 0)
		return 0;
	do {
		end = ftell(fp);
	} while (
	    fgets(line, sizeof(line), fp) != NULL && strchr(line, '\n') != NULL && strtoll(line, NULL, 10) <= step);
	return end;
}

static enum rna_status
failed(const struct rna_trainlog *l, struct rna_err *err)
{
	return rna_fail_errno(err, "%s", l->path);
}

enum rna_status
rna_trainlog_open(struct rna_trainlog *l, const char *path, int64_t step, struct rna_err *err)
{
	long end = 0;

	l->fp = NULL;
	if ((l->path = strdup(path)) == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	if (step > 0 && (l->fp = fopen(path, "r+e")) != NULL) {
		end = kept(l->fp, step);
		if (end < 0 || ftruncate(fileno(l->fp), end) != 0 || fseek(l->fp, end, SEEK_SET) != 0)
			return failed(l, err);
	} else if (step > 0 && errno != ENOENT)
		return failed(l, err);
	if (l->fp == NULL && (l->fp = fopen(path, "we")) == NULL)
		return failed(l, err);
	setvbuf(l->fp, NULL, _IOLBF, 0); /* a row can be read as soon as it is written */
	if (end == 0 && fputs(head, l->fp) == EOF)
		return failed(l, err);
	return RNA_OK;
}

/* A tab and n / of, or NA. */
static int
ratio(FILE *fp, double n, uint64_t of)
{
	return of > 0 ? fprintf(fp, "\t%.6g", n / (double)of) : fprintf(fp, "\tNA");
}

enum rna_status
rna_trainlog_row(struct rna_trainlog *l, const struct rna_train_step *did, const struct rna_mlm_sums *valid,
    double tokens_per_s, struct rna_err *err)
{
	static const struct rna_mlm_sums none;
	const struct rna_mlm_sums *v = valid != NULL ? valid : &none, *s = &did->sums;
	double recall = rna_mlm_type_recall(v);
	int slots = v->slots > 0; /* else the type head */

	if (l->fp == NULL)
		return RNA_OK;
	fprintf(l->fp, "%lld\t%llu\t%llu\t%.6g", (long long)did->state.step, (unsigned long long)did->state.tokens,
	    (unsigned long long)did->state.records, did->loss);
	ratio(l->fp, s->base_loss, s->bases);
	ratio(l->fp, (double)s->base_hits, s->bases);
	fprintf(l->fp, "\t%.6g\t%.6g\t%.0f", did->lr, did->norm, tokens_per_s);
	ratio(l->fp, v->base_loss, v->bases);
	ratio(l->fp, (double)v->base_hits, v->bases);
	ratio(l->fp, (double)(slots ? v->slot_hits : v->head_hits), slots ? v->slots : v->heads);
	if (isnan(recall))
		fputs("\tNA\n", l->fp);
	else
		fprintf(l->fp, "\t%.6g\n", recall);
	return ferror(l->fp) ? failed(l, err) : RNA_OK;
}

enum rna_status
rna_trainlog_sync(struct rna_trainlog *l, struct rna_err *err)
{
	if (l->fp == NULL)
		return RNA_OK;
	/* a pipe or a device as log can't be synced */
	if (fflush(l->fp) != 0 || (fsync(fileno(l->fp)) != 0 && errno != EINVAL && errno != EROFS))
		return failed(l, err);
	return RNA_OK;
}

enum rna_status
rna_trainlog_close(struct rna_trainlog *l, struct rna_err *err)
{
	enum rna_status s = RNA_OK;

	if (l->fp != NULL && fclose(l->fp) != 0)
		s = failed(l, err);
	l->fp = NULL;
	free(l->path);
	l->path = NULL;
	return s;
}
