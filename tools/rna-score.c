/*
 * rna-score: predictions with truth in, a table of scores out.
 *
 *	rna-embed -m model/ --what logits masked.rill | rna-score mlm --context 4 --train train.rill
 *
 * mlm: masked records with logits; loss and accuracy on masked bases beside chance and context counts, recall on types.
 * class, pair: labelled records with calls or probabilities; accuracy, F1, MCC, AUC, calibration.
 * fold: structures beside the known ones; precision, recall, F1, exact and within one position.
 */
#include <string.h>

#include "score.h"
#include "stat/context.h"

enum {
	OPT_AGAINST = CHAR_MAX + 1,
	OPT_BINS,
	OPT_BOOTSTRAP,
	OPT_BY,
	OPT_CANONICAL,
	OPT_CLASSES,
	OPT_CONFUSION,
	OPT_CONTEXT,
	OPT_NESTED,
	OPT_TRAIN,
	OPT_TRUTH
};

static const struct tool_option options[] = {
    {OPT_AGAINST, "against", "FILE", "class, pair: other predictions of the same RNAs; differences, paired"},
    {OPT_CLASSES, "classes", "A,B,...", "class, pair: the classes in the order of prob (default: the header's)"},
    {OPT_CONFUSION, "confusion", "FILE", "class, pair: write the confusion matrix there"},
    {OPT_BINS, "bins", "N", "class, pair: bins of the calibration error (default 15)"},
    {OPT_TRUTH, "truth", "FILE", "fold: the known structures (default: the records' pair)"},
    {OPT_BY, "by", "FIELD|name[:N]", "fold: also by field, or by name up to its Nth _"},
    {OPT_NESTED, "nested", NULL, "fold: known pairs that cross others don't count"},
    {OPT_CANONICAL, "canonical", NULL, "fold: known pairs other than AU, GC, GU don't count"},
    {OPT_CONTEXT, "context", "N", "mlm: compare with counts of N bases either side, 0 to 5 (needs --train)"},
    {OPT_TRAIN, "train", "FILE", "mlm: stream or FASTA that the context counts are made from"},
    {OPT_BOOTSTRAP, "bootstrap", "N", "resamples of records for the 95 % intervals (default 1000, 0: none)"},
    {'O', "format", "tsv|json", "form of the table (default tsv)"},
    {0, NULL, NULL, NULL},
};

static struct tool tool = {
    .name = "rna-score",
    .usage = "mlm|class|pair|fold [options] [FILE...]",
    .summary = "Scores predictions against the truth they carry and prints a table.",
    .example = "rna-embed -m model/ --what logits masked.rill | rna-score mlm",
    .options = options,
    .common = "ms",
    .operands = 1,
};

static const char *const objectives[] = {"mlm", "class", "pair", "fold", NULL};

enum { MLM, CLASS, PAIR, FOLD };

static struct score_options opts = {.context = -1, .bootstrap = 1000, .bins = 15};

static int
option(int code, const char *value, void *arg)
{
	static const char *const formats[] = {"tsv", "json", NULL};

	(void)arg;
	switch (code) {
	case 'O':
		opts.json = tool_choice(&tool, "-O", value, formats);
		break;
	case OPT_AGAINST:
		opts.against = value;
		break;
	case OPT_BINS:
		opts.bins = (int)tool_int(&tool, "--bins", value, 1, 1000);
		break;
	case OPT_BY:
		opts.by = value;
		if (strcmp(value, "name") == 0)
			opts.by_parts = 1;
		else if (strncmp(value, "name:", 5) == 0)
			opts.by_parts = (int)tool_int(&tool, "--by", value + 5, 1, 99);
		break;
	case OPT_CANONICAL:
		opts.canonical = 1;
		break;
	case OPT_CLASSES:
		opts.classes = value;
		break;
	case OPT_CONFUSION:
		opts.confusion = value;
		break;
	case OPT_NESTED:
		opts.nested = 1;
		break;
	case OPT_TRUTH:
		opts.truth = value;
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

/* An option of another objective is a mistake. */
static void
check_options(int which)
{
	int classes = which == CLASS || which == PAIR;

	if ((opts.context >= 0) != (opts.train != NULL))
		tool_usage(&tool, "--context and --train go together");
	if (which != MLM && opts.train != NULL)
		tool_usage(&tool, "--context and --train are for mlm");
	if (!classes && (opts.against != NULL || opts.classes != NULL || opts.confusion != NULL))
		tool_usage(&tool, "--against, --classes and --confusion are for class and pair");
	if (which != FOLD && (opts.truth != NULL || opts.by != NULL || opts.nested || opts.canonical))
		tool_usage(&tool, "--truth, --by, --nested and --canonical are for fold");
}

int
main(int argc, char **argv)
{
	int which;

	tool_parse(&tool, argc, argv, option, NULL);
	which = tool_objective(&tool, objectives);
	check_options(which);
	if (which == FOLD)
		score_fold(&tool, &opts);
	else if (which == MLM)
		score_mlm(&tool, &opts);
	else
		score_class(&tool, &opts);
	return TOOL_DONE;
}
