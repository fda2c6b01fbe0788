/*
 * mlm.c: the masked-token objective.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/mlm.h"

double
rna_mlm_type_recall(const struct rna_mlm_sums *sums)
{
	double sum = 0;
	int i, n = 0;

	for (i = 0; i < RNA_VOCAB_MAX; i++) {
		if (sums->type_n[i] == 0)
			continue;
		sum += (double)sums->type_hits[i] / (double)sums->type_n[i];
		n++;
	}
	return n > 0 ? sum / n : NAN;
}

struct rna_tape *
rna_mlm_tape(struct rna_model *m, const struct rna_tape_options *opts, int type_head, struct rna_err *err)
{
	int weight = rna_params_find(&m->params, "type_head.weight"),
	    bias = rna_params_find(&m->params, "type_head.bias");
	struct rna_tape *t;
	rna_t last = -1, masked;

	if (type_head && (weight < 0 || bias < 0)) {
		rna_fail(err, RNA_EINVAL, "the model has no type head");
		return NULL;
	}
	if ((t = rna_tape_create(m->rk, &m->params, opts)) == NULL) {
		rna_fail(err, RNA_EMEM, "out of memory");
		return NULL;
	}
	if (type_head) {
		last = rna_encoder_forward(t, m, -1, NULL);
		masked = rna_tape_gather(t, last, RNA_AT_MASKED);
	} else
		masked = rna_encoder_rows(t, m, RNA_AT_MASKED);
	rna_tape_cross_entropy(t, rna_encoder_logits(t, m, masked), RNA_AT_MASKED);
	if (type_head)
		rna_tape_cross_entropy(
		    t, rna_tape_linear(t, rna_tape_gather(t, last, RNA_AT_SLOT), weight, bias, RK_NONE), RNA_AT_SLOT);
	if (rna_tape_finish(t, err) != RNA_OK) {
		rna_tape_destroy(t);
		return NULL;
	}
	return t;
}

/* Where the losses (real) and hits of the masked rows and of the type head lie in the reply; its bytes. */
struct places {
	size_t loss, head_loss, hit, head_hit, bytes;
};

static struct places
places(const struct rk *rk, size_t rows, size_t slots)
{
	struct places p = {.head_loss = rows * rk_real_size(rk)};

	p.hit = p.head_loss + slots * rk_real_size(rk);
	p.head_hit = p.hit + rows;
	p.bytes = p.head_hit + slots;
	return p;
}

enum rna_status
rna_mlm_unit_init(struct rna_mlm_unit *u, struct rk *rk, const struct rna_tape_options *opts)
{
	const size_t nr = (size_t)opts->rows, nk = (size_t)opts->slots, most = nr > nk ? nr : nk;
	enum rna_status s;

	memset(u, 0, sizeof(*u));
	if ((s = rna_batch_init(&u->batch, opts->tokens, opts->seqs, opts->rows, opts->slots)) != RNA_OK)
		return s;
	u->reply = rk_reply_create(rk, places(rk, nr, nk).bytes);
	u->loss = calloc(most, sizeof(*u->loss));
	u->hit = calloc(most, sizeof(*u->hit));
	return u->reply != NULL && u->loss != NULL && u->hit != NULL ? RNA_OK : RNA_EMEM;
}

void
rna_mlm_unit_fini(struct rna_mlm_unit *u)
{
	rna_batch_fini(&u->batch);
	rk_reply_destroy(u->reply);
	free(u->loss);
	free(u->hit);
	memset(u, 0, sizeof(*u));
}

int64_t
rna_mlm_targets(const struct rna_record *rec, uint64_t *ntokens)
{
	uint64_t masked, target;

	if (rna_record_get_vec(rec, "tokens", RNA_U8, ntokens) == NULL ||
	    rna_record_get_vec(rec, "masked", RNA_U32, &masked) == NULL ||
	    rna_record_get_vec(rec, "target", RNA_U8, &target) == NULL || masked != target || masked > *ntokens)
		return -1;
	return (int64_t)masked;
}

int
rna_mlm_unit_fits(const struct rna_mlm_unit *u, const struct rna_record *rec)
{
	uint64_t ntokens = 0;
	int64_t n = rna_mlm_targets(rec, &ntokens);

	return n < 0 || rna_batch_fits(&u->batch, ntokens, (uint64_t)n);
}

enum rna_status
rna_mlm_unit_add(struct rna_mlm_unit *u, const struct rna_model *m, const struct rna_record *rec, uint64_t key,
    int type_head, struct rna_err *err)
{
	struct rna_batch *b = &u->batch;
	enum rna_status s;
	uint8_t type;

	if (type_head && (!rna_record_get_u8(rec, "type", &type) || type < m->vocab.type_first ||
			     type >= m->vocab.type_first + m->vocab.ntypes))
		return rna_fail(err, RNA_EFORMAT,
		    "no type in the record, which the type loss needs; "
		    "give types with rna-tokenize --type");
	if ((s = rna_batch_add(b, m, rec, key, err)) != RNA_OK || !type_head)
		return s;
	b->slot[b->nslots] = b->cls[b->nseqs - 1];
	b->slot_target[b->nslots++] = type - m->vocab.type_first;
	return RNA_OK;
}

/* Losses of the masked rows. */
static void
count_rows(struct rna_mlm_sums *sums, const struct rna_mlm_unit *u, const struct rna_vocab *v)
{
	int r, target;

	for (r = 0; r < u->batch.nrows; r++) {
		target = u->batch.target[r];
		sums->targets++;
		sums->loss += u->loss[r];
		if (v->is_acgu[target]) {
			sums->bases++;
			sums->base_hits += u->hit[r];
			sums->base_loss += u->loss[r];
		} else if (target >= v->type_first && target < v->type_first + v->ntypes) {
			sums->slots++;
			sums->slot_hits += u->hit[r];
			sums->slot_loss += u->loss[r];
			sums->type_n[target]++;
			sums->type_hits[target] += u->hit[r];
		}
	}
}

/* Losses of the type head. */
static void
count_heads(struct rna_mlm_sums *sums, const struct rna_mlm_unit *u, const struct rna_vocab *v)
{
	int r, type;

	for (r = 0; r < u->batch.nslots; r++) {
		type = v->type_first + u->batch.slot_target[r];
		sums->heads++;
		sums->head_hits += u->hit[r];
		sums->head_loss += u->loss[r];
		sums->type_n[type]++;
		sums->type_hits[type] += u->hit[r];
	}
}

enum rna_status
rna_mlm_unit_run(struct rna_mlm_unit *u, const struct rna_model *m, struct rna_tape *t, int backward, float weight,
    float head_weight, struct rna_err *err)
{
	struct rna_batch *b = &u->batch;
	const struct places p = places(m->rk, (size_t)b->cap_rows, (size_t)b->cap_slots);
	enum rna_status s;
	int r;

	for (r = 0; r < b->nrows; r++)
		b->weight[r] = weight;
	for (r = 0; r < b->nslots; r++)
		b->slot_weight[r] = head_weight;
	if ((s = rna_batch_upload(b, m->rk, rna_tape_inputs(t), err)) != RNA_OK ||
	    (s = rna_tape_forward(t, err)) != RNA_OK || (backward && (s = rna_tape_backward(t, err)) != RNA_OK) ||
	    (s = rna_tape_ask_loss(t, RNA_AT_MASKED, (size_t)b->nrows, u->reply, p.loss, p.hit, err)) != RNA_OK ||
	    b->nslots == 0)
		return s;
	return rna_tape_ask_loss(t, RNA_AT_SLOT, (size_t)b->nslots, u->reply, p.head_loss, p.head_hit, err);
}

/* What came back of n rows. */
static enum rna_status
read_rows(struct rna_mlm_unit *u, struct rk *rk, size_t n, size_t loss_at, size_t hit_at, struct rna_err *err)
{
	if (rk_reply_read_f32(u->reply, loss_at, u->loss, n) != RK_OK ||
	    rk_reply_read(u->reply, hit_at, u->hit, n) != RK_OK)
		return rna_fail(err, RNA_EDEVICE, "%s", rk_error(rk));
	return RNA_OK;
}

enum rna_status
rna_mlm_unit_count(struct rna_mlm_unit *u, const struct rna_model *m, struct rna_mlm_sums *sums, struct rna_err *err)
{
	const struct rna_batch *b = &u->batch;
	const struct places p = places(m->rk, (size_t)b->cap_rows, (size_t)b->cap_slots);
	enum rna_status s;

	if ((s = read_rows(u, m->rk, (size_t)b->nrows, p.loss, p.hit, err)) != RNA_OK)
		return s;
	count_rows(sums, u, &m->vocab);
	if (b->nslots == 0)
		return RNA_OK;
	if ((s = read_rows(u, m->rk, (size_t)b->nslots, p.head_loss, p.head_hit, err)) != RNA_OK)
		return s;
	count_heads(sums, u, &m->vocab);
	return RNA_OK;
}
