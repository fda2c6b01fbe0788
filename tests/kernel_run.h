/*
 * kernel_run.h: the part of kernel_problem.h that runs a problem on a backend and gets its buffers back.
 */
#ifndef KERNEL_RUN_H
#define KERNEL_RUN_H

/* Bytes of an element of a buffer on a backend. */
static size_t
p_size(const struct problem *s, const struct rk *rk, const struct buf *b)
{
	return (b->rows || b->stored) && !b->real ? rk_store_size(rk, s->precision) : rk_real_size(rk);
}

static void
p_put(const struct problem *s, struct rk *rk, const struct buf *b)
{
	float *f = p_calloc(b->n, sizeof(*f));

	for (size_t i = 0; i < b->n; i++)
		f[i] = (float)b->v[i];
	if (p_size(s, rk, b) == 8   ? rk_upload(rk, b->d, b->v, 8 * b->n)
	    : p_size(s, rk, b) == 4 ? rk_upload_f32(rk, b->d, f, b->n)
				    : rk_upload_store(rk, b->d, f, b->n, s->precision))
		abort();
	free(f);
}

static void
p_get(const struct problem *s, struct rk *rk, double *v, const struct buf *b)
{
	float *f = p_calloc(b->n, sizeof(*f));

	if (p_size(s, rk, b) == 8   ? rk_download(rk, v, b->d, 8 * b->n)
	    : p_size(s, rk, b) == 4 ? rk_download_f32(rk, f, b->d, b->n)
				    : rk_download_store(rk, f, b->d, b->n, s->precision))
		abort();
	for (size_t i = 0; p_size(s, rk, b) != 8 && i < b->n; i++)
		v[i] = f[i];
	free(f);
}

/* A copy of n bytes on the backend; NULL where there is nothing to copy. */
static void *
p_copy(struct rk *rk, const void *src, size_t n)
{
	void *d = src != NULL ? rk_alloc(rk, n) : NULL;

	if (src != NULL && (d == NULL || rk_upload(rk, d, src, n) != RK_OK))
		abort();
	return d;
}

/* The problem with its integer inputs on the backend. */
static struct problem
p_there(const struct problem *s, struct rk *rk)
{
	const size_t rows = s->rows;
	struct problem d = *s;

	d.token = p_copy(rk, s->token, rows);
	d.segment = p_copy(rk, s->segment, rows);
	d.hit = p_copy(rk, s->hit, rows);
	d.position = p_copy(rk, s->position, 4 * rows);
	d.target = p_copy(rk, s->target, 4 * rows);
	d.row_key = p_copy(rk, s->row_key, 8 * rows);
	d.weight = p_copy(rk, s->weight, 4 * rows);
	d.live_d = p_copy(rk, s->live, sizeof(s->live));
	d.offsets_d = p_copy(rk, s->offsets, sizeof(s->offsets));
	d.x_first_d = p_copy(rk, s->x_first, sizeof(s->x_first));
	d.side_d = p_copy(rk, s->side, sizeof(s->side));
	return d;
}

static void
p_back(struct problem *d, struct rk *rk)
{
	const size_t rows = d->rows;

	rk_free(rk, d->token, rows), rk_free(rk, d->segment, rows), rk_free(rk, d->hit, rows);
	rk_free(rk, d->position, 4 * rows), rk_free(rk, d->target, 4 * rows), rk_free(rk, d->row_key, 8 * rows);
	rk_free(rk, d->weight, 4 * rows), rk_free(rk, d->live_d, sizeof(d->live));
	rk_free(rk, d->offsets_d, sizeof(d->offsets)), rk_free(rk, d->x_first_d, sizeof(d->x_first));
	rk_free(rk, d->side_d, sizeof(d->side));
}

/* Runs the forward calls, or all; out[i] gets the values of buffer i afterwards (freed by p_drop).  1: done. */
static int
p_run(struct problem *s, const char *device, int threads, int forward, double **out)
{
	char err[160] = "";
	struct rk *rk = rk_open(device, threads, err, sizeof(err));
	struct rk_list *list = NULL;
	void *packed[2] = { NULL, NULL };
	struct problem d;
	int done = 0;

	if (rk == NULL) {
		diag("%s", err);
		return 0;
	}
	d = p_there(s, rk);
	for (int i = 0; i < s->nbuf; i++) {
		if ((d.buf[i].d = rk_alloc(rk, s->buf[i].n * p_size(s, rk, &s->buf[i]))) == NULL)
			abort();
		p_put(s, rk, &d.buf[i]);
	}
	p_calls(&d, rk, packed);
	list = rk_list_create(rk, d.calls, forward ? d.nforward : d.ncalls, d.live_d);
	if (list != NULL && rk_list_run(list) == RK_OK && rk_sync(rk) == RK_OK)
		done = 1;
	else
		diag("%s", rk_error(rk));
	for (int i = 0; i < s->nbuf; i++) {
		out[i] = p_calloc(s->buf[i].n, sizeof(double));
		p_get(s, rk, out[i], &d.buf[i]);
		rk_free(rk, d.buf[i].d, s->buf[i].n * p_size(s, rk, &s->buf[i]));
	}
	for (int i = 0; i < 2; i++)
		rk_free(rk, packed[i], d.packed[i]);
	p_back(&d, rk);
	rk_list_destroy(list);
	rk_close(rk);
	return done;
}

static void
p_drop(const struct problem *s, double **out)
{
	for (int i = 0; i < s->nbuf; i++)
		free(out[i]);
}

#endif
