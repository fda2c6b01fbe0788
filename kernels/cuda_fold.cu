/*
 * cuda_fold.cu: folding many RNAs at once, the host's side: which RNAs go together, memory, copies (rk_fold.h).
 *
 * RNAs of about one length make one launch, the longest first; their triangles lie in one arena, which is filled as
 * often as it takes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cuda_fold.h"
#include "cuda_list.h"

enum {
	CLASS = 64,     /* lengths are rounded up to a multiple: threads of a block */
	ARENA = 1 << 30 /* most bytes of triangles at once */
};

struct folder {
	struct cuda_device *dev;
	struct rk_fold_tables *e; /* on the GPU, as all below */
	struct fold_sizes sizes;
	int longest; /* nt, by the shared memory of a block */
	char *input, *output;
	int32_t *arena;
	size_t input_size, output_size, arena_size;
	int32_t *order; /* the host's, [cap] */
	int64_t *at;
	int cap;
};

void
cuda_fold_destroy(void *folder)
{
	struct folder *f = (struct folder *)folder;

	if (f == NULL)
		return;
	cudaStreamSynchronize(f->dev->stream);
	cudaFree(f->e);
	cudaFree(f->input);
	cudaFree(f->output);
	cudaFree(f->arena);
	free(f->order);
	free(f->at);
	free(f);
}

void *
cuda_fold_create(void *device, const struct rk_fold_tables *e)
{
	struct cuda_device *dev = (struct cuda_device *)device;
	struct folder *f = (struct folder *)calloc(1, sizeof(*f));

	if (f == NULL) {
		snprintf(dev->err, sizeof(dev->err), "out of memory");
		return NULL;
	}
	f->dev = dev;
	for (f->longest = RK_FOLD_LONGEST; cuda_fold_shared(f->longest) > (size_t)dev->shared_max;)
		f->longest -= CLASS;
	for (int s = 0; s <= RK_FOLD_LOOP; s++) {
		f->sizes.bulge[s] = e->bulge[s];
		f->sizes.generic[s] = e->interior[s];
		f->sizes.asymmetry[s] = e->asymmetry[s];
		f->sizes.one_n[s] = s >= 2 ? e->interior[s] + e->asymmetry[s - 2] : RK_FOLD_INF;
	}
	if (cuda_status(dev, cudaMalloc((void **)&f->e, sizeof(*e)), "memory of the GPU") == RK_OK &&
	    cuda_status(dev, cudaMemcpyAsync(f->e, e, sizeof(*e), cudaMemcpyHostToDevice, dev->stream),
		"a copy to the GPU") == RK_OK &&
	    cuda_status(dev, cuda_fold_prepare(f->longest), "folding on the GPU") == RK_OK &&
	    cuda_status(dev, cudaStreamSynchronize(dev->stream), "the GPU") == RK_OK)
		return f;
	cuda_fold_destroy(f);
	return NULL;
}

int
cuda_fold_longest(const void *folder)
{
	return ((const struct folder *)folder)->longest;
}

/* Device memory of at least `want` bytes, with room for a larger batch. */
static enum rk_status
grow(struct cuda_device *dev, void **p, size_t *have, size_t want)
{
	enum rk_status s;

	if (want <= *have)
		return RK_OK;
	want += want / 4;
	cudaFree(*p); /* waits */
	*p = NULL;
	*have = 0;
	if ((s = cuda_status(dev, cudaMalloc(p, want), "memory of the GPU to fold in")) == RK_OK)
		*have = want;
	return s;
}

static int
class_of(int n)
{
	return (n + CLASS - 1) / CLASS * CLASS;
}

/* Cells of an RNA in the arena. */
static int64_t
cells_of(int len)
{
	return 2 * (int64_t)fold_triangle(len) + len + 2;
}

/*
 * The RNAs in f->order from the longest class to the shortest, and where in the arena each has its place.  Empty ones
 * are left out.
 */
static enum rk_status
plan(struct folder *f, const int32_t *first, int n, int *count)
{
	int64_t at = 0;

	for (int b = 0; b < n; b++)
		if (first[b + 1] - first[b] > f->longest) {
			snprintf(f->dev->err, sizeof(f->dev->err), "an RNA of %d nt: this GPU folds %d at most",
			    (int)(first[b + 1] - first[b]), f->longest);
			return RK_EINVAL;
		}
	if (f->cap < n) {
		free(f->order);
		free(f->at);
		f->order = (int32_t *)malloc(n * sizeof(*f->order));
		f->at = (int64_t *)malloc(n * sizeof(*f->at));
		f->cap = f->order != NULL && f->at != NULL ? n : 0;
		if (f->cap == 0)
			return cuda_status(f->dev, cudaErrorMemoryAllocation, "folding");
	}
	*count = 0;
	for (int class_ = f->longest; class_ > 0; class_ -= CLASS)
		for (int b = 0; b < n; b++) {
			const int len = first[b + 1] - first[b];

			if (class_of(len) != class_)
				continue;
			at = (at + cells_of(len)) * (int64_t)sizeof(int32_t) > ARENA ? 0 : at;
			f->order[*count] = b;
			f->at[(*count)++] = at;
			at += cells_of(len);
		}
	return RK_OK;
}

/* The most cells of the arena that are used at once. */
static size_t
arena_bytes(const struct folder *f, const int32_t *first, int count)
{
	int64_t most = 0;

	for (int k = 0; k < count; k++) {
		const int len = first[f->order[k] + 1] - first[f->order[k]];
		const int64_t end = f->at[k] + cells_of(len);

		most = end > most ? end : most;
	}
	return (size_t)most * sizeof(int32_t);
}

/* Launches for the RNAs from..to-1 of the order, which are of one class and have places of their own. */
static enum rk_status
launch(struct folder *f, struct fold_some s, int from, int to, int threads)
{
	cudaError_t e;

	s.order += from;
	s.at += from;
	s.count = to - from;
	if ((e = cuda_fold_fill(&s, threads, f->dev->stream)) == cudaSuccess)
		e = cuda_fold_trace(&s, f->dev->stream);
	return cuda_status(f->dev, e, "folding on the GPU");
}

static enum rk_status
launch_all(struct folder *f, const struct fold_some *s, const int32_t *first, int count)
{
	enum rk_status status = RK_OK;

	for (int from = 0, to; from < count && status == RK_OK; from = to) {
		const int threads = class_of(first[f->order[from] + 1] - first[f->order[from]]);

		for (to = from + 1; to < count && f->at[to] != 0 &&
				    class_of(first[f->order[to] + 1] - first[f->order[to]]) == threads;)
			to++;
		status = launch(f, *s, from, to, threads);
	}
	return status;
}

/* What the kernels are given: parts of the input, each aligned. */
static size_t
lay_out_input(const struct folder *f, struct fold_some *s, int total, int n)
{
	const size_t code = cuda_align(total + 1), first = cuda_align((n + 1) * sizeof(int32_t)),
		     order = cuda_align((n + 1) * sizeof(int32_t));
	char *p = f->input;

	s->code = (const uint8_t *)p;
	s->first = (const int32_t *)(p + code);
	s->order = (const int32_t *)(p + code + first);
	s->at = (const int64_t *)(p + code + first + order);
	return code + first + order + (n + 1) * sizeof(int64_t);
}

static enum rk_status
copy_in(struct folder *f, const struct fold_some *s, const uint8_t *code, const int32_t *first, int n, int count)
{
	const cudaStream_t stream = f->dev->stream;
	const struct {
		const void *to, *from;
		size_t bytes;
	} part[] = {{s->code, code, (size_t)first[n]}, {s->first, first, (n + 1) * sizeof(*first)},
	    {s->order, f->order, count * sizeof(*f->order)}, {s->at, f->at, count * sizeof(*f->at)}};
	cudaError_t e = cudaSuccess;

	for (int k = 0; k < 4 && e == cudaSuccess; k++)
		if (part[k].bytes > 0)
			e = cudaMemcpyAsync(
			    (void *)part[k].to, part[k].from, part[k].bytes, cudaMemcpyHostToDevice, stream);
	return cuda_status(f->dev, e, "a copy to the GPU");
}

enum rk_status
cuda_fold_run(void *folder, const uint8_t *code, const int32_t *first, int n, int32_t *energy, int16_t *partner)
{
	struct folder *f = (struct folder *)folder;
	const size_t energies = cuda_align(n * sizeof(*energy)), partners = first[n] * sizeof(*partner);
	struct fold_some s = {};
	enum rk_status status;
	cudaError_t e;
	int count = 0;

	s.e = f->e;
	s.sizes = f->sizes;
	for (int b = 0; b < n; b++)
		energy[b] = 0;
	if ((status = plan(f, first, n, &count)) != RK_OK || count == 0 ||
	    (status = grow(f->dev, (void **)&f->input, &f->input_size, lay_out_input(f, &s, first[n], n))) != RK_OK ||
	    (status = grow(f->dev, (void **)&f->output, &f->output_size, energies + partners)) != RK_OK ||
	    (status = grow(f->dev, (void **)&f->arena, &f->arena_size, arena_bytes(f, first, count))) != RK_OK)
		return status;
	lay_out_input(f, &s, first[n], n);
	s.memory = f->arena;
	s.energy = (int32_t *)f->output;
	s.partner = (int16_t *)(f->output + energies);
	/* empty RNAs have no block */
	e = cudaMemsetAsync(s.energy, 0, n * sizeof(*energy), f->dev->stream);
	if ((status = cuda_status(f->dev, e, "folding on the GPU")) != RK_OK ||
	    (status = copy_in(f, &s, code, first, n, count)) != RK_OK ||
	    (status = launch_all(f, &s, first, count)) != RK_OK)
		return status;
	e = cudaMemcpyAsync(energy, s.energy, n * sizeof(*energy), cudaMemcpyDeviceToHost, f->dev->stream);
	if (e == cudaSuccess)
		e = cudaMemcpyAsync(partner, s.partner, partners, cudaMemcpyDeviceToHost, f->dev->stream);
	if (e == cudaSuccess)
		e = cudaStreamSynchronize(f->dev->stream);
	return cuda_status(f->dev, e, "folding on the GPU");
}
