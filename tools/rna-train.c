/*
 * rna-train: masked or labelled records in, a model directory out.
 *
 *	rna-tokenize --frame type rnas.fa | rna-shuf -s 1 | rna-mask -s 1 | rna-train mlm -c tiny --steps 2000 -o model/
 *
 * The objective is the first operand; each has a file of its own (train_mlm.c).
 */
#include <string.h>

#include "train.h"

enum {
	OPT_ACT = CHAR_MAX + 1, OPT_ATTENTION_DROPOUT, OPT_BATCH_TOKENS, OPT_CLIP, OPT_DROPOUT, OPT_DTYPE,
	OPT_EPOCHS, OPT_FFN, OPT_HEADS, OPT_HIDDEN, OPT_INIT, OPT_INIT_RANGE, OPT_KEEP,
	OPT_LAYERS, OPT_LOG, OPT_LOG_EVERY, OPT_LR,
	OPT_MAX_TOKENS, OPT_MIN_LR, OPT_OBJECTIVE, OPT_PLAN, OPT_RESUME, OPT_SAVE_EVERY, OPT_SCHEDULE, OPT_STEPS,
	OPT_TYPE_WEIGHT, OPT_VALID, OPT_VALID_EVERY, OPT_VOCAB, OPT_WARMUP, OPT_WEIGHT_DECAY
};

static const struct tool_option options[] = {
	{'c', "config", "tiny|small|base", "shape of a new model (default tiny)"},
	{OPT_STEPS, "steps", "N", "optimiser steps of the whole run; 0 writes a random model"},
	{OPT_EPOCHS, "epochs", "N", "or passes over the files (default 1)"},
	{OPT_BATCH_TOKENS, "batch-tokens", "N", "tokens of a step (default 16384)"},
	{OPT_LR, "lr", "X", "peak learning rate (default 1e-4)"},
	{OPT_MIN_LR, "min-lr", "X", "rate at the end (default 5e-5, or half of --lr)"},
	{OPT_SCHEDULE, "schedule", "paper|linear|cosine|constant", "how the rate falls (default paper)"},
	{OPT_WARMUP, "warmup", "N", "steps of linear warm-up (default 5 % of them)"},
	{OPT_VALID, "valid", "FILE", "masked stream to score on the way and at the end"},
	{OPT_OBJECTIVE, "objective", "mask|type", "type: adds the loss of a type head on [CLS]"},
	{OPT_DTYPE, "dtype", "fp32|bf16", "operands of matrix products (default fp32)"},
	{OPT_RESUME, "resume", NULL, "continue from the newest checkpoint in -o"},
	{OPT_PLAN, "plan", NULL, "print size, steps, memory, disk and time, and stop"},
	{OPT_SAVE_EVERY, "save-every", "N", "steps between checkpoints (default: 10 in a run)"},
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
	{OPT_WEIGHT_DECAY, "weight-decay", "X", "decay of matrices (default 0)"},
	{OPT_CLIP, "clip", "X", "largest gradient norm, 0: no limit (default 1)"},
	{OPT_TYPE_WEIGHT, "type-weight", "X", "weight of the type head's loss (default 0.1)"},
	{0, NULL, NULL, NULL},
};

static struct tool tool = {
	.name = "rna-train",
	.usage = "mlm [options] -o DIR [FILE...]",
	.summary = "Trains a model on records of rna-mask and writes it as a directory.",
	.example = "rna-tokenize --frame type rnas.fa | rna-mask | rna-train mlm -c tiny --steps 2000 -o model/",
	.options = options,
	.common = "smd",
	.operands = 2,
};

static struct train_opts opts = {
	.layers = -1, .hidden = -1, .heads = -1, .ffn = -1, .max_tokens = -1, .act = -1,
	.dropout = -1, .attention_dropout = -1, .init_range = -1,
	.steps = -1, .epochs = -1, .warmup = -1,
	.batch_tokens = 16384, .save_every = -1, .valid_every = -1, .log_every = 1, .keep = 2,
	.lr = 1e-4, .min_lr = -1, .weight_decay = 0, .clip = 1, .type_weight = 0.1,
};

/* Options that are a number, with their range. */
static const struct number {
	int code;
	const char *name;
	int64_t *n; /* whole */
	double *x;  /* or not */
	double min, max;
} numbers[] = {
	{OPT_STEPS, "--steps", &opts.steps, NULL, 0, 1e12},
	{OPT_EPOCHS, "--epochs", &opts.epochs, NULL, 1, 1e6},
	{OPT_BATCH_TOKENS, "--batch-tokens", &opts.batch_tokens, NULL, 16, 1 << 30},
	{OPT_WARMUP, "--warmup", &opts.warmup, NULL, 0, 1e12},
	{OPT_SAVE_EVERY, "--save-every", &opts.save_every, NULL, 1, 1e12},
	{OPT_VALID_EVERY, "--valid-every", &opts.valid_every, NULL, 1, 1e12},
	{OPT_LOG_EVERY, "--log-every", &opts.log_every, NULL, 1, 1e12},
	{OPT_KEEP, "--keep", &opts.keep, NULL, 1, 1e6},
	{OPT_LAYERS, "--layers", &opts.layers, NULL, 1, 1000},
	{OPT_HIDDEN, "--hidden", &opts.hidden, NULL, 1, 65536},
	{OPT_HEADS, "--heads", &opts.heads, NULL, 1, 1024},
	{OPT_FFN, "--ffn", &opts.ffn, NULL, 1, 262144},
	{OPT_MAX_TOKENS, "--max-tokens", &opts.max_tokens, NULL, 8, 65536},
	{OPT_LR, "--lr", NULL, &opts.lr, 0, 100},
	{OPT_MIN_LR, "--min-lr", NULL, &opts.min_lr, 0, 100},
	{OPT_WEIGHT_DECAY, "--weight-decay", NULL, &opts.weight_decay, 0, 10},
	{OPT_CLIP, "--clip", NULL, &opts.clip, 0, 1e6},
	{OPT_TYPE_WEIGHT, "--type-weight", NULL, &opts.type_weight, 0, 100},
	{OPT_INIT_RANGE, "--init-range", NULL, &opts.init_range, 1e-6, 10},
	{OPT_DROPOUT, "--dropout", NULL, &opts.dropout, 0, 0.9},
	{OPT_ATTENTION_DROPOUT, "--attention-dropout", NULL, &opts.attention_dropout, 0, 0.9},
};

static int
option(int code, const char *value, void *arg)
{
	static const char *const configs[] = {"tiny", "small", "base", NULL};
	static const char *const acts[] = {"relu", "gelu", NULL}, *const dtypes[] = {"fp32", "bf16", NULL};
	static const char *const schedules[] = {"paper", "linear", "cosine", "constant", NULL};
	static const char *const objectives[] = {"mask", "type", NULL}, *const inits[] = {"normal", "local", NULL};
	size_t i;

	(void)arg;
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (numbers[i].code != code)
			continue;
		if (numbers[i].n != NULL)
			*numbers[i].n = tool_int(
			    &tool, numbers[i].name, value, (long long)numbers[i].min, (long long)numbers[i].max);
		else
			*numbers[i].x = tool_float(&tool, numbers[i].name, value, numbers[i].min, numbers[i].max);
		return 0;
	}
	switch (code) {
	case 'c':
		tool_choice(&tool, "-c", value, configs);
		opts.config = value;
		break;
	case OPT_ACT:
		opts.act = tool_choice(&tool, "--act", value, acts);
		break;
	case OPT_DTYPE:
		opts.bf16 = tool_choice(&tool, "--dtype", value, dtypes);
		break;
	case OPT_INIT:
		opts.init_local = tool_choice(&tool, "--init", value, inits);
		break;
	case OPT_LOG:
		opts.log = value;
		break;
	case OPT_OBJECTIVE:
		opts.type_head = tool_choice(&tool, "--objective", value, objectives);
		break;
	case OPT_PLAN:
		opts.plan = 1;
		break;
	case OPT_RESUME:
		opts.resume = 1;
		break;
	case OPT_SCHEDULE:
		opts.schedule = tool_choice(&tool, "--schedule", value, schedules);
		break;
	case OPT_VALID:
		if (strcmp(value, "-") == 0)
			tool_usage(&tool, "--valid -: is scored again and again, so it has to be a file");
		opts.valid = value;
		break;
	case OPT_VOCAB:
		opts.vocab = value;
		break;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	static const char *const objectives[] = {"mlm", NULL};
	static int (*const train[])(struct tool *, const struct train_opts *) = {train_mlm};
	int objective;

	tool_parse(&tool, argc, argv, option, NULL);
	objective = tool_objective(&tool, objectives);
	if (tool.output == NULL && !opts.plan)
		tool_usage(&tool, "no -o: name the folder of the model to write");
	if (opts.steps > 0 && opts.epochs > 0)
		tool_usage(&tool, "--steps and --epochs: give one of them");
	if (opts.min_lr > opts.lr)
		tool_usage(&tool, "--min-lr %g: more than --lr (%g)", opts.min_lr, opts.lr);
	return train[objective](&tool, &opts);
}
