/*
 * optimizer.c: three call lists over the flat arrays - clear the gradients, take their norm, step - and Adam's state in
 * a file.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/optimizer.h"
#include "nn/safetensors.h"

static enum rna_status
device_failed(const struct rna_optimizer *o, struct rna_err *err)
{
	return rna_fail(err, RNA_EDEVICE, "%s: %s", rk_name(o->params->rk), rk_error(o->params->rk));
}

static enum rna_status
run(struct rna_optimizer *o, struct rk_list *list, struct rna_err *err)
{
	return rk_list_run(list) == RK_OK ? RNA_OK : device_failed(o, err);
}

static int
record(struct rna_optimizer *o)
{
	struct rna_params *p = o->params;
	struct rk_call zero = {.op = RK_ZERO}, norm = {.op = RK_SUM_SQUARES}, step = {.op = RK_ADAMW};

	zero.u.bytes = (struct rk_bytes){p->grad, p->total * rk_real_size(p->rk)};
	norm.u.sum_squares = (struct rk_sum_squares){p->grad, p->total, o->norm2, o->scratch};
	step.u.adamw = (struct rk_adamw){p->total, p->value, p->grad, p->m, p->v, p->decay, o->norm2, o->setting};
	o->zero = rk_list_create(p->rk, &zero, 1, o->live);
	o->norm = rk_list_create(p->rk, &norm, 1, o->live);
	o->step = rk_list_create(p->rk, &step, 1, o->live);
	return o->zero != NULL && o->norm != NULL && o->step != NULL ? 0 : -1;
}

enum rna_status
rna_optimizer_init(struct rna_optimizer *o, struct rna_params *params, struct rna_err *err)
{
	struct rk *rk = params->rk;
	enum rna_status s;

	memset(o, 0, sizeof(*o));
	o->params = params;
	if (params->grad == NULL && (s = rna_params_train(params, err)) != RNA_OK)
		return s;
	o->nscratch = rk_sum_scratch(params->total);
	o->live = rk_alloc(rk, RK_NLIVE * sizeof(*o->live));
	o->norm2 = rk_alloc(rk, sizeof(*o->norm2));
	o->scratch = rk_alloc(rk, o->nscratch * sizeof(*o->scratch));
	o->setting = rk_alloc(rk, sizeof(*o->setting));
	if (o->live == NULL || o->norm2 == NULL || o->scratch == NULL || o->setting == NULL || record(o) != 0)
		return rna_fail(err, RNA_EMEM, "out of memory for the optimiser");
	return RNA_OK;
}

void
rna_optimizer_fini(struct rna_optimizer *o)
{
	struct rk *rk;

	if (o->params == NULL)
		return;
	rk = o->params->rk;
	rk_list_destroy(o->zero);
	rk_list_destroy(o->norm);
	rk_list_destroy(o->step);
	rk_free(rk, o->live, RK_NLIVE * sizeof(*o->live));
	rk_free(rk, o->norm2, sizeof(*o->norm2));
	rk_free(rk, o->scratch, o->nscratch * sizeof(*o->scratch));
	rk_free(rk, o->setting, sizeof(*o->setting));
	memset(o, 0, sizeof(*o));
}

enum rna_status
rna_optimizer_zero(struct rna_optimizer *o, struct rna_err *err)
{
	return run(o, o->zero, err);
}

enum rna_status
rna_optimizer_norm(struct rna_optimizer *o, double *norm, struct rna_err *err)
{
	enum rna_status s;
	double sum;

	if ((s = run(o, o->norm, err)) != RNA_OK)
		return s;
	if (rk_download(o->params->rk, &sum, o->norm2, sizeof(sum)) != RK_OK)
		return device_failed(o, err);
	*norm = sqrt(sum);
	return RNA_OK;
}

enum rna_status
rna_optimizer_ask_norm(struct rna_optimizer *o, struct rk_reply *reply, struct rna_err *err)
{
	enum rna_status s = run(o, o->norm, err);

	if (s == RNA_OK && rk_reply_ask(reply, 0, o->norm2, sizeof(*o->norm2)) != RK_OK)
		return device_failed(o, err);
	return s;
}

enum rna_status
rna_optimizer_set_norm(struct rna_optimizer *o, double norm, struct rna_err *err)
{
	const double norm2 = norm * norm;

	return rk_upload(o->params->rk, o->norm2, &norm2, sizeof(norm2)) == RK_OK ? RNA_OK : device_failed(o, err);
}

enum rna_status
rna_optimizer_step(struct rna_optimizer *o, const struct rk_adamw_step *setting, struct rna_err *err)
{
	if (rk_upload(o->params->rk, o->setting, setting, sizeof(*setting)) != RK_OK)
		return device_failed(o, err);
	return run(o, o->step, err);
}

/* Where the m or v (which: 0, 1) of parameter i lies on the device. */
static void *
moment(const struct rna_params *p, int which, int i)
{
	return (char *)(which == 0 ? p->m : p->v) + p->list[i].offset * rk_real_size(p->rk);
}

static void
moment_name(const struct rna_params *p, int which, int i, char *dst, size_t n)
{
	snprintf(dst, n, "%c.%s", which == 0 ? 'm' : 'v', p->list[i].name);
}

/* One tensor of the file: arg is where it lies. */
static enum rna_status
fetch(const struct rna_tensor_out *t, void *dst, size_t size, void *ctx, struct rna_err *err)
{
	const struct rna_optimizer *o = ctx;

	if (rk_download_f32(o->params->rk, dst, t->arg, size / sizeof(float)) != RK_OK)
		return device_failed(o, err);
	return RNA_OK;
}

enum rna_status
rna_optimizer_save(const struct rna_optimizer *o, const char *path, struct rna_err *err)
{
	const struct rna_params *p = o->params;
	struct rna_tensor_out *list;
	char(*names)[sizeof(p->list->name) + 2];
	enum rna_status s;
	int i, d, k;

	list = calloc(2 * (size_t)p->n, sizeof(*list));
	names = calloc(2 * (size_t)p->n, sizeof(*names));
	if (list == NULL || names == NULL) {
		free(list);
		free(names);
		return rna_fail(err, RNA_EMEM, "out of memory");
	}
	for (i = 0; i < 2 * p->n; i++) {
		k = i / 2;
		moment_name(p, i % 2, k, names[i], sizeof(names[i]));
		list[i].name = names[i];
		list[i].dtype = "F32";
		list[i].ndim = p->list[k].ndim;
		for (d = 0; d < list[i].ndim; d++)
			list[i].dims[d] = (uint64_t)p->list[k].dims[d];
		list[i].arg = moment(p, i % 2, k);
	}
	s = rna_safetensors_write(path, list, 2 * (size_t)p->n, NULL, fetch, (void *)o, err);
	free(list);
	free(names);
	return s;
}

static enum rna_status
load_moment(
    struct rna_optimizer *o, const struct rna_safetensors *st, int which, int i, float *host, struct rna_err *err)
{
	const struct rna_params *p = o->params;
	const struct rna_tensor *t;
	char name[sizeof(p->list->name) + 2];

	moment_name(p, which, i, name, sizeof(name));
	t = rna_safetensors_find(st, name);
	if (t == NULL || t->count != p->list[i].n || rna_safetensors_read(t, 0, t->count, host) != RNA_OK)
		return rna_fail(err, RNA_EFORMAT, "%s is missing or not as large as the model's", name);
	if (rk_upload_f32(p->rk, moment(p, which, i), host, p->list[i].n) != RK_OK)
		return device_failed(o, err);
	return RNA_OK;
}

enum rna_status
rna_optimizer_load(struct rna_optimizer *o, const char *path, struct rna_err *err)
{
	const struct rna_params *p = o->params;
	struct rna_safetensors st;
	enum rna_status s;
	float *host = NULL;
	size_t largest = 0;
	int i;

	for (i = 0; i < p->n; i++)
		largest = p->list[i].n > largest ? p->list[i].n : largest;
	if ((s = rna_safetensors_open(&st, path, err)) != RNA_OK)
		return s;
	if ((host = calloc(largest + 1, sizeof(*host))) == NULL)
		s = rna_fail(err, RNA_EMEM, "out of memory");
	for (i = 0; s == RNA_OK && i < 2 * p->n; i++)
		s = load_moment(o, &st, i % 2, i / 2, host, err);
	if (s != RNA_OK)
		rna_err_where(err, path, RNA_NOREC);
	free(host);
	rna_safetensors_close(&st);
	return s;
}
