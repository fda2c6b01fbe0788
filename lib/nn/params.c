/*
 * params.c: named parameters in flat arrays.
 */
#include <stdlib.h>
#include <string.h>

#include "nn/params.h"

#define BLOCK 64 /* elements; every tensor starts at a multiple */

void
rna_params_init(struct rna_params *p, struct rk *rk)
{
	memset(p, 0, sizeof(*p));
	p->rk = rk;
}

void
rna_params_fini(struct rna_params *p)
{
	size_t bytes;

	if (p->rk) {
		bytes = p->total * rk_real_size(p->rk);
		if (p->value)
			rk_free(p->rk, p->value, bytes);
		if (p->grad)
			rk_free(p->rk, p->grad, bytes);
		if (p->m)
			rk_free(p->rk, p->m, bytes);
		if (p->v)
			rk_free(p->rk, p->v, bytes);
		if (p->decay)
			rk_free(p->rk, p->decay, p->total / BLOCK);
	}
	free(p->list);
	memset(p, 0, sizeof(*p));
}

/* Elements of a shape, or 0 when there are none or too many. */
static size_t
elements(int ndim, const int *dims)
{
	size_t n = 1;

	if (ndim < 1 || ndim > 4)
		return 0;
	for (int i = 0; i < ndim; i++)
		if (dims[i] < 1 || __builtin_mul_overflow(n, (size_t)dims[i], &n))
			return 0;
	return n > SIZE_MAX / 2 ? 0 : n;
}

int
rna_params_add(struct rna_params *p, const char *name, int ndim, const int *dims, int decay)
{
	struct rna_param *list, *e;
	size_t n, end;
	int cap;

	n = elements(ndim, dims);
	if (!n || p->value || strlen(name) >= sizeof(e->name) || rna_params_find(p, name) >= 0)
		return -1;
	if (__builtin_add_overflow(p->total, n, &end) || end > SIZE_MAX / 16 - BLOCK)
		return -1;
	if (p->n == p->cap) {
		cap = p->cap ? p->cap * 2 : 64;
		list = reallocarray(p->list, (size_t)cap, sizeof(*list));
		if (!list)
			return -1;
		p->list = list;
		p->cap = cap;
	}
	e = &p->list[p->n];
	memset(e, 0, sizeof(*e));
	memcpy(e->name, name, strlen(name));
	e->ndim = ndim;
	memcpy(e->dims, dims, (size_t)ndim * sizeof(*dims));
	e->offset = p->total;
	e->n = n;
	e->decay = decay;
	p->total = (end + BLOCK - 1) / BLOCK * BLOCK;
	return p->n++;
}

int
rna_params_find(const struct rna_params *p, const char *name)
{
	for (int i = 0; i < p->n; i++)
		if (strcmp(p->list[i].name, name) == 0)
			return i;
	return -1;
}

static enum rna_status
take(struct rna_params *p, void **dst, struct rna_err *err)
{
	size_t bytes = p->total * rk_real_size(p->rk);

	if (!*dst)
		*dst = rk_alloc(p->rk, bytes);
	if (!*dst)
		return rna_fail(err, RNA_EMEM, "no memory for the model: %zu MiB", bytes >> 20);
	return RNA_OK;
}

enum rna_status
rna_params_alloc(struct rna_params *p, struct rna_err *err)
{
	return take(p, &p->value, err);
}

enum rna_status
rna_params_train(struct rna_params *p, struct rna_err *err)
{
	enum rna_status st;
	uint8_t *decay;

	if (p->bring)
		return rna_fail(err, RNA_EINVAL, "the model was opened to be run, not to be trained");
	if ((st = take(p, &p->grad, err)) || (st = take(p, &p->m, err)) || (st = take(p, &p->v, err)))
		return st;
	if (p->decay)
		return RNA_OK;
	decay = calloc(p->total / BLOCK + 1, 1);
	p->decay = rk_alloc(p->rk, p->total / BLOCK);
	if (!decay || !p->decay) {
		free(decay);
		return rna_fail(err, RNA_EMEM, "no memory for the model");
	}
	for (int i = 0; i < p->n; i++)
		if (p->list[i].decay)
			memset(decay + p->list[i].offset / BLOCK, 1, (p->list[i].n + BLOCK - 1) / BLOCK);
	if (rk_upload(p->rk, p->decay, decay, p->total / BLOCK) != RK_OK)
		st = rna_fail(err, RNA_EDEVICE, "%s", rk_error(p->rk));
	free(decay);
	return st;
}

void *
rna_params_value(const struct rna_params *p, int i)
{
	return (char *)p->value + p->list[i].offset * rk_real_size(p->rk);
}

void *
rna_params_grad(const struct rna_params *p, int i)
{
	return (char *)p->grad + p->list[i].offset * rk_real_size(p->rk);
}
