/*
 * replicate.c: type guidance: which RNA types a model sees in an RNA, and the RNA once for each of them.
 */
#include <math.h>
#include <string.h>
#include <sys/endian.h>

#include "nn/replicate.h"
#include "seq/frame.h"
#include "stream/rng.h"

enum rna_status
rna_replicate_fill(const struct rna_vocab *v, struct rna_record *rec, uint8_t token, struct rna_err *err)
{
	const struct rna_field *f = rna_record_find(rec, "tokens");
	uint64_t n = 0;
	const uint8_t *tokens = rna_record_get_vec(rec, "tokens", RNA_U8, &n);
	int64_t slot = tokens != NULL ? rna_frame_slot(v, tokens, n) : -1;

	if (slot < 0)
		return rna_fail(err, RNA_EFORMAT, "no type slot in the tokens; frame with: rna-tokenize --frame type");
	rec->mem.data[f->offset + (size_t)slot] = token;
	return RNA_OK;
}

enum rna_status
rna_replicate_rank(
    const struct rna_vocab *v, const float *logits, size_t n, int k, uint8_t *types, float *p, struct rna_err *err)
{
	double best[RNA_VOCAB_MAX], top = -INFINITY, sum = 0;
	int t, i, m;
	size_t r;

	for (t = 0; t < v->ntypes; t++) {
		best[t] = -INFINITY;
		for (r = 0; r < n; r++)
			best[t] = fmax(best[t], (double)logits[r * (size_t)v->ntypes + (size_t)t]);
		top = fmax(top, best[t]);
	}
	if (!isfinite(top))
		return rna_fail(err, RNA_EFORMAT, "the model's type logits are not numbers");
	for (t = 0; t < v->ntypes; t++)
		sum += best[t] = exp(best[t] - top);
	for (i = 0; i < k; i++) {
		for (t = m = 0; t < v->ntypes; t++)
			if (best[t] > best[m])
				m = t;
		types[i] = (uint8_t)(v->type_first + m);
		p[i] = (float)(best[m] / sum);
		best[m] = -1;
	}
	return RNA_OK;
}

static enum rna_status
group_of(const struct rna_record *rec, uint64_t *group, struct rna_err *err)
{
	unsigned char key[12];
	const uint32_t *chunk;
	uint64_t rid, n = 0;

	if (!rna_record_get_u64(rec, "rid", &rid))
		return rna_fail(
		    err, RNA_EFORMAT, "no field rid, which tells replicates apart; make records with rna-tokenize");
	chunk = rna_record_get_vec(rec, "chunk", RNA_U32, &n);
	le64enc(key, rid);
	le32enc(key + 8, chunk != NULL && n == 2 ? chunk[0] : 0);
	*group = rna_hash(key, sizeof(key), 0);
	return RNA_OK;
}

void
rna_replicate_weigh(const float *p, int k, double floor, float *sigma)
{
	double sum = 0;
	int i;

	for (i = 0; i < k; i++)
		sum += i == 0 || (double)p[i] >= floor ? (double)p[i] : 0;
	for (i = 0; i < k; i++)
		sigma[i] = i == 0 || (double)p[i] >= floor ? (float)((double)p[i] / sum) : 0;
}

enum rna_status
rna_replicate_make(const struct rna_vocab *v, const struct rna_record *rec, const uint8_t *types, const float *p,
    const float *sigma, int k, int i, struct rna_record *out, struct rna_err *err)
{
	enum rna_status st = rna_record_copy(out, rec);
	uint64_t group = 0;

	if (st != RNA_OK)
		return rna_fail(err, st, "out of memory");
	if ((st = rna_replicate_fill(v, out, types[i], err)) != RNA_OK || (st = group_of(rec, &group, err)) != RNA_OK)
		return st;
	if ((st = rna_record_set_u8(out, "type", types[i])) != RNA_OK ||
	    (st = rna_record_set_f32(out, "sigma", sigma[i])) != RNA_OK ||
	    (st = rna_record_set_u64(out, "group", group)) != RNA_OK ||
	    (st = rna_record_set_vec(out, "types", RNA_U8, types, (uint64_t)k)) != RNA_OK ||
	    (st = rna_record_set_vec(out, "types_p", RNA_F32, p, (uint64_t)k)) != RNA_OK)
		return rna_fail(err, st, "out of memory");
	return RNA_OK;
}
