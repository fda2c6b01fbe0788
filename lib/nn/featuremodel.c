/*
 * featuremodel.c: the folder of a classifier without a backbone, and its answers.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/endian.h>
#include <sys/stat.h>

#include "nn/config.h"
#include "nn/featuremodel.h"
#include "nn/replace.h"
#include "nn/safetensors.h"

#define ARCHITECTURE "RillFeatures"

static const char *const kinds[] = {"kmer", "length", "seq", "field"}; /* as enum rna_feature_kind */

/* dir/config.json; NULL and err on failure. */
static json_t *
read_json(const char *dir, struct rna_err *err)
{
	char *path = rna_replace_join(dir, "/config.json");
	json_t *o = NULL;

	if (path != NULL)
		o = rna_configfile_load(path, err);
	else
		rna_fail(err, RNA_EMEM, "out of memory");
	free(path);
	return o;
}

static int
is_ours(const json_t *o)
{
	const char *kind = json_string_value(json_array_get(json_object_get(o, "architectures"), 0));

	return kind != NULL && strcmp(kind, ARCHITECTURE) == 0;
}

int
rna_featuremodel_is(const char *dir)
{
	struct rna_err err = {.record = RNA_NOREC};
	json_t *o = read_json(dir, &err);
	int is = is_ours(o);

	json_decref(o);
	return is;
}

static enum rna_status
read_config(struct rna_featuremodel *m, const json_t *o, struct rna_err *err)
{
	const json_t *own = json_object_get(json_object_get(o, "rill"), "features");
	const json_t *id2label = json_object_get(o, "id2label"), *name;
	const char *kind = json_string_value(json_object_get(own, "kind"));
	const char *field = json_string_value(json_object_get(own, "field"));
	json_int_t size = json_integer_value(json_object_get(own, "size"));
	size_t i, k, n = json_object_size(id2label);
	char key[32];

	for (k = 0; k < sizeof(kinds) / sizeof(*kinds) && (kind == NULL || strcmp(kind, kinds[k]) != 0); k++)
		continue;
	if (!is_ours(o) || k == sizeof(kinds) / sizeof(*kinds) || size < 0 || size > 1 << 24 ||
	    (k != RNA_FEATURE_SEQ && size == 0) || n < 2 || n > RNA_CLASSES_MAX)
		return rna_fail(err, RNA_EFORMAT, "is no classifier on features that this version knows");
	m->features.kind = (enum rna_feature_kind)k;
	m->features.size = (size_t)size;
	strlcpy(m->features.field, field != NULL ? field : "", sizeof(m->features.field));
	if ((m->labels = json_array()) == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	for (i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "%zu", i);
		if (!json_is_string(name = json_object_get(id2label, key)))
			return rna_fail(err, RNA_EFORMAT, "id2label has no name for %s", key);
		if (json_array_append(m->labels, (json_t *)(uintptr_t)name) != 0)
			return rna_fail(err, RNA_EMEM, "out of memory");
	}
	return RNA_OK;
}

/* A tensor of a [x b] (b 0: one dimension) as float; NULL and err on failure. */
static float *
read_tensor(const struct rna_safetensors *st, const char *name, size_t a, size_t b, struct rna_err *err)
{
	const struct rna_tensor *t = rna_safetensors_find(st, name);
	float *x;
	uint64_t i;

	if (t == NULL || t->ndim != (b ? 2 : 1) || t->dims[0] != a || (b && t->dims[1] != b)) {
		rna_fail(err, RNA_EFORMAT, "tensor %s is missing or of another shape than config.json says", name);
		return NULL;
	}
	if ((x = reallocarray(NULL, t->count + 1, sizeof(*x))) == NULL) {
		rna_fail(err, RNA_EMEM, "no memory for tensor %s", name);
		return NULL;
	}
	if (rna_safetensors_read(t, 0, t->count, x) == RNA_OK) {
		for (i = 0; i < t->count && isfinite(x[i]); i++)
			continue;
		if (i == t->count)
			return x;
	}
	rna_fail(err, RNA_EFORMAT, "tensor %s can't be read as numbers", name);
	free(x);
	return NULL;
}

static enum rna_status
read_table(struct rna_featuremodel *m, const struct rna_safetensors *st, struct rna_err *err)
{
	const struct rna_tensor *t = rna_safetensors_find(st, "lookup.key");
	size_t i;

	if (t == NULL || t->ndim != 1 || strcmp(t->dtype, "U64") != 0)
		return rna_fail(err, RNA_EFORMAT, "tensor lookup.key is missing or is not U64 [n]");
	m->n = t->count;
	if ((m->key = reallocarray(NULL, m->n + 1, sizeof(*m->key))) == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	for (i = 0; i < m->n; i++) {
		m->key[i] = le64dec(t->data + 8 * i);
		if (i > 0 && m->key[i] <= m->key[i - 1])
			return rna_fail(err, RNA_EFORMAT, "the keys of lookup.key do not rise");
	}
	m->count = read_tensor(st, "lookup.count", m->n, json_array_size(m->labels), err);
	return m->count != NULL ? RNA_OK : err->status;
}

enum rna_status
rna_featuremodel_load(struct rna_featuremodel *m, const char *dir, struct rna_err *err)
{
	json_t *o = read_json(dir, err);
	struct rna_safetensors st = {0};
	enum rna_status s;
	size_t n;

	memset(m, 0, sizeof(*m));
	if (o == NULL)
		return err->status;
	s = read_config(m, o, err);
	if (s == RNA_OK)
		s = rna_safetensors_open_dir(&st, dir, err);
	if (s == RNA_OK)
		s = rna_configfile_compare(o, st.metadata, err);
	json_decref(o);
	n = json_array_size(m->labels);
	if (s == RNA_OK && (m->bias = read_tensor(&st, "classifier.bias", n, 0, err)) == NULL)
		s = err->status;
	if (s == RNA_OK && m->features.kind == RNA_FEATURE_SEQ)
		s = read_table(m, &st, err);
	else if (s == RNA_OK && (m->weight = read_tensor(&st, "classifier.weight", n, m->features.size, err)) == NULL)
		s = err->status;
	rna_safetensors_close(&st);
	if (s != RNA_OK) {
		rna_err_where(err, dir, RNA_NOREC);
		rna_featuremodel_fini(m);
	}
	return s;
}

void
rna_featuremodel_fini(struct rna_featuremodel *m)
{
	json_decref(m->labels);
	free(m->weight);
	free(m->bias);
	free(m->key);
	free(m->count);
	memset(m, 0, sizeof(*m));
}

static json_t *
config_of(const struct rna_featuremodel *m)
{
	json_t *names = json_object(), *ids = json_object(), *label;
	char key[32];
	size_t i;
	int bad = 0;

	json_array_foreach(m->labels, i, label)
	{
		snprintf(key, sizeof(key), "%zu", i);
		bad |= json_object_set(names, key, label);
		bad |= json_object_set_new(ids, json_string_value(label), json_integer((json_int_t)i));
	}
	if (bad) {
		json_decref(names);
		json_decref(ids);
		return NULL;
	}
	return json_pack("{s[s] so so si s{s{ss ss sI}}}", "architectures", ARCHITECTURE, "id2label", names, "label2id",
	    ids, "num_labels", (int)json_array_size(m->labels), "rill", "features", "kind", kinds[m->features.kind],
	    "field", m->features.field, "size", (json_int_t)m->features.size);
}

/* Little-endian, as the file wants it, in place of the numbers that m has. */
static enum rna_status
fetch(const struct rna_tensor_out *t, void *dst, size_t size, void *ctx, struct rna_err *err)
{
	unsigned char *to = dst;
	uint32_t bits;
	uint64_t key;
	size_t i;

	(void)ctx;
	(void)err;
	for (i = 0; t->dtype[0] == 'U' && i < size; i += 8) {
		memcpy(&key, (const char *)t->arg + i, 8);
		le64enc(to + i, key);
	}
	for (i = 0; t->dtype[0] == 'F' && i < size; i += 4) {
		memcpy(&bits, (const char *)t->arg + i, 4);
		le32enc(to + i, bits);
	}
	return RNA_OK;
}

static enum rna_status
write_files(
    const struct rna_featuremodel *m, const char *dir, json_t *config, const json_t *metadata, struct rna_err *err)
{
	const uint64_t classes = json_array_size(m->labels);
	const struct rna_tensor_out all[] = {
	    {"classifier.bias", "F32", 1, {classes}, NULL, m->bias},
	    {"classifier.weight", "F32", 2, {classes, m->features.size}, NULL, m->weight},
	    {"lookup.key", "U64", 1, {m->n}, NULL, m->key},
	    {"lookup.count", "F32", 2, {m->n, classes}, NULL, m->count},
	};
	const int table = m->features.kind == RNA_FEATURE_SEQ;
	const struct rna_tensor_out list[] = {all[0], all[table ? 2 : 1], all[3]};
	char *weights = rna_replace_join(dir, "/model.safetensors"), *path = rna_replace_join(dir, "/config.json");
	enum rna_status s = RNA_OK;

	if (weights == NULL || path == NULL)
		s = rna_fail(err, RNA_EMEM, "out of memory");
	if (s == RNA_OK)
		s = rna_configfile_save(config, path, err);
	if (s == RNA_OK)
		s = rna_safetensors_write(weights, list, table ? 3 : 2, metadata, fetch, NULL, err);
	free(weights);
	free(path);
	return s;
}

enum rna_status
rna_featuremodel_save(const struct rna_featuremodel *m, const char *dir, struct rna_err *err)
{
	json_t *config, *metadata = NULL;
	char id[RNA_CONFIG_ID];
	enum rna_status s;

	if (mkdir(dir, 0777) != 0 && errno != EEXIST)
		return rna_fail_errno(err, "can't be made");
	if ((config = config_of(m)) == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	if ((s = rna_configfile_mark(config, id, err)) == RNA_OK) {
		if ((metadata = json_pack("{ss}", "rill.id", id)) == NULL)
			s = rna_fail(err, RNA_EMEM, "out of memory");
		else
			s = write_files(m, dir, config, metadata, err);
	}
	json_decref(config);
	json_decref(metadata);
	return s;
}

/* The counts of a key; NULL: it was not there. */
static const float *
look_up(const struct rna_featuremodel *m, uint64_t key)
{
	size_t lo = 0, hi = m->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (m->key[mid] == key)
			return m->count + mid * json_array_size(m->labels);
		if (m->key[mid] < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static enum rna_status
answer_by_table(const struct rna_featuremodel *m, const struct rna_record *rec, float *logits, struct rna_err *err)
{
	const size_t n = json_array_size(m->labels);
	enum rna_status s;
	const float *count;
	double total = 1;
	uint64_t key;
	size_t c;

	if ((s = rna_features_key(rec, &key, err)) != RNA_OK)
		return s;
	count = look_up(m, key);
	for (c = 0; count != NULL && c < n; c++)
		total += (double)count[c];
	for (c = 0; c < n; c++)
		logits[c] = (float)log(((count != NULL ? (double)count[c] : 0) + exp((double)m->bias[c])) / total);
	return RNA_OK;
}

enum rna_status
rna_featuremodel_logits(const struct rna_featuremodel *m, struct rna_record *rec, float *logits, struct rna_err *err)
{
	struct rna_features f = m->features;
	const size_t n = json_array_size(m->labels);
	enum rna_status s;
	double sum;
	size_t c, j;
	float *x;

	if (f.kind == RNA_FEATURE_SEQ)
		return answer_by_table(m, rec, logits, err);
	if ((x = reallocarray(NULL, f.size, sizeof(*x))) == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	s = rna_features_read(&f, rec, x, err);
	for (c = 0; s == RNA_OK && c < n; c++) {
		sum = (double)m->bias[c];
		for (j = 0; j < f.size; j++)
			sum += (double)m->weight[c * f.size + j] * (double)x[j];
		logits[c] = (float)sum;
	}
	free(x);
	return s;
}
