/*
 * train_options.c: the options of rna-train and what they are set to.
 */
#include <stddef.h>
#include <string.h>

#include "train.h"

enum {
	OPT_ACT = CHAR_MAX + 1, OPT_ADAPT, OPT_ATTENTION_DROPOUT, OPT_BATCH, OPT_BATCH_TOKENS, OPT_CHUNKS,
	OPT_CLASS_WEIGHTS,
	OPT_CLIP, OPT_COMPAT, OPT_DROPOUT, OPT_DTYPE,
	OPT_EPOCHS, OPT_FFN, OPT_FROM, OPT_GROUP, OPT_HEAD, OPT_HEADS, OPT_HIDDEN, OPT_IMAGES,
	OPT_INIT, OPT_INIT_RANGE, OPT_KEEP,
	OPT_LABEL_SMOOTHING, OPT_LAMBDA, OPT_LAYERS, OPT_LOG, OPT_LOG_EVERY, OPT_LONGEST, OPT_LR,
	OPT_MAX_CHUNKS, OPT_MAX_TOKENS, OPT_MIN_LR, OPT_OBJECTIVE, OPT_PATIENCE, OPT_PLAN, OPT_PREDICTOR, OPT_RESUME,
	OPT_SAVE_EVERY, OPT_SCHEDULE, OPT_SEEDS, OPT_STEPS,
	OPT_TYPES, OPT_TYPES_FLOOR, OPT_TYPE_WEIGHT,
	OPT_VALID, OPT_VALID_EVERY, OPT_VALID_SPLIT, OPT_VOCAB, OPT_WARMUP, OPT_WEIGHT_DECAY
};

const struct tool_option train_options[] = {
	{'c', "config", "tiny|small|base", "shape of a new model (default tiny)"},
	{OPT_STEPS, "steps", "N", "optimiser steps of the whole run; 0 writes a random model"},
	{OPT_EPOCHS, "epochs", "N", "or passes over the files (default 1; class: 50, pair: 100)"},
	{OPT_BATCH_TOKENS, "batch-tokens", "N", "tokens of a step (default 16384)"},
	{OPT_LR, "lr", "X", "peak learning rate (default 1e-4; pair: 1e-3)"},
	{OPT_MIN_LR, "min-lr", "X", "rate at the end (default 5e-5, or half of --lr)"},
	{OPT_SCHEDULE, "schedule", "paper|linear|cosine|constant", "how the rate falls (paper; class: constant)"},
	{OPT_WARMUP, "warmup", "N", "steps of linear warm-up (default 5 % of them)"},
	{OPT_VALID, "valid", "FILE", "stream to score on the way and at the end"},
	{OPT_VALID_SPLIT, "valid-split", "X", "class, pair: or this share of the RNAs"},
	{OPT_ADAPT, "adapt", "tbth|fbth|stack", "class, pair: all, a head on frozen weights, or all by types (tbth)"},
	{OPT_TYPES, "types", "K", "stack: types that an RNA is shown as (default 3)"},
	{OPT_TYPES_FLOOR, "types-floor", "P", "stack: leave out types less probable, but the first (default 0)"},
	{OPT_PREDICTOR, "predictor", "frozen|shared", "stack: types by -m as it is, or as it learns (frozen)"},
	{OPT_OBJECTIVE, "objective", "mask|type", "type: adds the loss of a type head on [CLS]"},
	{OPT_DTYPE, "dtype", "fp32|bf16", "operands of matrix products (default fp32)"},
	{OPT_RESUME, "resume", NULL, "continue from the newest checkpoint in -o"},
	{OPT_PLAN, "plan", NULL, "print size, steps, memory, disk and time, and stop"},
	{OPT_SAVE_EVERY, "save-every", "N", "steps (class, pair: epochs) between checkpoints (default: 10 in a run)"},
	{OPT_VALID_EVERY, "valid-every", "N", "steps between scorings of --valid (default: 20 in a run)"},
	{OPT_LOG, "log", "FILE", "table of the steps (default log.tsv in -o)"},
	{OPT_LOG_EVERY, "log-every", "N", "steps between rows of the log (default 1)"},
	{OPT_KEEP, "keep", "N", "checkpoints kept (default 2)"},
	{OPT_LAYERS, "layers", "N", "layers of a new model"},
	{OPT_HIDDEN, "hidden", "N", "width of a new model"},
	{OPT_HEADS, "heads", "N", "attention heads of a new model"},
	{OPT_FFN, "ffn", "N", "width between its two linear layers"},
	{OPT_ACT, "act", "relu|gelu", "activation of a new model"},
	{OPT_INIT, "init", "normal|local", "starting values of a new model (default normal)"},
	{OPT_INIT_RANGE, "init-range", "X", "their standard deviation (default 0.02)"},
	{OPT_MAX_TOKENS, "max-tokens", "N", "longest input of a new model, specials included"},
	{OPT_VOCAB, "vocab", "FILE", "tokens of a new model, one a line"},
	{OPT_DROPOUT, "dropout", "P", "dropout of layers (default: the model's)"},
	{OPT_ATTENTION_DROPOUT, "attention-dropout", "P", "dropout of attention (default: the model's)"},
	{OPT_WEIGHT_DECAY, "weight-decay", "X", "decay of matrices (default 0; class: 0.01)"},
	{OPT_CLIP, "clip", "X", "largest gradient norm, 0: no limit (default 1; class: 0)"},
	{OPT_BATCH, "batch", "N", "class, pair: RNAs of a step (default 50, pair: 256)"},
	{OPT_GROUP, "group", "FIELD", "class, pair: --valid-split keeps equal values of it together"},
	{OPT_PATIENCE, "patience", "N", "class, pair: stop after N epochs without a better one, 0: never (default 10)"},
	{OPT_CLASS_WEIGHTS, "class-weights", NULL, "class, pair: all classes count the same"},
	{OPT_LABEL_SMOOTHING, "label-smoothing", "X", "class, pair: share of each label given to all (default 0)"},
	{OPT_HEAD, "head", "linear|mlp|interaction", "class, pair: the class head (linear; pair: interaction)"},
	{OPT_COMPAT, "compat", "paddle", "pair: the interaction head as the released code has it"},
	{OPT_FROM, "from", "WHAT", "class, pair: pooled, cls, mean, attention; kmer, length, seq, field:NAME"},
	{OPT_CHUNKS, "chunks", "mean|attention|mlp", "class: how the chunks of an RNA are put together (default mean)"},
	{OPT_MAX_CHUNKS, "max-chunks", "N", "class: train on the first N chunks of an RNA, 0: on all (default 6)"},
	{OPT_SEEDS, "seeds", "N", "class, pair: train N times; mean and deviation are printed (default 1)"},
	{OPT_LAMBDA, "lambda", "X", "fold: weight of the thermodynamic term of the loss (default 1)"},
	{OPT_LONGEST, "longest", "N", "fold: leave out RNAs of more nt, 0: none (default 600)"},
	{OPT_IMAGES, "images", "1|2", "fold: 1: scores of (j,i) are a constant, half the time (default 2)"},
	{OPT_TYPE_WEIGHT, "type-weight", "X", "weight of the type head's loss (default 0.1)"},
	{0, NULL, NULL, NULL},
};

/* Options that are a number, with their range. */
static const struct number {
	int code;
	const char *name;
	size_t whole; /* where it goes in struct train_opts, plus 1; 0: not a whole number, then: */
	size_t real;
	double min, max;
} numbers[] = {
	{OPT_STEPS, "--steps", offsetof(struct train_opts, steps) + 1, 0, 0, 1e12},
	{OPT_EPOCHS, "--epochs", offsetof(struct train_opts, epochs) + 1, 0, 1, 1e6},
	{OPT_BATCH_TOKENS, "--batch-tokens", offsetof(struct train_opts, batch_tokens) + 1, 0, 16, 1 << 30},
	{OPT_WARMUP, "--warmup", offsetof(struct train_opts, warmup) + 1, 0, 0, 1e12},
	{OPT_BATCH, "--batch", offsetof(struct train_opts, batch) + 1, 0, 1, 1e6},
	{OPT_PATIENCE, "--patience", offsetof(struct train_opts, patience) + 1, 0, 0, 1e6},
	{OPT_TYPES, "--types", offsetof(struct train_opts, types) + 1, 0, 1, 255},
	{OPT_MAX_CHUNKS, "--max-chunks", offsetof(struct train_opts, max_chunks) + 1, 0, 0, 1e6},
	{OPT_TYPES_FLOOR, "--types-floor", 0, offsetof(struct train_opts, floor) + 1, 0, 1},
	{OPT_SEEDS, "--seeds", offsetof(struct train_opts, seeds) + 1, 0, 1, 1000},
	{OPT_SAVE_EVERY, "--save-every", offsetof(struct train_opts, save_every) + 1, 0, 1, 1e12},
	{OPT_VALID_EVERY, "--valid-every", offsetof(struct train_opts, valid_every) + 1, 0, 1, 1e12},
	{OPT_LOG_EVERY, "--log-every", offsetof(struct train_opts, log_every) + 1, 0, 1, 1e12},
	{OPT_KEEP, "--keep", offsetof(struct train_opts, keep) + 1, 0, 1, 1e6},
	{OPT_LAYERS, "--layers", offsetof(struct train_opts, layers) + 1, 0, 1, 1000},
	{OPT_HIDDEN, "--hidden", offsetof(struct train_opts, hidden) + 1, 0, 1, 65536},
	{OPT_HEADS, "--heads", offsetof(struct train_opts, heads) + 1, 0, 1, 1024},
	{OPT_FFN, "--ffn", offsetof(struct train_opts, ffn) + 1, 0, 1, 262144},
	{OPT_MAX_TOKENS, "--max-tokens", offsetof(struct train_opts, max_tokens) + 1, 0, 8, 65536},
	{OPT_LONGEST, "--longest", offsetof(struct train_opts, longest) + 1, 0, 0, 20000},
	{OPT_IMAGES, "--images", offsetof(struct train_opts, images) + 1, 0, 1, 2},
	{OPT_LAMBDA, "--lambda", 0, offsetof(struct train_opts, lambda) + 1, 0, 1e6},
	{OPT_LR, "--lr", 0, offsetof(struct train_opts, lr) + 1, 0, 100},
	{OPT_MIN_LR, "--min-lr", 0, offsetof(struct train_opts, min_lr) + 1, 0, 100},
	{OPT_WEIGHT_DECAY, "--weight-decay", 0, offsetof(struct train_opts, weight_decay) + 1, 0, 10},
	{OPT_CLIP, "--clip", 0, offsetof(struct train_opts, clip) + 1, 0, 1e6},
	{OPT_TYPE_WEIGHT, "--type-weight", 0, offsetof(struct train_opts, type_weight) + 1, 0, 100},
	{OPT_INIT_RANGE, "--init-range", 0, offsetof(struct train_opts, init_range) + 1, 1e-6, 10},
	{OPT_VALID_SPLIT, "--valid-split", 0, offsetof(struct train_opts, valid_split) + 1, 0.001, 0.9},
	{OPT_LABEL_SMOOTHING, "--label-smoothing", 0, offsetof(struct train_opts, smoothing) + 1, 0, 0.9},
	{OPT_DROPOUT, "--dropout", 0, offsetof(struct train_opts, dropout) + 1, 0, 0.9},
	{OPT_ATTENTION_DROPOUT, "--attention-dropout", 0, offsetof(struct train_opts, attention_dropout) + 1, 0, 0.9},
};

/* A number goes where the table says; 0 when the option is not a number. */
static int
number(struct tool *t, struct train_opts *o, int code, const char *value)
{
	char *at = (char *)o;
	int64_t n;
	double x;
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const struct number *k = &numbers[i];

		if (k->code != code)
			continue;
		if (k->whole > 0) {
			n = tool_int(t, k->name, value, (long long)k->min, (long long)k->max);
			memcpy(at + k->whole - 1, &n, sizeof(n));
		} else {
			x = tool_float(t, k->name, value, k->min, k->max);
			memcpy(at + k->real - 1, &x, sizeof(x));
		}
		return 1;
	}
	return 0;
}

/* One of a list of words; 0 when the option is not such. */
static int
word(struct tool *t, struct train_opts *o, int code, const char *value)
{
	static const char *const acts[] = {"relu", "gelu", NULL}, *const dtypes[] = {"fp32", "bf16", NULL};
	static const char *const schedules[] = {"paper", "linear", "cosine", "constant", NULL};
	static const char *const objectives[] = {"mask", "type", NULL}, *const inits[] = {"normal", "local", NULL};
	static const char *const adapts[] = {"tbth", "fbth", "stack", NULL};
	static const char *const heads[] = {"linear", "mlp", "interaction", NULL};
	static const char *const ways[] = {"mean", "attention", "mlp", NULL};
	static const char *const predictors[] = {"frozen", "shared", NULL};
	const struct {
		int code;
		const char *name;
		const char *const *choices;
		int *to;
	} words[] = {
	    {OPT_ACT, "--act", acts, &o->act},
	    {OPT_ADAPT, "--adapt", adapts, &o->adapt},
	    {OPT_CHUNKS, "--chunks", ways, &o->chunks},
	    {OPT_DTYPE, "--dtype", dtypes, &o->bf16},
	    {OPT_HEAD, "--head", heads, &o->head},
	    {OPT_INIT, "--init", inits, &o->init_local},
	    {OPT_OBJECTIVE, "--objective", objectives, &o->type_head},
	    {OPT_PREDICTOR, "--predictor", predictors, &o->shared},
	    {OPT_SCHEDULE, "--schedule", schedules, &o->schedule},
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i].code != code)
			continue;
		*words[i].to = tool_choice(t, words[i].name, value, words[i].choices);
		return 1;
	}
	return 0;
}

/* In the order of enum train_from. */
static void
take_from(struct tool *t, struct train_opts *o, const char *value)
{
	static const char *const froms[] = {
	    "pooled", "cls", "mean", "attention", "kmer", "length", "seq", "field:NAME", NULL};

	o->field = strncmp(value, "field:", 6) == 0 && value[6] != '\0' ? value + 6 : NULL;
	o->from = o->field != NULL ? TRAIN_FROM_FIELD : tool_choice(t, "--from", value, froms);
	if (o->from == TRAIN_FROM_FIELD && o->field == NULL)
		o->field = "NAME";
}

int
train_option(int code, const char *value, void *arg)
{
	static const char *const configs[] = {"tiny", "small", "base", NULL}, *const compats[] = {"paddle", NULL};
	struct train_opts *o = arg;
	struct tool *t = o->tool;

	if (code > CHAR_MAX)
		o->given |= UINT64_C(1) << (code - CHAR_MAX);
	if (number(t, o, code, value) || word(t, o, code, value))
		return 0;
	switch (code) {
	case 'c':
		tool_choice(t, "-c", value, configs);
		o->config = value;
		break;
	case OPT_CLASS_WEIGHTS:
		o->weighted = 1;
		break;
	case OPT_COMPAT:
		tool_choice(t, "--compat", value, compats);
		o->channels = 1;
		break;
	case OPT_FROM:
		take_from(t, o, value);
		break;
	case OPT_GROUP:
		o->group = value;
		break;
	case OPT_LOG:
		o->log = value;
		break;
	case OPT_PLAN:
		o->plan = 1;
		break;
	case OPT_RESUME:
		o->resume = 1;
		break;
	case OPT_VALID:
		if (strcmp(value, "-") == 0)
			tool_usage(t, "--valid -: is scored again and again, so it has to be a file");
		o->valid = value;
		break;
	case OPT_VOCAB:
		o->vocab = value;
		break;
	}
	return 0;
}

/* Who takes the options that not all objectives take. */
enum {
	MLM = 1 << TRAIN_MLM, CLASSES = 1 << TRAIN_CLASS | 1 << TRAIN_PAIR, FOLD = 1 << TRAIN_FOLD,
	DATA = CLASSES | FOLD, STEPS = MLM | FOLD
};

static const struct {
	int code;
	unsigned who;
} owners[] = {
	{OPT_ADAPT, DATA}, {OPT_BATCH, DATA}, {OPT_CLASS_WEIGHTS, CLASSES}, {OPT_FROM, CLASSES},
	{OPT_GROUP, DATA}, {OPT_HEAD, CLASSES}, {OPT_LABEL_SMOOTHING, CLASSES}, {OPT_PATIENCE, DATA},
	{OPT_CHUNKS, 1 << TRAIN_CLASS}, {OPT_COMPAT, 1 << TRAIN_PAIR}, {OPT_MAX_CHUNKS, 1 << TRAIN_CLASS},
	{OPT_PREDICTOR, CLASSES},
	{OPT_TYPES, DATA}, {OPT_TYPES_FLOOR, CLASSES}, {OPT_SEEDS, DATA}, {OPT_VALID_SPLIT, DATA},
	{OPT_BATCH_TOKENS, MLM}, {OPT_KEEP, MLM}, {OPT_LOG_EVERY, MLM}, {OPT_OBJECTIVE, MLM}, {OPT_PLAN, MLM},
	{OPT_SAVE_EVERY, MLM | CLASSES}, {OPT_STEPS, STEPS}, {OPT_TYPE_WEIGHT, MLM},
	{OPT_VALID_EVERY, STEPS},
	{OPT_IMAGES, FOLD}, {OPT_LAMBDA, FOLD}, {OPT_LONGEST, FOLD},
};

_Static_assert(OPT_WEIGHT_DECAY - CHAR_MAX < 64, "struct train_opts.given has a bit for each");

static int
is_given(const struct train_opts *o, int code)
{
	return (o->given & UINT64_C(1) << (code - CHAR_MAX)) != 0;
}

int
train_is_given(const struct train_opts *o, const char *name)
{
	const struct tool_option *k = train_options;

	while (k->name != NULL && strcmp(k->name, name) != 0)
		k++;
	return k->name != NULL && k->code > CHAR_MAX && is_given(o, k->code);
}

/* Where a default is the objective's. */
static void
set_defaults(struct train_opts *o, enum train_objective which)
{
	if (which == TRAIN_MLM)
		return;
	if (which == TRAIN_FOLD) {
		o->batch = is_given(o, OPT_BATCH) ? o->batch : 1;
		o->lr = is_given(o, OPT_LR) ? o->lr : 1e-3;
		o->adapt = is_given(o, OPT_ADAPT) ? o->adapt : TRAIN_FBTH;
		return;
	}
	if (!is_given(o, OPT_EPOCHS))
		o->epochs = which == TRAIN_PAIR ? 100 : 50;
	if (which == TRAIN_PAIR && !is_given(o, OPT_BATCH))
		o->batch = 256;
	if (which == TRAIN_PAIR && !is_given(o, OPT_LR))
		o->lr = 1e-3;
	if (which == TRAIN_PAIR && !is_given(o, OPT_HEAD) && !is_given(o, OPT_FROM))
		o->head = TRAIN_INTERACTION;
}

static void
check_head(const struct train_opts *o, enum train_objective which)
{
	const int interaction = o->head == TRAIN_INTERACTION;

	if (interaction && which != TRAIN_PAIR)
		tool_usage(o->tool, "--head interaction: goes with pair, not with class");
	if (interaction && is_given(o, OPT_FROM))
		tool_usage(o->tool, "--from: the interaction head reads all tokens; it goes with --head linear or mlp");
	if (interaction && o->adapt == TRAIN_STACK)
		tool_usage(o->tool, "--adapt stack: goes with --head linear or mlp");
	if (!interaction && o->channels)
		tool_usage(o->tool, "--compat: goes with --head interaction");
}

/* A classifier without a backbone has no use for most options. */
static void
check_features(const struct train_opts *o, enum train_objective which)
{
	static const int takes[] = {OPT_CLASS_WEIGHTS, OPT_FROM, OPT_GROUP, OPT_LOG, OPT_VALID, OPT_VALID_SPLIT, 0};
	const struct tool_option *k;
	const int *code;

	if (which == TRAIN_MLM || o->from < TRAIN_FROM_KMER)
		return;
	if (o->tool->model != NULL)
		tool_usage(o->tool, "-m: what is learnt from features has no backbone");
	for (k = train_options; k->name != NULL; k++) {
		if (k->code <= CHAR_MAX || !is_given(o, k->code))
			continue;
		for (code = takes; *code != 0 && *code != k->code; code++)
			continue;
		if (*code == 0)
			tool_usage(o->tool, "--%s: what is learnt from features has no use for it", k->name);
	}
}

static const char *
takers(unsigned who)
{
	return who == CLASSES ? "class and pair" : who == MLM ? "mlm" : who == FOLD ? "fold"
	     : who == DATA    ? "class, pair and fold"
	     : who == STEPS   ? "mlm and fold"
	     : who == (MLM | CLASSES) ? "mlm, class and pair"
	     : who == 1 << TRAIN_PAIR ? "pair"
	                      : "class";
}

void
train_check_options(struct train_opts *o, enum train_objective which)
{
	static const char *const names[] = {"mlm", "class", "pair", "fold"};
	const struct tool_option *k;
	size_t i;

	for (i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
		if (owners[i].who & 1U << which || !is_given(o, owners[i].code))
			continue;
		for (k = train_options; k->code != owners[i].code; k++)
			continue;
		tool_usage(o->tool, "--%s: goes with %s, not with %s", k->name, takers(owners[i].who), names[which]);
	}
	check_features(o, which);
	if (o->adapt != TRAIN_STACK &&
	    (is_given(o, OPT_TYPES) || is_given(o, OPT_TYPES_FLOOR) || is_given(o, OPT_PREDICTOR)))
		tool_usage(o->tool, "--%s goes with --adapt stack",
		    is_given(o, OPT_TYPES) ? "types" : is_given(o, OPT_PREDICTOR) ? "predictor" : "types-floor");
	set_defaults(o, which);
	check_head(o, which);
}
