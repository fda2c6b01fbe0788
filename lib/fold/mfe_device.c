/*
 * mfe_device.c: the energy model as the plain tables of kernels/rk_fold.h, and batches of RNAs (mfe_device.h).
 */
#include <stdlib.h>
#include <string.h>

#include "fold/mfe_device.h"
#include "fold/mfe_private.h"
#include "rk_fold.h"
#include "stream/buf.h"

struct rna_mfe_device {
	struct rk *rk;
	struct rk_folder *folder;
	struct rna_buf code;     /* of all RNAs */
	int32_t *first, *energy; /* [cap + 1], [cap] */
	size_t n, cap;
	int16_t *partner; /* [partner_cap] */
	size_t partner_cap;
};

/* 1. Tables */

#define COPY(to, from)                                                                                                 \
	do {                                                                                                           \
		_Static_assert(sizeof(to) == sizeof(from), "one shape");                                               \
		memcpy(to, from, sizeof(to));                                                                          \
	} while (0)

static void
set_loops(struct rk_fold_tables *t, const struct rna_energy *e, const struct rna_mfe *m)
{
	int n;

	COPY(t->stack, e->stack);
	COPY(t->int11, e->int11);
	COPY(t->int21, e->int21);
	COPY(t->int22, e->int22);
	COPY(t->mismatch_hairpin, e->mismatch_hairpin);
	COPY(t->mismatch_interior, e->mismatch_interior);
	COPY(t->mismatch_1n, e->mismatch_1n);
	COPY(t->mismatch_23, e->mismatch_23);
	COPY(t->multi, m->multi);
	COPY(t->exterior, m->exterior);
	COPY(t->closing, m->closing);
	COPY(t->bulge, e->bulge);
	COPY(t->interior, e->interior);
	COPY(t->asymmetry, m->ninio);
	COPY(t->pair_type, rna_pair_types);
	for (n = 0; n <= RK_FOLD_LONGEST; n++)
		t->hairpin[n] = rna_energy_length(e, e->hairpin, n);
	t->loop_23 = e->interior[5] + e->ninio;
	t->terminal_au = e->terminal_au;
	t->ml_base = e->ml_base;
}

static void
set_special(struct rk_fold_tables *t, const struct rna_energy *e)
{
	uint8_t code[sizeof(e->special[0].loop) + 2];
	size_t n;
	int k;

	for (k = 0; k < e->nspecial; k++) {
		n = strlen(e->special[k].loop);
		rna_fold_encode(e->special[k].loop, n, code);
		t->special_key[k] = rk_fold_key(code + 1, (int)n);
		t->special_energy[k] = e->special[k].energy;
	}
	t->nspecial = e->nspecial;
}

struct rna_mfe_device *
rna_mfe_device_create(struct rk *rk, const struct rna_energy *e, int max_span, struct rna_err *err)
{
	struct rna_mfe_device *d = calloc(1, sizeof(*d));
	struct rk_fold_tables *t = calloc(1, sizeof(*t));
	struct rna_mfe *m = rna_mfe_create(e);

	if (d == NULL || t == NULL || m == NULL)
		rna_fail(err, RNA_EMEM, "out of memory");
	else {
		set_loops(t, e, m);
		set_special(t, e);
		t->max_span = max_span;
		d->rk = rk;
		if ((d->folder = rk_folder_create(rk, t)) == NULL)
			rna_fail(err, RNA_EDEVICE, "%s", rk_error(rk));
	}
	rna_mfe_destroy(m);
	free(t);
	if (d != NULL && d->folder != NULL)
		return d;
	free(d);
	return NULL;
}

void
rna_mfe_device_destroy(struct rna_mfe_device *d)
{
	if (d == NULL)
		return;
	rk_folder_destroy(d->folder);
	rna_buf_fini(&d->code);
	free(d->first);
	free(d->energy);
	free(d->partner);
	free(d);
}

size_t
rna_mfe_device_longest(const struct rna_mfe_device *d)
{
	return (size_t)rk_folder_longest(d->folder);
}

/* 2. Batches */

void
rna_mfe_device_reset(struct rna_mfe_device *d)
{
	rna_buf_reuse(&d->code);
	d->n = 0;
}

/* Room for one RNA more. */
static int
grow(struct rna_mfe_device *d)
{
	size_t cap = d->cap > 0 ? 2 * d->cap : 64;
	int32_t *p;

	if (d->n < d->cap)
		return 0;
	if ((p = reallocarray(d->first, cap + 1, sizeof(*p))) == NULL)
		return -1;
	d->first = p;
	if ((p = reallocarray(d->energy, cap, sizeof(*p))) == NULL)
		return -1;
	d->energy = p;
	d->cap = cap;
	return 0;
}

enum rna_status
rna_mfe_device_add(struct rna_mfe_device *d, const char *letters, size_t n, struct rna_err *err)
{
	unsigned char *to;

	if (n > rna_mfe_device_longest(d) || d->code.len + n > INT32_MAX)
		return rna_fail(err, RNA_EINVAL, "%zu nt are too many for %s", n, rk_name(d->rk));
	if (grow(d) != 0 || rna_buf_reserve(&d->code, n + 2) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	to = d->code.data + d->code.len;
	rna_fold_encode(letters, n, to);
	memmove(to, to + 1, n);
	d->first[d->n++] = (int32_t)d->code.len;
	d->code.len += n;
	d->first[d->n] = (int32_t)d->code.len;
	return RNA_OK;
}

enum rna_status
rna_mfe_device_fold(struct rna_mfe_device *d, struct rna_err *err)
{
	size_t i;

	if (d->n == 0)
		return RNA_OK;
	if (d->partner_cap < d->code.len) {
		free(d->partner);
		d->partner = reallocarray(NULL, d->code.len, sizeof(*d->partner));
		d->partner_cap = d->partner != NULL ? d->code.len : 0;
		if (d->partner == NULL)
			return rna_fail(err, RNA_EMEM, "out of memory");
	}
	if (rk_folder_run(d->folder, d->code.data, d->first, (int)d->n, d->energy, d->partner) != RK_OK)
		return rna_fail(err, RNA_EDEVICE, "%s", rk_error(d->rk));
	for (i = 0; i < d->n; i++)
		if (d->energy[i] == RK_FOLD_INF)
			return rna_fail(err, RNA_EDEVICE,
			    "the dynamic programme does not agree with itself on %s: please report this",
			    rk_name(d->rk));
	return RNA_OK;
}

const int16_t *
rna_mfe_device_answer(const struct rna_mfe_device *d, size_t i, int *energy)
{
	*energy = d->energy[i];
	return d->partner + d->first[i];
}
