/*
 * train_setup.c: what rna-train does before the first record is used.
 *
 * 1. The folder   2. The model   3. How many steps
 */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "train_run.h"

#define SAVES 10        /* checkpoints in a run, unless --save-every says otherwise */
#define SCORINGS 20     /* of --valid, unless --valid-every does */
#define OPEN_ENDED 1000 /* steps between them when the total is not known */

void
train_fail(struct train_run *r, const struct rna_err *err)
{
	tool_progress_end(&r->bar);
	rna_dirlock_release(&r->lock);
	tool_die_err(r->t, err);
}

void
train_usage(struct train_run *r, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	rna_dirlock_release(&r->lock);
	tool_usage(r->t, "%s", text);
}

void
train_log_failed(struct train_run *r)
{
	struct rna_err err = {.record = RNA_NOREC};

	rna_fail_errno(&err, "the log can't be written");
	train_fail(r, &err);
}

void
train_log_open(struct train_run *r, const char *columns)
{
	char path[sizeof(r->dir) + 16];

	snprintf(path, sizeof(path), "%s/log.tsv", r->dir);
	if ((r->table = fopen(r->o->log != NULL ? r->o->log : path, "we")) == NULL)
		train_log_failed(r);
	setvbuf(r->table, NULL, _IOLBF, 0);
	if (fputs(columns, r->table) < 0)
		train_log_failed(r);
}

/* 1. The folder */

int64_t
train_take_folder(struct train_run *r)
{
	const struct train_opts *o = r->o;
	struct rna_err err = {.record = RNA_NOREC};
	char model[sizeof(r->dir) + 32];
	int64_t newest;
	int there;

	r->lock.fd = -1;
	if (r->t->output == NULL || o->plan)
		return -1;
	if (strlcpy(r->dir, r->t->output, sizeof(r->dir)) >= sizeof(r->dir))
		tool_die(r->t, "-o: the path is too long");
	if (rna_dirlock_take(&r->lock, r->dir, &err) != RNA_OK)
		train_fail(r, &err);
	snprintf(model, sizeof(model), "%s/model.safetensors", r->dir);
	there = access(model, F_OK) == 0;
	if (rna_checkpoint_newest(r->dir, &newest, &err) != RNA_OK)
		train_fail(r, &err);
	if (o->resume && newest < 0 && there)
		rna_fail(&err, RNA_EINVAL,
		    "%s: holds a model but no checkpoint to resume; train on from it with -m %s -o OTHER", r->dir,
		    r->dir);
	else if (!o->resume && (newest >= 0 || there) && !r->t->force)
		rna_fail(&err, RNA_EINVAL, "%s: holds a model already; %sreplace it with -f", r->dir,
		    newest >= 0 ? "continue its run with --resume, or " : "");
	else if (o->resume && newest >= 0)
		return newest;
	else if (rna_checkpoint_clear(r->dir, &err) == RNA_OK)
		return -1;
	train_fail(r, &err);
	return -1;
}

/* 2. The model */

void
train_check_vocab(struct train_run *r)
{
	const struct rna_header *h = tool_in_header(&r->in);
	struct rna_err err = {.record = RNA_NOREC};

	if (strcmp(rna_header_vocab_digest(h), r->model.vocab.digest) == 0)
		return;
	rna_fail(&err, RNA_EFORMAT,
	    "the stream's vocabulary is %s, the model's is %s; make the stream anew with: "
	    "rna-tokenize %s",
	    rna_header_vocab_name(h), r->model.vocab.name, r->t->model != NULL ? "-m MODEL" : "--vocab FILE");
	train_fail(r, &err);
}

/* Shape options that were given, over what the config says. */
static void
apply_shape(const struct train_opts *o, struct rna_config *c)
{
	const struct {
		int64_t given;
		int *field;
	} shape[] = {{o->layers, &c->layers}, {o->hidden, &c->hidden}, {o->heads, &c->heads}, {o->ffn, &c->ffn},
	    {o->max_tokens, &c->positions}};
	size_t i;

	for (i = 0; i < sizeof(shape) / sizeof(shape[0]); i++) {
		if (shape[i].given > 0)
			*shape[i].field = (int)shape[i].given;
	}
	if (o->act >= 0)
		c->act = o->act == 0 ? RK_RELU : RK_GELU;
	if (o->init_range > 0)
		c->init_range = (float)o->init_range;
	c->init_local = o->init_local;
}

static void
apply_dropout(const struct train_opts *o, struct rna_config *c)
{
	if (o->dropout >= 0)
		c->hidden_dropout = (float)o->dropout;
	if (o->attention_dropout >= 0)
		c->attention_dropout = (float)o->attention_dropout;
}

static enum rna_frame
stream_frame(const struct train_run *r, const struct rna_vocab *v)
{
	const uint8_t *tokens;
	uint64_t n;

	if (!r->have || (tokens = rna_record_get_vec(&r->rec, "tokens", RNA_U8, &n)) == NULL)
		return RNA_FRAME_TYPE;
	return rna_frame_slot(v, tokens, n) >= 0 ? RNA_FRAME_TYPE : RNA_FRAME_PLAIN;
}

static int
head_from(const struct train_opts *o)
{
	return o->head == TRAIN_INTERACTION ? RNA_CLASS_INTERACTION : o->from;
}

/* Of the interaction head. */
static float
head_dropout(const struct train_opts *o)
{
	return o->dropout >= 0 ? (float)o->dropout : 0.1f;
}

/*
 * A new model's interaction head has no language model beside it.  A model folder has a backbone; it is as small as can
 * be, and nothing reads it.
 */
static void
no_language_model(const struct train_run *r, struct rna_config *c)
{
	if (r->labels == NULL || r->o->head != TRAIN_INTERACTION)
		return;
	c->layers = c->heads = 1;
	c->hidden = c->ffn = 8;
}

/* A new model that classifies. */
static void
class_head(const struct train_run *r, struct rna_config *c)
{
	c->labels = json_incref(r->labels);
	c->class_from = head_from(r->o);
	c->class_mlp = r->o->head != TRAIN_LINEAR;
	c->class_chunks = r->o->chunks;
	c->class_axis = r->o->channels ? RNA_AXIS_CHANNELS : RNA_AXIS_POSITIONS;
	c->class_dropout = head_dropout(r->o);
	c->pairs = r->pairs;
	c->pooler = c->class_from == RNA_CLASS_POOLED;
	c->mlm = 0;
}

static enum rna_status
new_model(struct train_run *r, struct rna_err *err)
{
	const struct train_opts *o = r->o;
	struct rna_config c = {0};
	struct rna_vocab v;
	enum rna_status s;

	s = o->vocab != NULL ? rna_vocab_load(&v, o->vocab, err) : rna_vocab_init(&v);
	if (s != RNA_OK)
		return s;
	if ((s = rna_config_preset(&c, o->config != NULL ? o->config : "tiny", err)) == RNA_OK) {
		if (r->stream_max > 0)
			c.positions = r->stream_max;
		no_language_model(r, &c);
		apply_shape(o, &c);
		apply_dropout(o, &c);
		c.vocab_size = v.n;
		c.max = c.positions;
		c.frame = stream_frame(r, &v);
		c.type_head = o->type_head;
		if (r->labels != NULL)
			class_head(r, &c);
		if ((s = rna_config_check(&c, err)) == RNA_OK)
			s = rna_model_create(&r->model, &c, &v, r->rk, r->t->seed, err);
	}
	rna_config_fini(&c);
	rna_vocab_fini(&v);
	return s;
}

/* Options that contradict the model that is continued. */
static enum rna_status
same_shape(struct train_run *r, const char *dir, struct rna_err *err)
{
	const struct rna_config *is = &r->model.config;
	struct rna_config c;
	enum rna_status s = RNA_OK;

	if (r->o->config != NULL)
		s = rna_config_preset(&c, r->o->config, err);
	else
		s = rna_config_copy(&c, is);
	if (s != RNA_OK)
		return s;
	apply_shape(r->o, &c);
	if (c.layers != is->layers || c.hidden != is->hidden || c.heads != is->heads || c.ffn != is->ffn ||
	    c.act != is->act || (r->o->max_tokens > 0 && c.positions != is->positions))
		s = rna_fail(err, RNA_EINVAL,
		    "%s: the model there has another shape than the options ask for (%d layers, "
		    "hidden %d, heads %d, ffn %d)",
		    dir, is->layers, is->hidden, is->heads, is->ffn);
	rna_config_fini(&c);
	return s;
}

static enum rna_status
old_model(struct train_run *r, const char *dir, struct rna_err *err)
{
	struct rna_model_options mo = {.need_mlm = r->labels == NULL, .type_head = r->o->type_head, .seed = r->t->seed};
	enum rna_status s;

	mo.labels = r->labels;
	mo.class_from = head_from(r->o);
	mo.class_mlp = r->o->head != TRAIN_LINEAR;
	mo.class_chunks = r->o->chunks;
	mo.class_axis = r->o->channels ? RNA_AXIS_CHANNELS : RNA_AXIS_POSITIONS;
	mo.class_lm = r->o->head == TRAIN_INTERACTION;
	mo.class_dropout = head_dropout(r->o);
	if (r->o->adapt == TRAIN_STACK)
		mo.class_typer = r->o->shared ? RNA_TYPER_SHARED : RNA_TYPER_FROZEN;
	mo.pairs = r->pairs;

	if ((s = rna_model_open(&r->model, dir, r->rk, &mo, err)) != RNA_OK || (s = same_shape(r, dir, err)) != RNA_OK)
		return s;
	apply_dropout(r->o, &r->model.config);
	if (r->have) {
		r->model.config.frame = stream_frame(r, &r->model.vocab);
		if (r->stream_max > 0 && r->stream_max <= r->model.config.positions)
			r->model.config.max = r->stream_max;
	}
	return RNA_OK;
}

void
train_open_model(struct train_run *r, int64_t from)
{
	struct rna_err err = {.record = RNA_NOREC};
	char path[sizeof(r->dir) + 64], *dir, why[512];
	enum rna_status s;

	if ((r->rk = rk_open(r->t->device, r->t->threads, why, sizeof(why))) == NULL) {
		rna_fail(&err, RNA_EDEVICE, "%s", why);
		train_fail(r, &err);
	}
	if (*why != '\0')
		tool_note(r->t, 1, "-d auto: cpu: %s", why);
	if (r->o->bf16 && !rk_has(r->rk, RK_BF16, why, sizeof(why))) {
		rna_fail(&err, RNA_EDEVICE, "--dtype bf16: %s", why);
		train_fail(r, &err);
	}
	if (from >= 0) {
		if ((s = rna_checkpoint_path(r->dir, from, path, sizeof(path), &err)) == RNA_OK)
			s = old_model(r, path, &err);
	} else if (train_has_model(r->t)) {
		dir = tool_model_path(r->t, r->t->model);
		s = old_model(r, dir, &err);
		free(dir);
	} else
		s = new_model(r, &err);
	if (s != RNA_OK)
		train_fail(r, &err);
}

/* 3. How many steps */

static int
regular_files(const struct tool *t)
{
	struct stat st;
	int i;

	for (i = 0; i < t->nfiles; i++) {
		if (stat(t->files[i], &st) != 0 || !S_ISREG(st.st_mode))
			return 0;
	}
	return 1;
}

/*
 * Steps that one pass over the stream takes, by the totals in its header; 0 when it has none.  A batch ends before the
 * record that would be too much, so it lacks half a record on average.
 */
static int64_t
steps_by_header(const struct train_run *r)
{
	const struct rna_header *h = tool_in_header(&r->in);
	uint64_t records = rna_header_records(h), tokens = rna_header_tokens(h);
	double batch = (double)r->o->batch_tokens, mean;

	if (records == RNA_TOTAL_UNKNOWN || tokens == RNA_TOTAL_UNKNOWN || records == 0 || tokens == 0)
		return 0;
	mean = (double)tokens / (double)records;
	return (int64_t)ceil((double)tokens / fmax(batch - mean / 2, batch / 2));
}

void
train_count_steps(struct train_run *r)
{
	const struct train_opts *o = r->o;
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_train_count count;

	if (o->steps >= 0)
		r->total = o->steps;
	else if (regular_files(r->t)) {
		if (rna_train_count(r->t->files, r->t->nfiles, (uint64_t)o->batch_tokens,
			o->epochs > 0 ? (uint64_t)o->epochs : 1, &count, &err) != RNA_OK)
			train_fail(r, &err);
		r->total = count.steps;
	} else if (o->epochs > 0) {
		train_usage(r,
		    "--epochs needs files; on a pipe an epoch is a stream: for e in 0 1 2; do rna-shuf -s $e x.rill | "
		    "rna-mask --epoch $e; done | rna-train mlm --steps N ...");
	} else if (o->schedule != RNA_SCHEDULE_CONSTANT) {
		r->total = steps_by_header(r);
		r->estimated = 1;
		if (r->total == 0)
			train_usage(r, "the stream does not say how long it is: give --steps N or "
				       "--schedule constant, or train from a file");
		tool_note(r->t, 1, "%lld steps, by the totals in the header", (long long)r->total);
	}
}

static int64_t
every(int64_t given, int64_t total, int64_t times)
{
	if (given > 0)
		return given;
	if (total == 0)
		return OPEN_ENDED;
	return (total + times - 1) / times;
}

void
train_make_trainer(struct train_run *r)
{
	const struct train_opts *o = r->o;
	struct rna_err err = {.record = RNA_NOREC};
	double min_lr = o->min_lr >= 0 ? o->min_lr : fmin(5e-5, o->lr / 2);
	int64_t warmup = o->warmup >= 0 ? o->warmup : rna_schedule_warmup(r->total);
	struct rna_trainer_options to = {
	    .batch_tokens = (uint64_t)o->batch_tokens,
	    .seed = r->t->seed,
	    .schedule = {(enum rna_schedule_kind)(o->schedule < 0 ? RNA_SCHEDULE_PAPER : o->schedule), o->lr, min_lr,
		warmup, r->total},
	    .beta1 = 0.9,
	    .beta2 = 0.999,
	    .eps = 1e-8,
	    .weight_decay = fmax(o->weight_decay, 0),
	    .clip = o->clip < 0 ? 1 : o->clip,
	    .precision = o->bf16 ? RK_BF16 : RK_FP32,
	    .type_head = o->type_head,
	    .type_weight = o->type_weight,
	    .masked = rna_train_stream_masked(tool_in_header(&r->in)),
	};

	if (rna_trainer_init(&r->tr, &r->model, &to, &err) != RNA_OK)
		train_fail(r, &err);
	r->save_every = every(o->save_every, r->total, SAVES);
	r->valid_every = every(o->valid_every, r->total, SCORINGS);
}
