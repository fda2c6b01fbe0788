/*
 * params_save.c: parameters as tensors of a file, under their own names.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/endian.h>

#include "nn/params.h"
#include "nn/safetensors.h"

size_t
rna_params_list(const struct rna_params *p, struct rna_tensor_out *out)
{
	for (int i = 0; i < p->n; i++) {
		out[i] = (struct rna_tensor_out){
		    .name = p->list[i].name, .dtype = "F32", .ndim = p->list[i].ndim, .arg = &p->list[i]};
		for (int d = 0; d < p->list[i].ndim; d++)
			out[i].dims[d] = (uint64_t)p->list[i].dims[d];
	}
	return (size_t)p->n;
}

/* Floats as a file has them, little-endian, in place. */
static void
encode(void *dst, size_t size)
{
	unsigned char *bytes = dst;
	uint32_t bits;

	for (size_t i = 0; i + 4 <= size; i += 4) {
		memcpy(&bits, bytes + i, 4);
		le32enc(bytes + i, bits);
	}
}

enum rna_status
rna_params_fetch(const struct rna_params *p, const struct rna_param *of, void *dst, size_t size, struct rna_err *err)
{
	if (rk_download_f32(p->rk, dst, rna_params_value(p, (int)(of - p->list)), of->n) != RK_OK)
		return rna_fail(err, RNA_EDEVICE, "%s", rk_error(p->rk));
	encode(dst, size);
	return RNA_OK;
}

/* What is written: those in force, or kept. */
struct saved {
	const struct rna_params *p;
	const float *kept;
};

static enum rna_status
fetch(const struct rna_tensor_out *t, void *dst, size_t size, void *ctx, struct rna_err *err)
{
	const struct saved *s = ctx;
	const struct rna_param *of = t->arg;

	if (s->kept == NULL)
		return rna_params_fetch(s->p, of, dst, size, err);
	memcpy(dst, s->kept + of->offset, size);
	encode(dst, size);
	return RNA_OK;
}

enum rna_status
rna_params_save(const struct rna_params *p, const float *kept, const char *path, struct rna_err *err)
{
	struct rna_tensor_out *out = calloc((size_t)p->n + 1, sizeof(*out));
	struct saved what = {p, kept};
	enum rna_status s;

	if (out == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	s = rna_safetensors_write(path, out, rna_params_list(p, out), NULL, fetch, &what, err);
	free(out);
	return s;
}

/* The values of parameter i from the file into host [n]. */
static enum rna_status
read_one(const struct rna_safetensors *file, const struct rna_param *of, float *host, struct rna_err *err)
{
	const struct rna_tensor *t = rna_safetensors_find(file, of->name);

	if (t == NULL || t->count != of->n || rna_safetensors_read(t, 0, t->count, host) != RNA_OK)
		return rna_fail(err, RNA_EFORMAT, "%s is missing or not as large as the model's", of->name);
	for (size_t k = 0; k < of->n; k++)
		if (!isfinite(host[k]))
			return rna_fail(err, RNA_EFORMAT, "%s: element %zu is not a number", of->name, k);
	return RNA_OK;
}

enum rna_status
rna_params_load(const struct rna_params *p, float *kept, const char *path, struct rna_err *err)
{
	float *host = kept != NULL ? kept : calloc(p->total + 1, sizeof(*host));
	struct rna_safetensors file;
	enum rna_status s;

	if (host == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	if ((s = rna_safetensors_open(&file, path, err)) == RNA_OK) {
		for (int i = 0; i < p->n && s == RNA_OK; i++)
			s = read_one(&file, &p->list[i], host + p->list[i].offset, err);
		if (s != RNA_OK)
			rna_err_where(err, path, RNA_NOREC);
		rna_safetensors_close(&file);
	}
	if (s == RNA_OK && kept == NULL && rk_upload_f32(p->rk, p->value, host, p->total) != RK_OK)
		s = rna_fail(err, RNA_EDEVICE, "%s", rk_error(p->rk));
	if (kept == NULL)
		free(host);
	return s;
}
