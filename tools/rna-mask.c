/*
 * rna-mask: records with tokens in, the same records out with some bases masked, as pretraining wants them.
 *
 * 15 % of the bases, chosen one by one, in runs, or as motifs; what they were goes to `masked` and `target`.
 *
 *	rna-tokenize --frame type --type header rna.fa | rna-mask --motifs list.txt | rna-train mlm -o model/
 */
#include <string.h>

#include "seq/mask.h"
#include "tool.h"

#define MAX_LISTS 64
enum { OPT_COMPAT = CHAR_MAX + 1, OPT_EPOCH, OPT_MASK_TYPE, OPT_MIX, OPT_MOTIFS, OPT_RATE };

static const struct tool_option options[] = {
	{OPT_RATE, "rate", "P", "share of the bases that is masked (default 0.15)"},
	{OPT_MIX, "mix", "B:S:M", "weights of base, subsequence, motif masking (default 1:1:1, without motifs 1:1:0)"},
	{OPT_MOTIFS, "motifs", "FILE", "motif list, as rna-motif writes it; may be given again"},
	{OPT_MASK_TYPE, "mask-type", "P", "probability that the type slot is masked (default 0.5)"},
	{OPT_EPOCH, "epoch", "N", "epoch number: other masks of the same seed (default 0)"},
	{OPT_COMPAT, "compat", "paddle", "mask as the released Paddle code did"},
	{0, NULL, NULL, NULL},
};

static struct tool tool = {
	.name = "rna-mask",
	.usage = "[options] [FILE...]",
	.summary = "Masks bases of token records: tokens as the model sees them, masked positions, target tokens.",
	.example = "rna-tokenize rna.fa | rna-shuf | rna-mask --motifs motifs.txt -o masked.rill",
	.options = options,
	.common = "o@qvflsm",
	.operands = 1,
};

struct job {
	struct rna_mask_options opts;
	struct rna_motifs lists[MAX_LISTS];
	size_t nlists;
	int mixed;                  /* --mix was given */
	struct rna_mask *mask;
	struct rna_vocab vocab;
	int have_vocab;
	json_t *extra;              /* the motifs, for the provenance */
};

static void
parse_mix(struct job *job, const char *value)
{
	char copy[128], *rest = copy, *word;
	double sum = 0;
	int i;

	if (strlcpy(copy, value, sizeof(copy)) >= sizeof(copy))
		tool_usage(&tool, "--mix %s: not three weights (as 1:1:1)", value);
	for (i = 0; i < RNA_MASK_STRATEGIES; i++) {
		if ((word = strsep(&rest, ":")) == NULL)
			tool_usage(&tool, "--mix %s: not three weights (as 1:1:1)", value);
		sum += job->opts.mix[i] = tool_float(&tool, "--mix", word, 0, 1e6);
	}
	if (rest != NULL || sum <= 0)
		tool_usage(&tool, "--mix %s: not three weights, one of them above 0", value);
	job->mixed = 1;
}

static void
load_list(struct job *job, const char *path)
{
	struct rna_err err = {.record = RNA_NOREC};

	if (job->nlists == MAX_LISTS)
		tool_usage(&tool, "--motifs %s: more than %d lists; merge them with rna-motif", path, MAX_LISTS);
	if (rna_motifs_load(&job->lists[job->nlists++], path, NULL, &err) != RNA_OK)
		tool_die_err(&tool, &err);
}

static int
own(int code, const char *value, void *arg)
{
	static const char *const compat[] = {"paddle", NULL};
	struct job *job = arg;

	switch (code) {
	case OPT_COMPAT:
		tool_choice(&tool, "--compat", value, compat);
		job->opts.paddle = 1;
		break;
	case OPT_EPOCH:
		job->opts.epoch = (uint64_t)tool_int(&tool, "--epoch", value, 0, LLONG_MAX);
		break;
	case OPT_MASK_TYPE:
		job->opts.type = tool_float(&tool, "--mask-type", value, 0, 1);
		break;
	case OPT_MIX:
		parse_mix(job, value);
		break;
	case OPT_MOTIFS:
		load_list(job, value);
		break;
	case OPT_RATE:
		job->opts.rate = tool_float(&tool, "--rate", value, 1e-6, 1);
		break;
	}
	return 0;
}

/* Which motifs were used, for the provenance: how many, and a hash of their letters, list by list. */
static json_t *
describe_motifs(const struct job *job)
{
	uint64_t hash = 0, n = 0;
	json_t *extra;
	char hex[17];
	size_t i;

	for (i = 0; i < job->nlists; i++) {
		hash = rna_motifs_hash(&job->lists[i], hash);
		n += job->lists[i].n;
	}
	snprintf(hex, sizeof(hex), "%016llx", (unsigned long long)hash);
	if ((extra = json_pack("{s:I, s:s}", "motifs", (json_int_t)n, "motifs_hash", hex)) == NULL)
		tool_die(&tool, "out of memory");
	return extra;
}

/* A further stream may have another vocabulary.  No record is being masked now. */
static void
header(struct rna_header *h, void *arg)
{
	struct job *job = arg;
	struct rna_err err = {.record = RNA_NOREC};
	json_t *all = json_object_get(h->json, "provenance"), *mine = json_array_get(all, json_array_size(all) - 1);

	if (job->extra != NULL && json_object_update(mine, job->extra) != 0)
		tool_die(&tool, "out of memory");
	if (job->have_vocab)
		rna_vocab_fini(&job->vocab);
	tool_vocab(&tool, h, &job->vocab);
	job->have_vocab = 1;
	if (rna_mask_vocab(job->mask, &job->vocab, &err) != RNA_OK)
		tool_die_err(&tool, &err);
}

static enum rna_status
process(struct rna_record *rec, void *arg, struct rna_err *err)
{
	struct job *job = arg;

	return rna_mask_record(job->mask, rec, err);
}

/* Under -v: what each strategy did. */
static void
report(const struct job *job)
{
	static const char *const names[] = {"base", "subsequence", "motif"};
	struct rna_mask_counts c;
	int i;

	rna_mask_counts(job->mask, &c);
	for (i = 0; i < RNA_MASK_STRATEGIES; i++) {
		if (c.bases[i] > 0)
			tool_note(&tool, 1, "%s: %llu records, %.2f %% of %llu bases masked", names[i],
			    (unsigned long long)c.records[i], 100.0 * (double)c.masked[i] / (double)c.bases[i],
			    (unsigned long long)c.bases[i]);
	}
	if (c.filled > 0)
		tool_note(&tool, 1, "motif: %llu of its masked bases lie in no motif", (unsigned long long)c.filled);
	if (c.types > 0)
		tool_note(&tool, 1, "type: %llu of %llu known types masked", (unsigned long long)c.types_masked,
		    (unsigned long long)c.types);
}

int
main(int argc, char **argv)
{
	static struct job job = {.opts = {.rate = RNA_MASK_RATE, .mix = {1, 1, 1}, .type = 0.5}};
	struct rna_err err = {.record = RNA_NOREC};
	size_t i;

	tool_parse(&tool, argc, argv, own, &job);
	if (job.mixed && job.nlists == 0 && job.opts.mix[RNA_MASK_MOTIF] > 0)
		tool_usage(&tool, "--mix asks for motif masking, which needs --motifs FILE");
	if (job.nlists == 0 && job.opts.mix[RNA_MASK_MOTIF] > 0) {
		job.opts.mix[RNA_MASK_MOTIF] = 0;
		tool_note(&tool, 1, "no --motifs: bases and subsequences are masked, 1:1:0");
	}
	job.opts.seed = tool.seed;
	if ((job.mask = rna_mask_create(&job.opts, job.lists, job.nlists, &err)) == NULL)
		tool_die_err(&tool, &err);
	job.extra = job.nlists > 0 ? describe_motifs(&job) : NULL;
	tool_filter(&tool, process, header, &job, 1);
	report(&job);
	rna_mask_destroy(job.mask);
	for (i = 0; i < job.nlists; i++)
		rna_motifs_fini(&job.lists[i]);
	json_decref(job.extra);
	return TOOL_DONE;
}
