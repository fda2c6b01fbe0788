/*
 * foldnet.c: a folding network opened, made and saved.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/endian.h>
#include <sys/stat.h>

#include "nn/configfile.h"
#include "nn/foldnet_private.h"
#include "nn/replace.h"
#include "nn/safetensors.h"
#include "stream/rng.h"

static enum rna_status
declare(struct rna_foldnet *f, const struct foldnet_param *list, size_t n, struct rna_err *err)
{
	for (size_t i = 0; i < n; i++)
		if (rna_params_add(&f->params, list[i].name, list[i].ndim, list[i].dims, list[i].ndim > 1) < 0)
			return rna_fail(err, RNA_EMEM, "no memory for the folding network");
	return rna_params_alloc(&f->params, err);
}

/* The start of a parameter, as PyTorch draws it. */
static void
draw(const struct foldnet_param *p, size_t n, uint64_t seed, float *dst)
{
	const double bound =
	    p->kind == FOLDNET_XAVIER ? sqrt(6.0 / p->fan_in) : 1 / sqrt(p->fan_in > 0 ? p->fan_in : 1);
	struct rna_rng rng;

	rna_rng_init(&rng, rna_rng_key(seed, 0, rna_hash(p->name, strlen(p->name), 0), 0, RNA_RNG_INIT));
	for (size_t i = 0; i < n; i++) {
		if (p->kind == FOLDNET_EMBEDDING)
			dst[i] = i < (size_t)p->dims[1] ? 0 : (float)rna_rng_normal(&rng);
		else if (p->kind == FOLDNET_GAMMA)
			dst[i] = 1;
		else if (p->kind == FOLDNET_BETA || p->kind == FOLDNET_ZERO)
			dst[i] = 0;
		else
			dst[i] = (float)(bound * (2 * rna_rng_double(&rng) - 1));
	}
}

/* Parameter i from values made or read by `data`. */
static enum rna_status
put(struct rna_foldnet *f, size_t i, const float *data, struct rna_err *err)
{
	if (rk_upload_f32(f->rk, rna_params_value(&f->params, (int)i), data, f->params.list[i].n) != RK_OK)
		return rna_fail(err, RNA_EDEVICE, "%s", rk_error(f->rk));
	return RNA_OK;
}

enum rna_status
rna_foldnet_create(
    struct rna_foldnet *f, const struct rna_foldnet_config *c, struct rk *rk, uint64_t seed, struct rna_err *err)
{
	struct foldnet_param *list;
	enum rna_status st;
	size_t n = 0;
	float *data;

	memset(f, 0, sizeof(*f));
	f->config = *c;
	f->rk = rk;
	rna_params_init(&f->params, rk);
	if (!(list = foldnet_table(c, &n)))
		return rna_fail(err, RNA_EMEM, "no memory");
	st = declare(f, list, n, err);
	for (size_t i = 0; i < n && !st; i++) {
		if (!(data = calloc(f->params.list[i].n, sizeof(*data)))) {
			st = rna_fail(err, RNA_EMEM, "no memory for %s", list[i].name);
			break;
		}
		draw(&list[i], f->params.list[i].n, seed, data);
		st = put(f, i, data, err);
		free(data);
	}
	free(list);
	return st;
}

/* The values of parameter i from a tensor of the file. */
static enum rna_status
fill(struct rna_foldnet *f, const struct rna_safetensors *file, const struct foldnet_param *p, size_t i,
    struct rna_err *err)
{
	const char *name = f->config.published ? p->published : p->name;
	const struct rna_tensor *t = rna_safetensors_find(file, name);
	enum rna_status st = RNA_OK;
	int same = t && t->ndim == p->ndim;
	float *data;

	for (int d = 0; same && d < p->ndim; d++)
		same = t->dims[d] == (uint64_t)p->dims[d];
	if (!same)
		return rna_fail(err, RNA_EFORMAT, "tensor %s %s", name,
		    t ? "has another shape than config.json asks for" : "is missing");
	if (!(data = reallocarray(NULL, t->count, sizeof(*data))))
		return rna_fail(err, RNA_EMEM, "no memory for tensor %s", name);
	if (rna_safetensors_read(t, 0, t->count, data) != RNA_OK)
		st = rna_fail(err, RNA_EFORMAT, "tensor %s can't be read as numbers", name);
	for (size_t k = 0; !st && k < t->count; k++)
		if (!isfinite(data[k]))
			st = rna_fail(err, RNA_EFORMAT, "tensor %s: element %zu is not a number", name, k);
	if (!st)
		st = put(f, i, data, err);
	free(data);
	return st;
}

/* Tensors of a folding network that have no place in this one. */
static enum rna_status
check_rest(const struct rna_foldnet *f, const struct rna_safetensors *file, const struct foldnet_param *list, size_t n,
    struct rna_err *err)
{
	const char *prefix = f->config.published ? "zuker." : "fold.";

	for (size_t i = 0; i < file->n; i++) {
		const char *name = file->list[i].name;
		size_t k = 0;

		if (strncmp(name, prefix, strlen(prefix)) != 0)
			continue;
		while (k < n && strcmp(name, f->config.published ? list[k].published : list[k].name) != 0)
			k++;
		if (k == n)
			return rna_fail(
			    err, RNA_EFORMAT, "tensor %.200s has no place in the network of config.json", name);
	}
	return RNA_OK;
}

enum rna_status
rna_foldnet_open(struct rna_foldnet *f, const char *dir, struct rk *rk, struct rna_err *err)
{
	struct rna_safetensors file = {0};
	struct foldnet_param *list = NULL;
	json_t *config = NULL;
	enum rna_status st;
	size_t n = 0;

	memset(f, 0, sizeof(*f));
	f->rk = rk;
	rna_params_init(&f->params, rk);
	if ((st = foldnet_load_config(&f->config, dir, &config, err)) ||
	    (st = rna_safetensors_open_dir(&file, dir, err))) {
		json_decref(config);
		return st;
	}
	st = rna_configfile_compare(config, file.metadata, err);
	json_decref(config);
	if (!st && !(list = foldnet_table(&f->config, &n)))
		st = rna_fail(err, RNA_EMEM, "no memory");
	if (!st && !(st = check_rest(f, &file, list, n, err)))
		st = declare(f, list, n, err);
	for (size_t i = 0; i < n && !st; i++)
		st = fill(f, &file, &list[i], i, err);
	if (!st)
		rna_safetensors_digest(&file, f->digest);
	else
		rna_err_where(err, dir, RNA_NOREC);
	free(list);
	rna_safetensors_close(&file);
	return st;
}

void
rna_foldnet_fini(struct rna_foldnet *f)
{
	rna_params_fini(&f->params);
	memset(f, 0, sizeof(*f));
}

/* config.json and what of it goes beside the weights; both are the caller's to let go of, also on failure. */
static enum rna_status
describe(const struct rna_foldnet *f, json_t **config, json_t **metadata, struct rna_err *err)
{
	json_t *fold = rna_foldnet_config_json(&f->config);
	char id[RNA_CONFIG_ID];
	enum rna_status st;

	*metadata = NULL;
	if (!(*config = json_pack("{s:s, s:{s:o}}", "model_type", "rill_fold", "rill", "fold", fold)))
		return rna_fail(err, RNA_EMEM, "no memory");
	if ((st = rna_configfile_mark(*config, id, err)))
		return st;
	*metadata = json_pack("{s:s, s:s}", "format", "pt", "rill.id", id);
	return *metadata ? RNA_OK : rna_fail(err, RNA_EMEM, "no memory");
}

static enum rna_status
fetch(const struct rna_tensor_out *t, void *dst, size_t size, void *ctx, struct rna_err *err)
{
	return rna_params_fetch(ctx, t->arg, dst, size, err);
}

enum rna_status
rna_foldnet_save(const struct rna_foldnet *f, const char *dir, struct rna_err *err)
{
	struct rna_tensor_out *out = calloc((size_t)f->params.n + 1, sizeof(*out));
	json_t *o, *meta;
	char *config = rna_replace_join(dir, "/config.json"), *weights = rna_replace_join(dir, "/model.safetensors");
	enum rna_status st = describe(f, &o, &meta, err);

	if (!st && (!out || !config || !weights))
		st = rna_fail(err, RNA_EMEM, "no memory");
	if (!st && mkdir(dir, 0777) < 0 && errno != EEXIST) {
		st = rna_fail_errno(err, "can't make the folder");
		rna_err_where(err, dir, RNA_NOREC);
	}
	if (!st)
		st = rna_configfile_save(o, config, err);
	if (!st)
		st = rna_safetensors_write(
		    weights, out, rna_params_list(&f->params, out), meta, fetch, (void *)(uintptr_t)&f->params, err);
	free(config);
	free(weights);
	free(out);
	json_decref(o);
	json_decref(meta);
	return st;
}
