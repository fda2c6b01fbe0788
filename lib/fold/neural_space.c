/*
 * neural_space.c: the memory of the neural fold, kept from one RNA to the next.
 */
#include <stdlib.h>

#include "fold/neural_private.h"

#define NROWS (7 * FOLD_RING + 2 * NEURAL_REGIONS + NEURAL_SIDES + 2 * NEURAL_COLUMNS + 2)

struct rna_neural *
rna_neural_create(const struct rna_energy *e, int max_helix)
{
	struct rna_neural *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	if (e == NULL && (e = w->zero = calloc(1, sizeof(*w->zero))) == NULL) {
		free(w);
		return NULL;
	}
	w->e = e;
	w->max_helix = max_helix < 0 ? 0 : max_helix > RNA_MAX_HELIX ? RNA_MAX_HELIX : max_helix;
	w->rows = rna_neural_rows();
	w->threads = 1;
	rna_neural_set_turner(w);
	return w;
}

void
rna_neural_share(struct rna_neural *w, int threads)
{
	if (threads > w->threads) { /* its rows are laid out for fewer */
		free(w->loops);
		w->loops = NULL;
	}
	w->threads = threads;
}

/* All but the structure of the workspace's own, which may be in use. */
static void
release(struct rna_neural *w)
{
	free(w->c);
	free(w->r);
	free(w->t);
	free(w->f);
	free(w->hairpin);
	free(w->reward);
	free(w->stack);
	free(w->type_inner);
	free(w->memory);
	free(w->loops);
	w->c = w->r = w->t = w->f = w->hairpin = w->reward = w->memory = w->loops = NULL;
	w->stack = NULL;
	w->type_inner = NULL;
	w->cap = 0;
}

void
rna_neural_trim(struct rna_neural *w)
{
	if (w == NULL)
		return;
	release(w);
	free(w->pairs);
	w->pairs = NULL;
	w->npairs = 0;
}

void
rna_neural_destroy(struct rna_neural *w)
{
	if (w == NULL)
		return;
	rna_neural_trim(w);
	rna_fold_input_fini(&w->in);
	free(w->zero);
	free(w);
}

/* Cells of a triangle with a pad before each row, and one for a vector that runs over its end. */
static size_t
triangle_cells(size_t n)
{
	return n * (n + 1) / 2 + (n + 1) * FOLD_PAD;
}

static size_t
tile_cells(size_t n)
{
	return neural_tile((int)((n + NEURAL_TILE - 1) / NEURAL_TILE));
}

uint64_t
rna_neural_bytes(size_t n)
{
	return 4 * (2 * (uint64_t)triangle_cells(n) + tile_cells(n) + (NROWS + 3) * (uint64_t)fold_row_cells(n)) +
	       32 * ((uint64_t)n + 2);
}

static int
reserve(struct rna_neural *w, size_t n)
{
	if (w->memory != NULL && w->loops != NULL && w->cap >= n)
		return 1;
	release(w);
	w->c = malloc(triangle_cells(n) * sizeof(float));
	w->r = malloc(triangle_cells(n) * sizeof(float));
	w->t = malloc(tile_cells(n) * sizeof(float));
	w->f = malloc((n + 2) * sizeof(float));
	w->hairpin = malloc((n + 1) * sizeof(float));
	w->reward = malloc((n + 1) * sizeof(float));
	w->stack = malloc((n + 2) * sizeof(*w->stack));
	w->type_inner = malloc(n + 2);
	w->memory = malloc(NROWS * fold_row_cells(n) * sizeof(float));
	w->loops = reallocarray(NULL, 3 * (size_t)w->threads, fold_row_cells(n) * sizeof(float));
	if (w->c == NULL || w->r == NULL || w->t == NULL || w->f == NULL || w->hairpin == NULL || w->reward == NULL ||
	    w->stack == NULL || w->type_inner == NULL || w->memory == NULL || w->loops == NULL) {
		release(w);
		return 0;
	}
	w->cap = n;
	return 1;
}

static float *
next_row(struct rna_neural *w, int *k)
{
	return w->memory + (size_t)(*k)++ * fold_row_cells((size_t)w->in.n) + FOLD_PAD;
}

static void
lay_out_rows(struct rna_neural *w)
{
	size_t i, cells = NROWS * fold_row_cells((size_t)w->in.n);
	int k = 0, s;

	for (i = 0; i < cells; i++)
		w->memory[i] = -INFINITY;
	for (s = 0; s < FOLD_RING; s++) {
		w->cm[s] = next_row(w, &k);
		w->cb[s] = next_row(w, &k);
		w->c1[s] = next_row(w, &k);
		w->cg[s] = next_row(w, &k);
		w->n[s] = next_row(w, &k);
		w->e_row[s] = next_row(w, &k);
		w->stacked[s] = next_row(w, &k);
	}
	for (s = 0; s < NEURAL_REGIONS; s++) {
		w->region[s] = next_row(w, &k);
		w->m[s] = next_row(w, &k);
	}
	for (s = 0; s < NEURAL_SIDES; s++)
		w->region3[s] = next_row(w, &k);
	for (s = 0; s < NEURAL_COLUMNS; s++) {
		w->opening[s] = next_row(w, &k);
		w->stack_inner[s] = next_row(w, &k);
	}
	w->t_row = next_row(w, &k);
	w->none = next_row(w, &k);
}

enum rna_status
rna_neural_prepare(struct rna_neural *w, struct rna_err *err)
{
	size_t n = (size_t)w->in.n;

	if (!reserve(w, n))
		return rna_fail(err, RNA_EMEM, "folding %zu nt takes %llu MiB, which can't be had", n,
		    (unsigned long long)(rna_neural_bytes(n) >> 20) + 1);
	lay_out_rows(w);
	return RNA_OK;
}
