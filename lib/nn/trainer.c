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
	int tokens = rk_unit_tokens(m->rk);

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
	return RNA_OK;
}

void
rna_trainer_fini(struct rna_trainer *tr)
{
	int i;

	for (i = 0; i < tr->cap; i++)
		rna_mlm_unit_fini(&tr->units[i]);
	free(tr->units);
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

/* The unit that takes the record: the last, or a new one. */
static struct rna_mlm_unit *
unit_for(struct rna_trainer *tr, const struct rna_record *rec)
{
	struct rna_mlm_unit *units, *u;

	if (tr->nunits > 0 && rna_mlm_unit_fits(&tr->units[tr->nunits - 1], rec))
		return &tr->units[tr->nunits - 1];
	if (tr->nunits == tr->cap) {
		if ((units = reallocarray(tr->units, (size_t)tr->cap + 1, sizeof(*units))) == NULL)
			return NULL;
		tr->units = units;
		if (rna_mlm_unit_init(&units[tr->cap], &tr->unit_opts) != RNA_OK) {
			rna_mlm_unit_fini(&units[tr->cap]);
			return NULL;
		}
		tr->cap++;
	}
	u = &tr->units[tr->nunits++];
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
	if ((u = unit_for(tr, rec)) == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
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

/* Gradients and losses of the batch being filled. */
static enum rna_status
gradients(struct rna_trainer *tr, struct rna_mlm_sums *sums, struct rna_err *err)
{
	float weight = tr->targets > 0 ? (float)(1.0 / (double)tr->targets) : 0;
	float head_weight = tr->heads > 0 ? (float)(tr->opts.type_weight / (double)tr->heads) : 0;
	enum rna_status s;
	int i;

	if ((s = rna_optimizer_zero(&tr->optimizer, err)) != RNA_OK)
		return s;
	for (i = 0; i < tr->nunits; i++) {
		s = rna_mlm_unit_run(&tr->units[i], tr->model, tr->tape, 1, weight, head_weight, sums, err);
		if (s != RNA_OK)
			return s;
	}
	return RNA_OK;
}

static enum rna_status
update(struct rna_trainer *tr, const struct rna_train_step *did, struct rna_err *err)
{
	const struct rna_trainer_options *o = &tr->opts;
	struct rk_adamw_step setting = {
	    did->lr, o->beta1, o->beta2, o->eps, o->weight_decay, o->clip, tr->state.step + 1};
	enum rna_status s;

	if (!isfinite(did->loss) || !isfinite(did->norm))
		return rna_fail(err, RNA_EINVAL,
		    "step %lld: %s is not finite; the weights are those of the step before; "
		    "a smaller --lr may help",
		    (long long)tr->state.step + 1, isfinite(did->loss) ? "the gradient" : "the loss");
	if ((s = rna_optimizer_step(&tr->optimizer, &setting, err)) != RNA_OK)
		return s;
	tr->eval_stale = 1;
	return rna_tape_repack(tr->tape, err);
}

enum rna_status
rna_trainer_step(struct rna_trainer *tr, struct rna_train_step *did, struct rna_err *err)
{
	struct rna_mlm_sums *sums = &did->sums;
	enum rna_status s;

	memset(did, 0, sizeof(*did));
	if ((s = gradients(tr, sums, err)) != RNA_OK ||
	    (s = rna_optimizer_norm(&tr->optimizer, &did->norm, err)) != RNA_OK)
		return s;
	if (sums->targets > 0)
		did->loss += sums->loss / (double)sums->targets;
	if (sums->heads > 0)
		did->loss += tr->opts.type_weight * sums->head_loss / (double)sums->heads;
	did->lr = rna_schedule_lr(&tr->opts.schedule, tr->state.step + 1);
	did->records = tr->records;
	did->tokens = tr->tokens;
	if ((s = update(tr, did, err)) != RNA_OK)
		return s;
	tr->state.step++;
	tr->state.records += tr->records;
	tr->state.tokens += tr->tokens;
	tr->state.hash = tr->hash;
	tr->nunits = 0;
	tr->records = tr->tokens = tr->targets = tr->heads = 0;
	return RNA_OK;
}

enum rna_status
rna_trainer_try(struct rna_trainer *tr, struct rna_err *err)
{
	struct rna_mlm_sums sums = {0};
	enum rna_status s;
	double norm;

	if ((s = gradients(tr, &sums, err)) != RNA_OK)
		return s;
	return rna_optimizer_norm(&tr->optimizer, &norm, err);
}

/* 4. Scoring */

static enum rna_status
score_unit(struct rna_trainer *tr, struct rna_mlm_sums *sums, struct rna_err *err)
{
	enum rna_status s = RNA_OK;

	if (tr->valid.batch.nseqs > 0 && sums != NULL)
		s = rna_mlm_unit_run(&tr->valid, tr->model, tr->eval, 0, 0, 0, sums, err);
	rna_batch_reuse(&tr->valid.batch);
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
		if (rna_mlm_unit_init(&tr->valid, &opts) != RNA_OK)
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
	size_t n = tr->model->params.total * 4 * rk_real_size(tr->model->rk), per_token;

	if (tr->tape != NULL)
		n += rna_tape_bytes(tr->tape);
	if (tr->eval != NULL)
		n += rna_tape_bytes(tr->eval);
	per_token = 2 * sizeof(uint8_t) + 4 * sizeof(int32_t) + sizeof(uint64_t) + 2 * sizeof(float);
	return n + (size_t)(tr->cap + (tr->eval != NULL)) * (size_t)tr->unit_opts.tokens * per_token;
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
