/*
 * rna-train: masked or labelled records in, a model directory out.
 *
 *	rna-tokenize --frame type rnas.fa | rna-shuf -s 1 | rna-mask -s 1 | rna-train mlm -c tiny --steps 2000 -o model/
 *
 * The objective is the first operand; each has a file of its own (train_mlm.c; train_class.c for class and pair;
 * train_fold.c).
 */
#include "train.h"

static struct tool tool = {
    .name = "rna-train",
    .usage = "mlm|class|pair|fold [options] -o DIR [FILE...]",
    .summary = "Trains a model on masked (mlm), labelled (class, pair) or folded (fold) RNAs.",
    .example = "rna-tokenize --frame type rnas.fa | rna-mask | rna-train mlm -c tiny --steps 2000 -o model/",
    .options = train_options,
    .common = "smd",
    .operands = 2,
};

static struct train_opts opts = {
    .tool = &tool,
    .layers = -1,
    .hidden = -1,
    .heads = -1,
    .ffn = -1,
    .max_tokens = -1,
    .act = -1,
    .dropout = -1,
    .attention_dropout = -1,
    .init_range = -1,
    .steps = -1,
    .epochs = -1,
    .warmup = -1,
    .batch_tokens = 16384,
    .save_every = -1,
    .valid_every = -1,
    .log_every = 1,
    .keep = 2,
    .lr = 1e-4,
    .min_lr = -1,
    .weight_decay = -1,
    .clip = -1,
    .type_weight = 0.1,
    .schedule = -1,
    .patience = 10,
    .batch = 50,
    .seeds = 1,
    .types = 3,
    .max_chunks = 6,
    .lambda = 1,
    .longest = 600,
    .images = 2,
};

int
main(int argc, char **argv)
{
	static const char *const objectives[] = {"mlm", "class", "pair", "fold", NULL};
	static int (*const train[])(struct tool *, const struct train_opts *) = {
	    train_mlm, train_class, train_pair, train_fold};
	enum train_objective which;

	tool_parse(&tool, argc, argv, train_option, &opts);
	which = (enum train_objective)tool_objective(&tool, objectives);
	train_check_options(&opts, which);
	if (tool.output == NULL && !opts.plan)
		tool_usage(&tool, "no -o: name the folder of the model to write");
	if (opts.steps > 0 && opts.epochs > 0)
		tool_usage(&tool, "--steps and --epochs: give one of them");
	if (opts.min_lr > opts.lr)
		tool_usage(&tool, "--min-lr %g: more than --lr (%g)", opts.min_lr, opts.lr);
	return train[which](&tool, &opts);
}
