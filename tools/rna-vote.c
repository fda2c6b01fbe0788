/*
 * rna-vote: what several records say of one RNA in, one record out.
 *
 *	rna-embed -m model/ --types 3 seqs.fa | rna-predict -m nrc/ | rna-vote
 *	rna-vote --by stream a.rill b.rill
 *
 * The formulas are in lib/stat/vote.h.
 */
#include "vote_private.h"

enum { OPT_BY = CHAR_MAX + 1, OPT_RULE };

static const struct tool_option options[] = {
    {OPT_BY, "by", "group|chunk|stream", "type replicates, chunks of an RNA, or files (default group)"},
    {OPT_RULE, "rule", "soft|mean|max|geometric", "how members are put together (default soft)"},
    {0, NULL, NULL, NULL},
};

static struct tool tool = {
    .name = "rna-vote",
    .usage = "[options] [FILE...]",
    .summary = "Puts what several records say of one RNA into one record.",
    .example = "rna-embed -m model/ --types 3 --what cls seqs.fa | rna-vote",
    .options = options,
    .common = "o@qvfl",
    .operands = 1,
};

static int by = VOTE_BY_GROUP;
static int rule = RNA_VOTE_SOFT;

static int
own(int code, const char *value, void *arg)
{
	static const char *const ways[] = {"group", "chunk", "stream", NULL};
	static const char *const rules[] = {"soft", "mean", "max", "geometric", NULL};

	(void)arg;
	if (code == OPT_BY)
		by = tool_choice(&tool, "--by", value, ways);
	else
		rule = tool_choice(&tool, "--rule", value, rules);
	return 0;
}

int
main(int argc, char **argv)
{
	tool_parse(&tool, argc, argv, own, NULL);
	if (by == VOTE_BY_STREAM)
		vote_streams(&tool, (enum rna_vote_rule)rule);
	else
		vote_groups(&tool, (enum vote_by)by, (enum rna_vote_rule)rule);
	return TOOL_DONE;
}
