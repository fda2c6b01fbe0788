/*
 * embed_merge.c: what the chunks of one RNA got, put together for the whole RNA.
 */
#include <stdlib.h>
#include <string.h>

#include "nn/embed.h"
#include "seq/frame.h"

/* Bases of a chunk and the index of the first of them. */
static uint32_t
bases(const struct rna_vocab *v, const struct rna_record *chunk, uint32_t *first, uint64_t *ntokens)
{
	const uint8_t *tokens = rna_record_get_vec(chunk, "tokens", RNA_U8, ntokens);

	*first = 0;
	return tokens != NULL ? rna_frame_bases(v, tokens, *ntokens, first) : 0;
}

static enum rna_status
merge_vector(const struct rna_vocab *v, const struct rna_record *chunk, size_t n, const char *name,
    struct rna_record *whole, struct rna_err *err)
{
	uint64_t columns, same, ntokens, i, dims[1];
	const float *first_vector = rna_record_get_vec(&chunk[0], name, RNA_F32, &columns), *x;
	double *sum, weight, total = 0;
	uint32_t first;
	float *y;
	size_t c;

	if (first_vector == NULL)
		return RNA_OK;
	if ((sum = calloc(columns + 1, sizeof(*sum))) == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	for (c = 0; c < n; c++) {
		x = rna_record_get_vec(&chunk[c], name, RNA_F32, &same);
		weight = bases(v, &chunk[c], &first, &ntokens);
		for (i = 0; x != NULL && same == columns && i < columns; i++)
			sum[i] += weight * (double)x[i];
		total += weight;
	}
	dims[0] = columns;
	y = rna_record_put(whole, name, RNA_F32, 1, dims);
	for (i = 0; y != NULL && i < columns; i++)
		y[i] = (float)(sum[i] / (total > 0 ? total : 1));
	free(sum);
	return y != NULL ? RNA_OK : rna_fail(err, RNA_EMEM, "out of memory");
}

static enum rna_status
merge_rows(const struct rna_vocab *v, const struct rna_record *chunk, size_t n, const char *name,
    struct rna_record *whole, struct rna_err *err)
{
	const struct rna_field *f = rna_record_find(&chunk[0], name);
	uint64_t ntokens, dims[2] = {0, 0}, at = 0, from, to;
	uint32_t first, nbases;
	float *y;
	size_t c;

	if (f == NULL || f->ndim != 2)
		return RNA_OK;
	dims[1] = f->dims[1];
	for (c = 0; c < n; c++) {
		nbases = bases(v, &chunk[c], &first, &ntokens);
		dims[0] += (c + 1 == n ? ntokens : first + nbases) - (c == 0 ? 0 : first);
	}
	if ((y = rna_record_put(whole, name, RNA_F32, 2, dims)) == NULL)
		return rna_fail(err, RNA_EMEM, "no memory for %s of a whole RNA", name);
	for (c = 0; c < n; c++) {
		nbases = bases(v, &chunk[c], &first, &ntokens);
		from = c == 0 ? 0 : first;
		to = c + 1 == n ? ntokens : first + nbases;
		f = rna_record_find(&chunk[c], name);
		memcpy(y + at * dims[1], (const float *)rna_record_data(&chunk[c], f) + from * dims[1],
		    (to - from) * dims[1] * sizeof(*y));
		at += to - from;
	}
	return RNA_OK;
}

enum rna_status
rna_embed_merge(
    const struct rna_vocab *v, const struct rna_record *chunk, size_t n, struct rna_record *whole, struct rna_err *err)
{
	static const char *const vectors[] = {"cls", "mean", "pooled"}, *const matrices[] = {"hidden", "logits"};
	enum rna_status st = RNA_OK;
	size_t i;

	for (i = 0; i < sizeof(vectors) / sizeof(*vectors) && st == RNA_OK; i++)
		st = merge_vector(v, chunk, n, vectors[i], whole, err);
	for (i = 0; i < sizeof(matrices) / sizeof(*matrices) && st == RNA_OK; i++)
		st = merge_rows(v, chunk, n, matrices[i], whole, err);
	return st;
}
