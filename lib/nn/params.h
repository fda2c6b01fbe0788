/*
 * params.h: the named parameters of a model in one flat array per role (value, gradient, Adam's m and v), so that the
 * optimiser and the gradient norm are one pass.  Tensors start at multiples of 64 elements; the gaps are zero.
 */
#ifndef RNA_PARAMS_H
#define RNA_PARAMS_H

#include <stddef.h>
#include <stdint.h>
#include "rk.h"
#include "stream/status.h"

struct rna_param {
	char name[128]; /* rill's own name; formats/model.md maps it to the names of a file */
	int ndim;
	int dims[4];
	size_t offset, n; /* elements */
	int decay;        /* 1: weight decay applies (matrices, embeddings; not biases and norms) */
	int later;        /* 1: its values are not held: bring makes them, a tape that has packed them gives them up */
};

struct rna_params {
	struct rk *rk;
	struct rna_param *list;
	int n, cap;
	size_t total;       /* elements of the flat arrays, gaps included */
	void *value;        /* real [total], device */
	void *grad, *m, *v; /* real [total], device; NULL until rna_params_train */
	uint8_t *decay;     /* device, one per 64 elements; NULL until rna_params_train */
	/* Brings the values of a parameter that comes later; NULL: all are held, else there is no training. */
	enum rna_status (*bring)(void *ctx, int param, struct rna_err *err);
	void *ctx;
};

void rna_params_init(struct rna_params *p, struct rk *rk);
void rna_params_fini(struct rna_params *p);
/* Declares a tensor; its index, or -1 (no memory, duplicate name).  Before rna_params_alloc. */
int rna_params_add(struct rna_params *p, const char *name, int ndim, const int *dims, int decay);
int rna_params_find(const struct rna_params *p, const char *name); /* -1: none */
enum rna_status rna_params_alloc(struct rna_params *p, struct rna_err *err) RNA_CHECK;
enum rna_status rna_params_train(struct rna_params *p, struct rna_err *err) RNA_CHECK; /* grad, m, v, decay */
void *rna_params_value(const struct rna_params *p, int i);                             /* device pointer */
void *rna_params_grad(const struct rna_params *p, int i);

/* params_save.c: all parameters as tensors to write (out has room for n), whose values rna_params_fetch brings; of is a
 * tensor's arg. */
struct rna_tensor_out;
size_t rna_params_list(const struct rna_params *p, struct rna_tensor_out *out);
enum rna_status rna_params_fetch(
    const struct rna_params *p, const struct rna_param *of, void *dst, size_t size, struct rna_err *err) RNA_CHECK;
/* All parameters to a safetensors file, and back: those in force, or kept [total], as rk_download_f32 gave them. */
enum rna_status
rna_params_save(const struct rna_params *p, const float *kept, const char *path, struct rna_err *err) RNA_CHECK;
/* RNA_EFORMAT: one is missing, of another size, or not a number. */
enum rna_status
rna_params_load(const struct rna_params *p, float *kept, const char *path, struct rna_err *err) RNA_CHECK;

#endif
