/*
 * features.c: numbers and keys of a record, for classifiers without a backbone.
 */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "nn/featuremodel.h"
#include "seq/kmervec.h"
#include "stream/rng.h"

static enum rna_status
read_vector(struct rna_features *f, const struct rna_record *rec, const char *name, float *x, struct rna_err *err)
{
	const float *v;
	uint64_t n = 0, i;

	if ((v = rna_record_get_vec(rec, name, RNA_F32, &n)) == NULL || n == 0)
		return rna_fail(err, RNA_EFORMAT, "no field %s (f32 [n])", name);
	if (f->size == 0)
		f->size = n;
	if (f->size != n)
		return rna_fail(err, RNA_EFORMAT, "%s has %llu numbers, %zu are expected", name, (unsigned long long)n,
		    f->size);
	for (i = 0; i < n; i++)
		if (!isfinite(v[i]))
			return rna_fail(err, RNA_EFORMAT, "%s: number %llu is not finite", name, (unsigned long long)i);
	if (x != NULL)
		memcpy(x, v, n * sizeof(*x));
	return RNA_OK;
}

/* Made from the letters where the record has none and the number is known. */
static enum rna_status
read_kmer(struct rna_features *f, struct rna_record *rec, float *x, struct rna_err *err)
{
	const size_t pair = rna_record_find(rec, "seq_b") != NULL ? 2 : 1;
	enum rna_status s;
	int k;

	if (rna_record_find(rec, "kmer") == NULL) {
		for (k = 1; k < RNA_KMERVEC_MAX && pair << (2 * k) < f->size; k++)
			continue;
		if (f->size == 0)
			return rna_fail(err, RNA_EFORMAT, "no field kmer; make it with: rna-embed --kmer 3");
		if ((s = rna_kmervec_add(rec, k, err)) != RNA_OK)
			return s;
	}
	return read_vector(f, rec, "kmer", x, err);
}

/* Three numbers of seq; of a pair three more, of seq_b. */
static enum rna_status
read_length(struct rna_features *f, const struct rna_record *rec, float *x, struct rna_err *err)
{
	size_t n[2] = {0, 0}, i;
	size_t parts = rna_record_get_str(rec, "seq_b", &n[1]) != NULL ? 2 : 1;

	if (rna_record_get_str(rec, "seq", &n[0]) == NULL)
		return rna_fail(err, RNA_EFORMAT, "no field seq to measure");
	if (f->size == 0)
		f->size = 3 * parts;
	if (f->size != 3 * parts)
		return rna_fail(err, RNA_EFORMAT, "%s where the training had %s",
		    parts == 2 ? "a pair" : "a single RNA", parts == 2 ? "single RNAs" : "pairs");
	for (i = 0; x != NULL && i < parts; i++) {
		x[3 * i] = (float)log((double)n[i] + 1);
		x[3 * i + 1] = x[3 * i] * x[3 * i];
		x[3 * i + 2] = x[3 * i + 1] * x[3 * i];
	}
	return RNA_OK;
}

enum rna_status
rna_features_read(struct rna_features *f, struct rna_record *rec, float *x, struct rna_err *err)
{
	if (rna_record_find(rec, "chunk") != NULL)
		return rna_fail(err, RNA_EFORMAT, "is a chunk: features are of whole RNAs");
	switch (f->kind) {
	case RNA_FEATURE_KMER:
		return read_kmer(f, rec, x, err);
	case RNA_FEATURE_LENGTH:
		return read_length(f, rec, x, err);
	case RNA_FEATURE_FIELD:
		return read_vector(f, rec, f->field, x, err);
	case RNA_FEATURE_SEQ:
		break;
	}
	return rna_fail(err, RNA_EINVAL, "a text has no numbers");
}

enum rna_status
rna_features_key(const struct rna_record *rec, uint64_t *key, struct rna_err *err)
{
	unsigned char buf[256];
	const char *seq;
	size_t n = 0, i, k;

	if (rna_record_find(rec, "chunk") != NULL)
		return rna_fail(err, RNA_EFORMAT, "is a chunk: features are of whole RNAs");
	if ((seq = rna_record_get_str(rec, "seq", &n)) == NULL)
		return rna_fail(err, RNA_EFORMAT, "no field seq to look up");
	*key = n;
	for (i = 0; i < n; i += k) {
		for (k = 0; k < sizeof(buf) && i + k < n; k++) {
			buf[k] = (unsigned char)toupper((unsigned char)seq[i + k]);
			buf[k] = buf[k] == 'T' ? 'U' : buf[k];
		}
		*key = rna_hash(buf, k, *key);
	}
	return RNA_OK;
}
