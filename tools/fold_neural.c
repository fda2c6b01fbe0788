/*
 * fold_neural.c: a record with the scores of a network, folded with them and Turner's energies.
 */
#include <string.h>

#include "fold.h"

int
fold_has_scores(const struct rna_record *rec)
{
	return rna_record_find(rec, "scores") != NULL;
}

/* What only energies can answer. */
static enum rna_status
check(const struct fold_job *job, struct rna_err *err)
{
	if (job->opts.no_lonely)
		return rna_fail(err, RNA_EINVAL, "has the scores of a network, which --no-lonely does not go with");
	if (fold_wants_ensemble(job))
		return rna_fail(err, RNA_EINVAL,
		    "has the scores of a network, which --partition, --mea, --centroid and --sample do not go with");
	return RNA_OK;
}

/* The shapes in a message. */
static enum rna_status
wrong_shape(const struct rna_field *f, size_t n, struct rna_err *err)
{
	char shape[RNA_MAX_DIMS * 24] = "", *p = shape;
	int k;

	for (k = 0; k < f->ndim; k++)
		p += snprintf(
		    p, (size_t)(shape + sizeof(shape) - p), "%s%llu", k > 0 ? "," : "", (unsigned long long)f->dims[k]);
	if (strcmp(f->name, "lengths") == 0)
		return rna_fail(
		    err, RNA_EFORMAT, "lengths is %s[%s], not f32[%d]", rna_dtype_name(f->dtype), shape, RNA_LENGTHS);
	return rna_fail(err, RNA_EFORMAT, "scores is %s[%s], not f32[3,%zu,%zu] for a sequence of %zu nt",
	    rna_dtype_name(f->dtype), shape, n, n, n);
}

static enum rna_status
find_scores(const struct rna_record *rec, size_t n, struct rna_neural_scores *scores, struct rna_err *err)
{
	const struct rna_field *maps = rna_record_find(rec, "scores"), *lengths = rna_record_find(rec, "lengths");

	if (maps->dtype != RNA_F32 || maps->ndim != 3 || maps->dims[0] != 3 || maps->dims[1] != n || maps->dims[2] != n)
		return wrong_shape(maps, n, err);
	if (lengths != NULL && (lengths->dtype != RNA_F32 || lengths->ndim != 1 || lengths->dims[0] != RNA_LENGTHS))
		return wrong_shape(lengths, n, err);
	scores->scores = rna_record_data(rec, maps);
	scores->lengths = lengths != NULL ? rna_record_data(rec, lengths) : NULL;
	return RNA_OK;
}

/* The thread's workspace, made with the energies that scores are added to. */
static enum rna_status
set_space(struct fold_job *job, struct fold_space *space, struct rna_err *err)
{
	if (space->neural != NULL)
		return RNA_OK;
#pragma omp critical(fold_energy)
	if (!job->has_neural) {
		job->energy_neural = job->energy;
		rna_energy_neural(&job->energy_neural);
		job->has_neural = 1;
	}
	if ((space->neural = rna_neural_create(&job->energy_neural, RNA_MAX_HELIX)) == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	return RNA_OK;
}

enum rna_status
fold_neural(struct fold_job *job, struct fold_space *space, struct rna_record *rec, const struct rna_fold_options *opts,
    int threads, struct rna_err *err)
{
	struct rna_neural_scores scores;
	enum rna_status s;
	int energy = 0;
	const char *seq;
	double score;
	size_t n;

	seq = rna_record_get_str(rec, "seq", &n);
	if ((s = check(job, err)) != RNA_OK || (s = find_scores(rec, n, &scores, err)) != RNA_OK)
		return s;
	if ((s = set_space(job, space, err)) != RNA_OK)
		return s;
	rna_neural_share(space->neural, threads);
	if ((s = rna_neural_fold(space->neural, seq, n, &scores, opts, space->pair, &score, err)) != RNA_OK ||
	    (s = rna_neural_evaluate(space->neural, seq, n, &scores, space->pair, &score, NULL, err)) != RNA_OK)
		return s;
	if (n > 0)
		s = rna_energy_evaluate(&job->energy, seq, n, space->pair, 0, NULL, NULL, &energy, err);
	if (s != RNA_OK || (s = fold_set_answer(rec, space, n, energy / 100.0, err)) != RNA_OK)
		return s;
	return rna_record_set_f32(rec, "score", (float)score) == RNA_OK ? RNA_OK
	                                                                : rna_fail(err, RNA_EMEM, "out of memory");
}
