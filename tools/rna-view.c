/*
 * rna-view.c: records in; text out: for people, for scripts (JSON lines, TSV), for other programs (FASTA, dot-bracket,
 * bpseq, ct, npy, safetensors).  Also says whether a stream is whole, what made it, and how many records it holds.
 *
 *	rna-embed -m model/ seqs.fa | rna-view --npy cls > cls.npy
 */
#include <stdlib.h>
#include <string.h>

#include "tool.h"
#include "view_private.h"

enum { OPT_FIELDS = CHAR_MAX + 1, OPT_FIX_SQUARE, OPT_NAMES, OPT_NPY, OPT_SELFTEST };

static const struct tool_option options[] = {
    {'O', "format", "text|json|tsv|fasta|dbn|bpseq|ct|svg|dotplot|safetensors", "what to write (default text)"},
    {OPT_FIELDS, "fields", "A,B", "only these fields, in this order (text, json, tsv, safetensors)"},
    {OPT_NPY, "npy", "FIELD", "one field of all records as a NumPy array"},
    {'c', "check", NULL, "read all, print nothing: exit 0 when every record is whole, else 1"},
    {'H', "header", NULL, "the header as JSON, with the command line that recreates the stream"},
    {'n', "count", NULL, "the number of records"},
    {OPT_NAMES, "names", "multimolecule", "with -O safetensors: the weights of a model folder under these names"},
    {OPT_SELFTEST, "selftest", NULL, "compute with known answers on this machine, or test the model of -m"},
    {OPT_FIX_SQUARE, "fix-square", NULL, "with --selftest -m: transpose the square matrices (see rna-embed)"},
    {0, NULL, NULL, NULL},
};

static struct tool tool = {
    .name = "rna-view",
    .usage = "[-O FORMAT | --npy FIELD | -c | -H | -n | --selftest] [options] [FILE...]",
    .summary = "Records in (a stream, FASTA, FASTQ); text and arrays out.",
    .example = "rna-embed -m model/ seqs.fa | rna-view --npy cls > cls.npy",
    .options = options,
    .common = "o@qvflm",
    .operands = 1,
};

static void
choose(struct view *v, enum view_mode mode, const char *option)
{
	if (v->mode_option != NULL && (v->mode != mode || strcmp(v->mode_option, option) != 0))
		tool_usage(&tool, "%s and %s: choose one", v->mode_option, option);
	v->mode = mode;
	v->mode_option = option;
}

static int
own(int code, const char *value, void *arg)
{
	static const char *const formats[] = {
	    "text", "json", "tsv", "fasta", "dbn", "bpseq", "ct", "svg", "dotplot", "safetensors", NULL};
	static const char *const names[] = {"multimolecule", NULL};
	struct view *v = arg;
	int format;

	switch (code) {
	case 'H':
		choose(v, VIEW_HEADER, "-H");
		break;
	case 'O':
		format = tool_choice(&tool, "-O", value, formats);
		choose(v, format <= RNA_TEXT_CT ? VIEW_TEXT : VIEW_SVG + (format - RNA_TEXT_CT - 1), "-O");
		v->text.format = (enum rna_text)format; /* the same order */
		break;
	case 'c':
		choose(v, VIEW_CHECK, "-c");
		break;
	case 'n':
		choose(v, VIEW_COUNT, "-n");
		break;
	case OPT_FIELDS:
		v->text.fields = v->fields = tool_list(&tool, "--fields", value, &v->text.nfields);
		break;
	case OPT_FIX_SQUARE:
		v->fix_square = 1;
		break;
	case OPT_NAMES:
		tool_choice(&tool, "--names", value, names);
		v->rename = 1;
		break;
	case OPT_NPY:
		choose(v, VIEW_NPY, "--npy");
		v->field = value;
		break;
	case OPT_SELFTEST:
		choose(v, VIEW_SELFTEST, "--selftest");
		break;
	}
	return 0;
}

/* Combinations that mean nothing are mistakes. */
static void
validate(const struct view *v)
{
	int fields = v->mode == VIEW_SAFETENSORS || (v->mode == VIEW_TEXT && v->text.format <= RNA_TEXT_TSV);

	if (v->text.fields != NULL && (!fields || v->rename))
		tool_usage(&tool, "--fields goes with -O text, json, tsv and safetensors");
	if (v->rename && v->mode != VIEW_SAFETENSORS)
		tool_usage(&tool, "--names goes with -O safetensors");
	if (v->fix_square && (v->mode != VIEW_SELFTEST || tool.model == NULL))
		tool_usage(&tool, "--fix-square goes with --selftest -m");
}

int
main(int argc, char **argv)
{
	struct view v = {.t = &tool, .mode = VIEW_TEXT};
	int i, status;

	for (i = 1; i < argc; i++) /* a self-test reads nothing, whatever standard input is */
		if (strcmp(argv[i], "--selftest") == 0)
			tool.operands = 0;
	tool_parse(&tool, argc, argv, own, &v);
	validate(&v);
	if (v.mode == VIEW_SELFTEST)
		status = view_selftest(&v);
	else if (v.rename)
		status = view_rename(&v);
	else if (v.mode == VIEW_HEADER)
		status = view_header(&v);
	else
		status = view_records(&v);
	if (v.fields != NULL)
		free(v.fields[0]);
	free(v.fields);
	return status;
}
