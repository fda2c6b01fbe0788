/*
 * trainer.c: the batch being filled, the optimiser step, scoring.
 *
 * 1. Life   2. Filling a batch   3. The step   4. Scoring   5. What a checkpoint and a plan ask
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/trainer.h"
#include "seq/source.h"
#include "stream/rng.h"

enum { ROUND = 128, LEAST_LENGTH = 16 };

/* 1. Life */

/*
 * A device computes what there is room for.  More targets, or sequences shorter than 16 tokens in the mean, and a batch
 * takes more than one unit.
 */
static void
fit_device(struct rna_tape_options *o, double masked, int max)
{
	const int seqs = o->tokens / LEAST_LENGTH, rows = (int)(o->tokens * (masked + 1.0 / LEAST_LENGTH));

	if (masked > 0 && rows < o->rows)
		o->rows = (rows + ROUND) / ROUND * ROUND > max ? (rows + ROUND) / ROUND * ROUND : max;
	if (seqs < o->seqs)
		o->seqs = seqs > 0 ? seqs : 1;
	if (o->slots > o->seqs)
		o->slots = o->seqs;
}

enum rna_status
rna_trainer_init(
    struct rna_trainer *tr, struct rna_model *m, const struct rna_trainer_options *opts, struct rna_err *err)
{
	enum rna_status s;
	int tokens = rk_unit_tokens(m->rk), i;

	memset(tr, 0, sizeof(*tr));
	tr->model = m;
	tr->opts = *opts;
	/* no room that no batch fills: a device computes the capacity */
	if (opts->batch_tokens < (uint64_t)tokens)
		tokens = (int)opts->batch_tokens;
	if (m->config.max > tokens)
		tokens = m->config.max;
	/* a record has at least two tokens and at most all of them masked */
	tr->unit_opts = (struct rna_tape_options){.tokens = tokens,
	    .seqs = tokens / 2,
	    .rows = tokens,
	    .slots = opts->type_head ? tokens / 2 : 1,
	    .max_len = m->config.max,
	    .train = 1,
	    .precision = opts->precision};
	if (rk_is_device(m->rk))
		fit_device(&tr->unit_opts, opts->masked, m->config.max);
	if ((s = rna_optimizer_init(&tr->optimizer, &m->params, err)) != RNA_OK)
		return s;
	if ((tr->tape = rna_mlm_tape(m, &tr->unit_opts, opts->type_head, err)) == NULL)
		return err->status;
	for (i = 0; i <= rna_trainer_lag(tr); i++)
		if ((tr->batch[i].norm = rk_reply_create(m->rk, sizeof(double))) == NULL)
			return rna_fail(err, RNA_EMEM, "out of memory");
	return RNA_OK;
}

void
rna_trainer_fini(struct rna_trainer *tr)
{
	struct rna_trainer_batch *b;
	int i;

	for (b = tr->batch; b < tr->batch + 2; b++) {
		for (i = 0; i < b->cap; i++)
			rna_mlm_unit_fini(&b->units[i]);
		free(b->units);
		rk_reply_destroy(b->norm);
	}
	rna_mlm_unit_fini(&tr->valid);
	rna_tape_destroy(tr->tape);
	rna_tape_destroy(tr->eval);
	rna_optimizer_fini(&tr->optimizer);
	rna_buf_fini(&tr->bytes);
	memset(tr, 0, sizeof(*tr));
}

/* 2. Filling a batch */

uint64_t
rna_trainer_pending(const struct rna_trainer *tr)
{
	return tr->records;
}

uint64_t
rna_trainer_to_skip(const struct rna_trainer *tr)
{
	return tr->skip.records - tr->skipped;
}

void
rna_trainer_resume(struct rna_trainer *tr, const struct rna_train_state *state)
{
	tr->state = tr->skip = *state;
	tr->skipped = 0;
	tr->hash = 0;
}

static enum rna_status
hash_record(struct rna_trainer *tr, const struct rna_record *rec, struct rna_err *err)
{
	rna_buf_reuse(&tr->bytes);
	if (rna_record_encode(rec, &tr->bytes) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	tr->hash = rna_hash(tr->bytes.data, tr->bytes.len, tr->hash);
	return RNA_OK;
}

static enum rna_status
skip_record(struct rna_trainer *tr, const struct rna_record *rec, struct rna_err *err)
{
	enum rna_status s;

	if ((s = hash_record(tr, rec, err)) != RNA_OK)
		return s;
	if (++tr->skipped == tr->skip.records && tr->hash != tr->skip.hash)
		return rna_fail(err, RNA_EINVAL,
		    "the records differ from those that checkpoint-%lld was trained on; "
		    "give the same input as before",
		    (long long)tr->skip.step);
	return RNA_OK;
}

int
rna_trainer_lag(const struct rna_trainer *tr)
{
	return rk_is_device(tr->model->rk);
}

/* The batch that the next record goes into: one that is not out. */
static struct rna_trainer_batch *
batch_to_fill(struct rna_trainer *tr, struct rna_err *err)
{
	struct rna_trainer_batch *b = &tr->batch[tr->filling];

	if (tr->records > 0)
		return b;
	if (b->out && rna_trainer_lag(tr) > 0) {
		tr->filling = !tr->filling;
		b = &tr->batch[tr->filling];
	}
	if (b->out) {
		(void)!rna_fail(err, RNA_EINVAL, "step %lld was not told yet", (long long)b->did.state.step);
		return NULL;
	}
	b->nunits = 0;
	return b;
}

/* The unit that takes the record: the last, or a new one. */
static struct rna_mlm_unit *
unit_for(struct rna_trainer *tr, const struct rna_record *rec, struct rna_err *err)
{
	struct rna_trainer_batch *b = batch_to_fill(tr, err);
	struct rna_mlm_unit *units, *u;

	if (b == NULL)
		return NULL;
	if (b->nunits > 0 && rna_mlm_unit_fits(&b->units[b->nunits - 1], rec))
		return &b->units[b->nunits - 1];
	if (b->nunits == b->cap) {
		if ((units = reallocarray(b->units, (size_t)b->cap + 1, sizeof(*units))) == NULL) {
			(void)!rna_fail(err, RNA_EMEM, "out of memory");
			return NULL;
		}
		b->units = units;
		if (rna_mlm_unit_init(&units[b->cap], tr->model->rk, &tr->unit_opts) != RNA_OK) {
			rna_mlm_unit_fini(&units[b->cap]);
			(void)!rna_fail(err, RNA_EMEM, "out of memory");
			return NULL;
		}
		b->cap++;
	}
	u = &b->units[b->nunits++];
	rna_batch_reuse(&u->batch);
	return u;
}

/* Key of the record's dropout; 0 where there is none. */
static uint64_t
dropout_key(const struct rna_trainer *tr, const struct rna_record *rec, uint64_t epoch)
{
	const uint32_t *chunk;
	uint64_t rid = 0, n;

	if (tr->model->config.hidden_dropout <= 0 && tr->model->config.attention_dropout <= 0)
		return 0;
	if (!rna_record_get_u64(rec, "rid", &rid))
		rid = tr->state.records + tr->records;
	chunk = rna_record_get_vec(rec, "chunk", RNA_U32, &n);
	return rna_rng_key(tr->opts.seed, epoch, rid, chunk != NULL && n > 0 ? chunk[0] : 0, RNA_RNG_DROPOUT);
}

enum rna_status
rna_trainer_add(struct rna_trainer *tr, const struct rna_record *rec, uint64_t epoch, struct rna_err *err)
{
	struct rna_mlm_unit *u;
	uint64_t ntokens = 0;
	enum rna_status s;
	int64_t targets;

	if (rna_trainer_to_skip(tr) > 0)
		return skip_record(tr, rec, err);
	if ((targets = rna_mlm_targets(rec, &ntokens)) < 0)
		return rna_fail(err, RNA_EFORMAT, "the record is not masked");
	if (ntokens > (uint64_t)tr->model->config.max)
		return rna_fail(err, RNA_EFORMAT,
		    "%llu tokens are more than the model takes (%d); cut them with: "
		    "rna-tokenize --max %d --long chunk",
		    (unsigned long long)ntokens, tr->model->config.max, tr->model->config.max);
	if (tr->records > 0 && tr->tokens + ntokens > tr->opts.batch_tokens)
		return RNA_END;
	if ((u = unit_for(tr, rec, err)) == NULL)
		return err->status;
	if ((s = rna_mlm_unit_add(u, tr->model, rec, dropout_key(tr, rec, epoch), tr->opts.type_head, err)) != RNA_OK ||
	    (s = hash_record(tr, rec, err)) != RNA_OK)
		return s;
	tr->records++;
	tr->tokens += ntokens;
	tr->targets += (uint64_t)targets;
	tr->heads += tr->opts.type_head != 0;
	return RNA_OK;
}

/* 3. The step */

/* Gradients of the batch being filled, and their norm asked for. */
static enum rna_status
gradients(struct rna_trainer *tr, struct rna_err *err)
{
	float weight = tr->targets > 0 ? (float)(1.0 / (double)tr->targets) : 0;
	float head_weight = tr->heads > 0 ? (float)(tr->opts.type_weight / (double)tr->heads) : 0;
	struct rna_trainer_batch *b = &tr->batch[tr->filling];
	enum rna_status s;
	int i;

	if ((s = rna_optimizer_zero(&tr->optimizer, err)) != RNA_OK)
		return s;
	for (i = 0; i < b->nunits; i++) {
		s = rna_mlm_unit_run(&b->units[i], tr->model, tr->tape, 1, weight, head_weight, err);
		if (s != RNA_OK)
			return s;
	}
	return rna_optimizer_ask_norm(&tr->optimizer, b->norm, err);
}

enum rna_status
rna_trainer_step(struct rna_trainer *tr, struct rna_err *err)
{
	const struct rna_trainer_options *o = &tr->opts;
	struct rna_trainer_batch *b = &tr->batch[tr->filling];
	const double lr = rna_schedule_lr(&o->schedule, tr->state.step + 1);
	const struct rk_adamw_step setting = {
	    lr, o->beta1, o->beta2, o->eps, o->weight_decay, o->clip, tr->state.step + 1};
	enum rna_status s;

	if ((s = gradients(tr, err)) != RNA_OK || (s = rna_optimizer_step(&tr->optimizer, &setting, err)) != RNA_OK ||
	    (s = rna_tape_repack(tr->tape, err)) != RNA_OK)
		return s;
	tr->eval_stale = 1;
	tr->state.step++;
	tr->state.records += tr->records;
	tr->state.tokens += tr->tokens;
	tr->state.hash = tr->hash;
	b->out = 1;
	b->did = (struct rna_train_step){.lr = lr, .records = tr->records, .tokens = tr->tokens, .state = tr->state};
	tr->records = tr->tokens = tr->targets = tr->heads = 0;
	return RNA_OK;
}

/* What comes back of a step; RNA_EINVAL: it is not finite. */
static enum rna_status
receive(struct rna_trainer *tr, struct rna_trainer_batch *b, struct rna_err *err)
{
	struct rna_mlm_sums *sums = &b->did.sums;
	enum rna_status s;
	double norm2;
	int i;

	memset(sums, 0, sizeof(*sums));
	for (i = 0; i < b->nunits; i++)
		if ((s = rna_mlm_unit_count(&b->units[i], tr->model, sums, err)) != RNA_OK)
			return s;
	if (rk_reply_read(b->norm, 0, &norm2, sizeof(norm2)) != RK_OK)
		return rna_fail(err, RNA_EDEVICE, "%s", rk_error(tr->model->rk));
	b->did.norm = sqrt(norm2);
	b->did.loss = 0;
	if (sums->targets > 0)
		b->did.loss += sums->loss / (double)sums->targets;
	if (sums->heads > 0)
		b->did.loss += tr->opts.type_weight * sums->head_loss / (double)sums->heads;
	if (!isfinite(b->did.loss) || !isfinite(b->did.norm))
		return rna_fail(err, RNA_EINVAL,
		    "step %lld: %s is not finite; nothing of it is kept; a smaller --lr may help",
		    (long long)b->did.state.step, isfinite(b->did.loss) ? "the gradient" : "the loss");
	return RNA_OK;
}

/* The oldest step that is out, or NULL. */
static struct rna_trainer_batch *
oldest(struct rna_trainer *tr)
{
	struct rna_trainer_batch *a = &tr->batch[0], *b = &tr->batch[1];

	if (a->out && b->out)
		return a->did.state.step < b->did.state.step ? a : b;
	return a->out ? a : b->out ? b : NULL;
}

enum rna_status
rna_trainer_tell(struct rna_trainer *tr, int64_t upto, struct rna_train_step *did, struct rna_err *err)
{
	struct rna_trainer_batch *b = oldest(tr);
	enum rna_status s;

	if (b == NULL || b->did.state.step > upto)
		return RNA_END;
	if ((s = receive(tr, b, err)) != RNA_OK)
		return s;
	*did = b->did;
	b->out = 0;
	return RNA_OK;
}

enum rna_status
rna_trainer_check(struct rna_trainer *tr, struct rna_err *err)
{
	struct rna_trainer_batch *first = oldest(tr), *then;
	enum rna_status s;

	if (first == NULL)
		return RNA_OK;
	then = first == tr->batch ? tr->batch + 1 : tr->batch;
	if ((s = receive(tr, first, err)) != RNA_OK)
		return s;
	return then->out ? receive(tr, then, err) : RNA_OK;
}

enum rna_status
rna_trainer_try(struct rna_trainer *tr, struct rna_err *err)
{
	enum rna_status s = gradients(tr, err);

	if (s == RNA_OK && rk_sync(tr->model->rk) != RK_OK)
		return rna_fail(err, RNA_EDEVICE, "%s", rk_error(tr->model->rk));
	return s;
}

/* 4. Scoring */

static enum rna_status
score_unit(struct rna_trainer *tr, struct rna_mlm_sums *sums, struct rna_err *err)
{
	struct rna_mlm_unit *u = &tr->valid;
	enum rna_status s = RNA_OK;

	if (u->batch.nseqs > 0 && sums != NULL &&
	    (s = rna_mlm_unit_run(u, tr->model, tr->eval, 0, 0, 0, err)) == RNA_OK)
		s = rna_mlm_unit_count(u, tr->model, sums, err);
	rna_batch_reuse(&u->batch);
	return s;
}

static enum rna_status
score_stream(struct rna_trainer *tr, struct rna_source *source, struct rna_record *rec, struct rna_mlm_sums *sums,
    struct rna_err *err)
{
	enum rna_status s;
	uint64_t n;

	while ((s = rna_source_read(source, rec, err)) != RNA_END) {
		if (s == RNA_NEXT)
			continue;
		if (s != RNA_OK)
			return s;
		if (rna_mlm_targets(rec, &n) < 0)
			return rna_fail(err, RNA_EFORMAT, "the record is not masked");
		if (n > (uint64_t)tr->model->config.max)
			return rna_fail(err, RNA_EFORMAT, "%llu tokens are more than the model takes (%d)",
			    (unsigned long long)n, tr->model->config.max);
		if (!rna_mlm_unit_fits(&tr->valid, rec) && (s = score_unit(tr, sums, err)) != RNA_OK)
			return s;
		if ((s = rna_mlm_unit_add(&tr->valid, tr->model, rec, 0, tr->opts.type_head, err)) != RNA_OK)
			return s;
	}
	return score_unit(tr, sums, err);
}

/* The evaluation tape with the weights as they are. */
static enum rna_status
ready_eval(struct rna_trainer *tr, struct rna_err *err)
{
	struct rna_tape_options opts = tr->unit_opts;

	opts.train = 0;
	if (tr->eval == NULL) {
		if (rna_mlm_unit_init(&tr->valid, tr->model->rk, &opts) != RNA_OK)
			return rna_fail(err, RNA_EMEM, "out of memory");
		if ((tr->eval = rna_mlm_tape(tr->model, &opts, tr->opts.type_head, err)) == NULL)
			return err->status;
	} else if (tr->eval_stale && rna_tape_repack(tr->eval, err) != RNA_OK)
		return err->status;
	tr->eval_stale = 0;
	return RNA_OK;
}

enum rna_status
rna_trainer_score(struct rna_trainer *tr, const char *path, struct rna_mlm_sums *sums, struct rna_err *err)
{
	struct rna_source_options opts = {.nthreads = 1};
	struct rna_source *source;
	struct rna_record rec;
	struct rna_input *in;
	enum rna_status s;

	if (sums != NULL)
		memset(sums, 0, sizeof(*sums));
	if ((s = ready_eval(tr, err)) != RNA_OK)
		return s;
	if ((in = rna_input_open(path, err)) == NULL || (source = rna_source_open(in, &opts, err)) == NULL)
		return err->status;
	rna_record_init(&rec);
	rna_batch_reuse(&tr->valid.batch);
	if (strcmp(rna_header_vocab_digest(rna_source_header(source)), tr->model->vocab.digest) != 0)
		s = rna_fail(err, RNA_EFORMAT, "not in the vocabulary of the model");
	else
		s = score_stream(tr, source, &rec, sums, err);
	if (s != RNA_OK)
		rna_err_where(err, path, rec.number > 0 ? rec.number : RNA_NOREC);
	rna_record_fini(&rec);
	rna_source_close(source);
	return s;
}

/* 5. What a checkpoint and a plan ask */

size_t
rna_trainer_bytes(const struct rna_trainer *tr)
{
	const size_t real = rk_real_size(tr->model->rk), lag = (size_t)rna_trainer_lag(tr);
	const int most = tr->batch[0].cap > tr->batch[1].cap ? tr->batch[0].cap : tr->batch[1].cap;
	const size_t units = (size_t)most * (1 + lag) + (tr->eval != NULL);
	size_t n = tr->model->params.total * 4 * real, per_token;

	if (tr->tape != NULL)
		n += rna_tape_bytes(tr->tape);
	if (tr->eval != NULL)
		n += rna_tape_bytes(tr->eval);
	per_token = 4 * sizeof(uint8_t) + 4 * sizeof(int32_t) + sizeof(uint64_t) + 2 * sizeof(float) + real;
	return n + units * (size_t)tr->unit_opts.tokens * per_token;
}

json_t *
rna_trainer_json(const struct rna_trainer *tr)
{
	static const char *const schedules[] = {"paper", "linear", "cosine", "constant"};
	const struct rna_trainer_options *o = &tr->opts;
	const struct rna_config *c = &tr->model->config;

	return json_pack("{s:I s:I s:s s:f s:f s:I s:I s:f s:f s:f s:f s:f s:s s:b s:f s:f s:f}", "batch_tokens",
	    (json_int_t)o->batch_tokens, "seed", (json_int_t)o->seed, "schedule", schedules[o->schedule.kind], "lr",
	    o->schedule.lr, "min_lr", o->schedule.min_lr, "warmup", (json_int_t)o->schedule.warmup, "steps",
	    (json_int_t)o->schedule.total, "beta1", o->beta1, "beta2", o->beta2, "eps", o->eps, "weight_decay",
	    o->weight_decay, "clip", o->clip, "dtype", o->precision == RK_BF16 ? "bf16" : "fp32", "type_head",
	    o->type_head, "type_weight", o->type_weight, "dropout", (double)c->hidden_dropout, "attention_dropout",
	    (double)c->attention_dropout);
}
