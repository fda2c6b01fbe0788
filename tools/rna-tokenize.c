/*
 * rna-tokenize: sequence text (or a stream that has `seq`) to records with `tokens`: letters become ids of a
 * vocabulary, in a frame, within a limit; types and labels are taken from where the user says they stand.
 *
 *	rna-tokenize --frame type --type header --long chunk ncrna.fa.gz | rna-shuf | rna-mask | rna-train mlm -o model/
 */
#include <string.h>

#include "tokenize.h"
#include "tool.h"

enum {
	FROM = CHAR_MAX + 1, TYPE, TYPES_FROM, LABEL, FRAME, VOCAB, MAX, LONG, OVERLAP, PAIRS, REVERSE, KEEP, LONGEST,
	MUTATE, MUTATE_RATE
};

static const struct tool_option options[] = {
    {FROM, "from", "fasta|csv|dbn|bpseq|ct|st", "format of text input (default: by its first bytes)"},
    {FRAME, "frame", "plain|type", "[CLS] x [SEP], or [CLS] x [IND] type [SEP] (default plain)"},
    {TYPE, "type", "NAME", "type of all RNAs, or 'header': read it from each header line"},
    {TYPES_FROM, "types-from", "FILE", "types by RNAcentral's id_mapping.tsv"},
    {LABEL, "label", "FIELD", "label from a column or field, or 'header': second word of it"},
    {MAX, "max", "N", "tokens in a record, specials included (default: no limit)"},
    {LONG, "long", "drop|truncate|chunk", "what to do with longer RNAs; --max is then 512 unless given"},
    {OVERLAP, "overlap", "N", "bases that neighbouring chunks share (default 0)"},
    {LONGEST, "longest", "N", "letters of the longest RNA that is read at all (default 2147483648)"},
    {PAIRS, "pairs", "COL_A,COL_B", "csv: columns of two sequences that make one record"},
    {REVERSE, "reverse", "COL", "csv: column whose sequences are written 3'->5'"},
    {KEEP, "keep", "COL,...", "csv: columns that become text fields of the same name"},
    {MUTATE, "mutate", "N", "after each RNA, N copies with other bases that keep its structure"},
    {MUTATE_RATE, "mutate-rate", "X", "share of pairs and unpaired bases that change (default 0.2)"},
    {VOCAB, "vocab", "FILE", "token list, one a line (default: RNAErnie's 39)"},
    {0, NULL, NULL, NULL},
};

static struct tool tool = {
    .name = "rna-tokenize",
    .usage = "[options] [FILE...]",
    .summary = "sequences (FASTA, FASTQ, csv, dbn, bpseq, ct, st) to records with tokens",
    .example = "rna-tokenize --frame type --type header --long chunk ncrna.fa.gz > ncrna.rill",
    .options = options,
    .common = "ms",
    .operands = 1,
};

static int
own(int code, const char *value, void *arg)
{
	static const char *const froms[] = {"fasta", "csv", "dbn", "bpseq", "ct", "st", NULL};
	static const char *const frames[] = {"plain", "type", NULL};
	static const char *const longs[] = {"drop", "truncate", "chunk", NULL};
	struct tokenize *o = arg;

	switch (code) {
	case FROM:
		o->source.format = RNA_FORMAT_FASTA + tool_choice(o->t, "--from", value, froms);
		break;
	case TYPE:
		o->type = value;
		break;
	case TYPES_FROM:
		o->types_from = value;
		break;
	case LABEL:
		o->label = value;
		break;
	case FRAME:
		o->framing.frame = RNA_FRAME_PLAIN + tool_choice(o->t, "--frame", value, frames);
		o->frame_given = 1;
		break;
	case VOCAB:
		o->vocab_file = value;
		break;
	case MAX:
		o->framing.max = (uint32_t)tool_int(o->t, "--max", value, 5, UINT32_MAX);
		o->max_given = 1;
		break;
	case LONG:
		o->framing.policy = RNA_LONG_DROP + tool_choice(o->t, "--long", value, longs);
		break;
	case OVERLAP:
		o->framing.overlap = (uint32_t)tool_int(o->t, "--overlap", value, 0, UINT32_MAX);
		break;
	case LONGEST:
		o->source.max_nt = (uint64_t)tool_int(o->t, "--longest", value, 1, INT64_MAX);
		break;
	case PAIRS:
		o->pair = tool_list(o->t, "--pairs", value, &o->npair);
		if (o->npair != 2)
			tool_usage(o->t, "--pairs %s: not two columns", value);
		o->source.pair_a = o->pair[0];
		o->source.pair_b = o->pair[1];
		break;
	case MUTATE:
		o->mutate = (uint32_t)tool_int(o->t, "--mutate", value, 1, 1000);
		break;
	case MUTATE_RATE:
		o->mutate_rate = tool_float(o->t, "--mutate-rate", value, 0, 1);
		break;
	case REVERSE:
		o->source.reverse = value;
		break;
	case KEEP:
		o->keep = tool_list(o->t, "--keep", value, &o->source.nkeep);
		break;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct tokenize o = {.t = &tool, .mutate_rate = 0.2};
	struct tokenize_out out = {.t = &tool, .framing = &o.framing, .counts = &o.counts};
	struct tool_in in;

	tool_parse(&tool, argc, argv, own, &o);
	tokenize_prepare(&o);
	out.out = tool_out_open(&tool);
	tool_in_open(&in, &tool, &o.source);
	in.raw = 1;
	tokenize_run(&o, &in, &out);
	tool_in_close(&in);
	tool_out_close(out.out);
	tokenize_out_fini(&out);
	tokenize_fini(&o);
	return TOOL_DONE;
}
