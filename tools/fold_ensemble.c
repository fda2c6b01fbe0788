/*
 * fold_ensemble.c: what the sums over all structures give a record: probabilities, MEA and centroid structures,
 * samples.
 */
#include <stdlib.h>
#include <string.h>

#include "fold.h"

#define TINY     1e-9 /* pairs below this are left out of MEA and centroid */
#define SAMPLES  "_samples"
#define ENERGIES "_energies"

int
fold_wants_ensemble(const struct fold_job *job)
{
	return job->partition || job->answer != FOLD_MFE;
}

static enum rna_status
no_memory(struct rna_err *err)
{
	return rna_fail(err, RNA_EMEM, "out of memory");
}

static enum rna_status
set_pairs(const struct fold_job *job, struct fold_space *space, struct rna_record *rec, struct rna_err *err)
{
	const struct rna_pair_prob *pairs;
	enum rna_status s;
	uint64_t dims[2] = {0, 2};
	int32_t *ij;
	float *p;
	size_t n, i;

	if ((s = rna_partition_pairs(space->ensemble, job->least, &pairs, &n, err)) != RNA_OK)
		return s;
	dims[0] = n;
	if ((ij = rna_record_put(rec, "bpp_ij", RNA_I32, 2, dims)) == NULL)
		return no_memory(err);
	for (i = 0; i < n; i++) {
		ij[2 * i] = pairs[i].i;
		ij[2 * i + 1] = pairs[i].j;
	}
	if ((p = rna_record_put(rec, "bpp_p", RNA_F32, 1, dims)) == NULL)
		return no_memory(err);
	for (i = 0; i < n; i++)
		p[i] = pairs[i].p;
	return RNA_OK;
}

/* Energy of space->pair, kcal/mol. */
static enum rna_status
energy_of(const struct fold_job *job, const struct fold_space *space, const struct rna_record *rec, double *energy,
    struct rna_err *err)
{
	enum rna_status s;
	const char *seq;
	size_t n;
	int total;

	seq = rna_record_get_str(rec, "seq", &n);
	s = rna_energy_evaluate(&job->energy, seq, n, space->pair, 0, NULL, NULL, &total, err);
	*energy = s == RNA_OK ? total / 100.0 : 0;
	return s;
}

static enum rna_status
set_best(const struct fold_job *job, struct fold_space *space, struct rna_record *rec, size_t n, struct rna_err *err)
{
	const struct rna_pair_prob *pairs;
	double figure, energy;
	enum rna_status s;
	size_t npairs;

	if ((s = rna_partition_pairs(space->ensemble, TINY, &pairs, &npairs, err)) != RNA_OK)
		return s;
	if (job->answer == FOLD_MEA)
		s = rna_fold_mea(pairs, npairs, n, job->gamma, space->pair, &figure, err);
	else
		rna_fold_centroid(pairs, npairs, n, space->pair, &figure);
	if (s != RNA_OK || (s = energy_of(job, space, rec, &energy, err)) != RNA_OK ||
	    (s = fold_set_answer(rec, space, n, energy, err)) != RNA_OK)
		return s;
	if (rna_record_set_f32(rec, job->answer == FOLD_MEA ? "accuracy" : "distance", (float)figure) != RNA_OK)
		return no_memory(err);
	return RNA_OK;
}

/* All samples into two fields that fold_put_samples takes apart. */
static enum rna_status
set_samples(const struct fold_job *job, struct fold_space *space, struct rna_record *rec, size_t n, struct rna_err *err)
{
	uint64_t dims[2] = {job->samples, n}, rid = 0;
	struct rna_rng rng;
	enum rna_status s;
	double energy;
	size_t i, k;

	if (rna_record_put(rec, SAMPLES, RNA_U8, 2, dims) == NULL ||
	    rna_record_put(rec, ENERGIES, RNA_F32, 1, dims) == NULL)
		return no_memory(err);
	rna_record_get_u64(rec, "rid", &rid);
	rna_rng_init(&rng, rna_rng_key(job->t->seed, 0, rid, 0, RNA_RNG_FOLD));
	for (k = 0; k < job->samples; k++) {
		if ((s = rna_partition_sample(space->ensemble, &rng, space->pair, err)) != RNA_OK ||
		    (s = energy_of(job, space, rec, &energy, err)) != RNA_OK)
			return s;
		uint8_t *text = (uint8_t *)rna_record_data(rec, rna_record_find(rec, SAMPLES)) + k * n;
		float *energies = (float *)rna_record_data(rec, rna_record_find(rec, ENERGIES));

		for (i = 0; i < n; i++)
			text[i] = space->pair[i] < 0 ? '.' : (size_t)space->pair[i] > i ? '(' : ')';
		energies[k] = (float)energy;
	}
	return RNA_OK;
}

enum rna_status
fold_ensemble(struct fold_job *job, struct fold_space *space, struct rna_record *rec,
    const struct rna_fold_options *opts, int mfe, struct rna_err *err)
{
	enum rna_status s;
	double ensemble;
	const char *seq;
	size_t n;

	seq = rna_record_get_str(rec, "seq", &n);
	if ((s = rna_partition_fold(space->ensemble, seq, n, opts, mfe, &ensemble, err)) != RNA_OK)
		return s;
	if (rna_record_set_f32(rec, "ensemble", (float)ensemble) != RNA_OK)
		return no_memory(err);
	if (job->partition && (s = set_pairs(job, space, rec, err)) != RNA_OK)
		return s;
	if (job->answer == FOLD_SAMPLE)
		return set_samples(job, space, rec, n, err);
	return job->answer != FOLD_MFE ? set_best(job, space, rec, n, err) : RNA_OK;
}

void
fold_put_samples(struct tool_out *out, struct rna_record *rec, void *arg)
{
	struct fold_job *job = arg;
	const struct rna_field *texts = rna_record_find(rec, SAMPLES), *energies = rna_record_find(rec, ENERGIES);
	size_t n = texts->dims[1];
	char *text = malloc(texts->size + 1);
	float *energy = malloc(energies->size + 1);
	uint32_t k;

	if (text == NULL || energy == NULL)
		tool_die(job->t, "out of memory");
	memcpy(text, rna_record_data(rec, texts), texts->size);
	memcpy(energy, rna_record_data(rec, energies), energies->size);
	rna_record_remove(rec, SAMPLES);
	rna_record_remove(rec, ENERGIES);
	for (k = 0; k < job->samples; k++) {
		if (rna_record_set_str(rec, "structure", text + k * n, n) != RNA_OK ||
		    rna_record_set_f32(rec, "energy", energy[k]) != RNA_OK ||
		    rna_record_set(rec, "sample", RNA_U32, 0, NULL, &k) != RNA_OK)
			tool_die(job->t, "out of memory");
		tool_out_write(out, rec);
	}
	free(text);
	free(energy);
}
