/*
 * rna-score: predictions with truth in, a table of scores out.
 *
 *	rna-embed -m model/ --what logits masked.rill | rna-score mlm --context 4 --train train.rill
 *
 * mlm: masked records with logits; loss and accuracy on masked bases beside chance and context counts, recall on types.
 */
#include "score.h"
#include "stat/context.h"

enum { OPT_BOOTSTRAP = CHAR_MAX + 1, OPT_CONTEXT, OPT_TRAIN };

static const struct tool_option options[] = {
    {OPT_CONTEXT, "context", "N", "compare with counts of N bases either side, 0 to 5 (needs --train)"},
    {OPT_TRAIN, "train", "FILE", "stream or FASTA that the context counts are made from"},
    {OPT_BOOTSTRAP, "bootstrap", "N", "resamples of records for the 95 % intervals (default 1000, 0: none)"},
    {'O', "format", "tsv|json", "form of the table (default tsv)"},
    {0, NULL, NULL, NULL},
};

static struct tool tool = {
    .name = "rna-score",
    .usage = "mlm [options] [FILE...]",
    .summary = "Scores predictions against the truth they carry and prints a table.",
    .example = "rna-embed -m model/ --what logits masked.rill | rna-score mlm",
    .options = options,
    .common = "ms",
    .operands = 1,
};

static const char *const objectives[] = {"mlm", NULL};

static struct score_options opts = {-1, NULL, 1000, 0};

static int
option(int code, const char *value, void *arg)
{
	static const char *const formats[] = {"tsv", "json", NULL};

	(void)arg;
	switch (code) {
	case 'O':
		opts.json = tool_choice(&tool, "-O", value, formats);
		break;
	case OPT_BOOTSTRAP:
		opts.bootstrap = (int)tool_int(&tool, "--bootstrap", value, 0, 1000000);
		break;
	case OPT_CONTEXT:
		opts.context = (int)tool_int(&tool, "--context", value, 0, RNA_CONTEXT_MAX);
		break;
	case OPT_TRAIN:
		opts.train = value;
		break;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	tool_parse(&tool, argc, argv, option, NULL);
	tool_objective(&tool, objectives);
	if ((opts.context >= 0) != (opts.train != NULL))
		tool_usage(&tool, "--context and --train go together");
	score_mlm(&tool, &opts);
	return TOOL_DONE;
}
