/*
 * rna-fold: RNAs in, the same records out with the secondary structure of least free energy.
 *
 * The energy model is Turner's of 2004, as RNAfold uses it; the recurrences are in lib/fold/mfe.h.
 *
 *	rna-fold seqs.fa		dot-bracket and kcal/mol on a terminal, records elsewhere
 */
#include <stdlib.h>
#include <string.h>

#include "fold.h"

enum { OPT_CONSTRAINT = CHAR_MAX + 1, OPT_DANGLES, OPT_EVAL, OPT_MAX_SPAN, OPT_NO_LONELY };

static const struct tool_option options[] = {
	{'T', "temp", "CELSIUS", "temperature (default 37)"},
	{'P', "params", "FILE", "energy parameters, ViennaRNA 2.0 format (default: Turner 2004)"},
	{OPT_DANGLES, "dangles", "0|2", "neighbours of a stem count never or always (default 2)"},
	{OPT_NO_LONELY, "no-lonely", NULL, "no pair that does not stack on another"},
	{OPT_MAX_SPAN, "max-span", "N", "at most N bases from one base of a pair to the other"},
	{OPT_CONSTRAINT, "constraint", "FILE|field", "|x<>(). by name from FILE, or each record's own"},
	{OPT_EVAL, "eval", NULL, "print the loops of the structures that come in, and their energies"},
	{OPT_NO_LONELY, "noLP", NULL, "the same as --no-lonely"},
	{OPT_MAX_SPAN, "maxBPspan", "N", "the same as --max-span"},
	{0, NULL, NULL, NULL},
};

static struct tool tool = {
	.name = "rna-fold",
	.usage = "[options] [FILE...]",
	.summary = "Folds RNAs: structure (dot-bracket) and energy (kcal/mol).",
	.example = "rna-fold seqs.fa",
	.options = options,
	.common = "o@qvfl",
	.operands = 1,
	.text = RNA_TEXT_DBN,
	.grain = 1,
};

static int
own(int code, const char *value, void *arg)
{
	struct fold_job *job = arg;
	struct rna_err err = {.record = RNA_NOREC};

	switch (code) {
	case OPT_CONSTRAINT:
		if ((job->constraint_field = strcmp(value, "field") == 0) == 0 &&
		    (job->constraints = fold_constraints_load(value, &err)) == NULL)
			tool_die_err(&tool, &err);
		break;
	case OPT_DANGLES:
		job->dangles = (int)tool_int(&tool, "--dangles", value, 0, 2);
		if (job->dangles == 1)
			tool_usage(&tool, "--dangles 1: only 0 and 2 are there");
		break;
	case OPT_EVAL:
		job->eval = 1;
		break;
	case OPT_MAX_SPAN:
		job->opts.max_span = (int)tool_int(&tool, "--max-span", value, 1, INT32_MAX / 64);
		break;
	case OPT_NO_LONELY:
		job->opts.no_lonely = 1;
		break;
	case 'P':
		job->params = value;
		break;
	case 'T':
		job->temperature = tool_float(&tool, "-T", value, -273, 200);
		break;
	}
	return 0;
}

static void
set_energies(struct fold_job *job)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_energy_file *f = rna_energy_file_open(job->params, &err);

	if (f == NULL || rna_energy_init(&job->energy, f, job->temperature, job->dangles, &err) != RNA_OK)
		tool_die_err(&tool, &err);
	rna_energy_file_close(f);
}

int
main(int argc, char **argv)
{
	static struct fold_job job = {.t = &tool, .temperature = 37, .dangles = 2};

	tool_parse(&tool, argc, argv, own, &job);
	set_energies(&job);
	if (job.eval)
		fold_eval(&job);
	else {
		if ((job.space = calloc((size_t)tool.threads, sizeof(*job.space))) == NULL)
			tool_die(&tool, "out of memory");
		tool_filter(&tool, fold_record, NULL, &job, 1);
		fold_spaces_free(&job);
	}
	fold_constraints_free(job.constraints);
	return TOOL_DONE;
}
