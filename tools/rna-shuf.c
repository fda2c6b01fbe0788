/*
 * rna-shuf: records in, the same records out in random order, or a sample, a split or a shard of them.
 *
 * The order is that of a random key of each RNA, so it depends on the seed only: not on the order of the input, on
 * memory or on threads.  Chunks and replicates of one RNA stay together.
 *
 *	rna-shuf -s 1 --split 0.98 -o train.rill --rest valid.rill corpus.rill
 */
#include <string.h>

#include "shuf_run.h"
#include "tool.h"

enum { OPT_GROUP = CHAR_MAX + 1, OPT_MEM, OPT_REST, OPT_SHARD, OPT_SPLIT };

static const struct tool_option options[] = {
	{'n', "sample", "N", "write N RNAs only, chosen at random"},
	{OPT_SPLIT, "split", "P", "write a share P of the RNAs to -o, the others to --rest"},
	{OPT_REST, "rest", "FILE", "where the others of --split go"},
	{OPT_GROUP, "group", "FIELD", "RNAs with equal FIELD fall on one side of --split"},
	{OPT_SHARD, "shard", "I/N", "write the I-th of N parts, 1 to N, in the order of the input"},
	{OPT_MEM, "mem", "SIZE", "memory to shuffle in, beyond it temporary files (default 1G)"},
	{0, NULL, NULL, NULL},
};

static struct tool tool = {
	.name = "rna-shuf",
	.usage = "[options] [FILE...]",
	.summary = "Shuffles, samples, splits or shards records; out of core.",
	.example = "rna-shuf -s 1 --split 0.98 -o train.rill --rest valid.rill corpus.rill",
	.options = options,
	.common = "o@qvfls",
	.operands = 1,
};

static int
own(int code, const char *value, void *arg)
{
	struct shuf_opts *o = arg;
	char copy[64], *slash;

	switch (code) {
	case 'n':
		o->sample = (uint64_t)tool_int(&tool, "-n", value, 1, LLONG_MAX);
		break;
	case OPT_GROUP:
		o->group = value;
		break;
	case OPT_MEM:
		if ((o->mem = tool_size(&tool, "--mem", value)) < 2 * RNA_SHUFFLE_MEM_MIN)
			tool_usage(&tool, "--mem %s: less than 1M", value);
		break;
	case OPT_REST:
		o->rest = value;
		break;
	case OPT_SHARD:
		if (strlcpy(copy, value, sizeof(copy)) >= sizeof(copy) || (slash = strchr(copy, '/')) == NULL)
			tool_usage(&tool, "--shard %s: not of the form I/N, as 1/4", value);
		*slash++ = '\0';
		o->shards = (uint64_t)tool_int(&tool, "--shard I/N, N", slash, 1, 1LL << 40);
		o->shard = (uint64_t)tool_int(&tool, "--shard I/N, I", copy, 1, (long long)o->shards) - 1;
		break;
	case OPT_SPLIT:
		o->split = tool_float(&tool, "--split", value, 0, 1);
		if (o->split <= 0 || o->split >= 1)
			tool_usage(&tool, "--split %s: not between 0 and 1", value);
		break;
	}
	return 0;
}

static void
validate(const struct shuf_opts *o)
{
	if (o->split > 0 && o->rest == NULL)
		tool_usage(&tool, "--split needs --rest FILE for the others");
	if (o->split <= 0 && (o->rest != NULL || o->group != NULL))
		tool_usage(&tool, "%s needs --split", o->rest != NULL ? "--rest" : "--group");
	if ((o->split > 0) + (o->shards > 0) + (o->sample > 0) > 1)
		tool_usage(&tool, "only one of --sample, --split and --shard at a time");
	if (o->rest != NULL && tool.output != NULL && strcmp(o->rest, tool.output) == 0)
		tool_usage(&tool, "--rest %s: is the file of -o too", o->rest);
	tool_refuse_input(&tool, o->rest, NULL);
}

int
main(int argc, char **argv)
{
	static const char *const hidden[] = {"mem", "rest", NULL};
	struct shuf_opts opts = {.mem = 1u << 30};
	struct shuf_run r = {.tool = &tool, .opts = &opts};
	int i;

	tool_hide(&tool, hidden);
	tool_parse(&tool, argc, argv, own, &opts);
	validate(&opts);
	r.out[0] = tool_out_open(&tool);
	if (opts.rest != NULL)
		r.out[1] = tool_out_open_path(&tool, opts.rest);
	tool_in_open(&r.in, &tool, NULL);
	rna_record_init(&r.rec);
	rna_split_init(&r.split, tool.seed, opts.split, opts.group);
	if (rna_header_copy(&r.header, tool_in_header(&r.in)) != RNA_OK)
		tool_die(&tool, "out of memory");
	if (opts.shards > 0)
		shuf_shard(&r);
	else
		shuf_shuffle(&r);
	for (i = 0; i < 2 && r.out[i] != NULL; i++)
		tool_out_close(r.out[i]);
	tool_in_close(&r.in);
	tool_summary(&tool, "%llu records in, %llu out", (unsigned long long)r.in.records,
	    (unsigned long long)(r.totals[0].records + r.totals[1].records));
	rna_split_fini(&r.split);
	rna_header_fini(&r.header);
	rna_record_fini(&r.rec);
	return TOOL_DONE;
}
