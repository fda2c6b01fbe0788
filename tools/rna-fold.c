/*
 * rna-fold: RNAs in, the same records out with the secondary structure of least free energy.
 *
 * The energy model is Turner's of 2004, as RNAfold uses it; the recurrences are in lib/fold/mfe.h.  A record with the
 * scores of a network is folded with both; the recurrences are in lib/fold/neural.c.
 *
 *	rna-fold seqs.fa		dot-bracket and kcal/mol on a terminal, records elsewhere
 */
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "fold.h"

enum {
	OPT_CENTROID = CHAR_MAX + 1,
	OPT_CONSTRAINT,
	OPT_DANGLES,
	OPT_EVAL,
	OPT_GAMMA,
	OPT_LEAST,
	OPT_MAX_SPAN,
	OPT_MEA,
	OPT_NO_LONELY,
	OPT_PARTITION,
	OPT_SAMPLE
};

static const struct tool_option options[] = {
	{'T', "temp", "CELSIUS", "temperature (default 37)"},
	{'P', "params", "FILE", "energy parameters, ViennaRNA 2.0 format (default: Turner 2004)"},
	{OPT_DANGLES, "dangles", "0|2", "neighbours of a stem count never or always (default 2)"},
	{OPT_NO_LONELY, "no-lonely", NULL, "no pair that does not stack on another"},
	{OPT_MAX_SPAN, "max-span", "N", "at most N bases from one base of a pair to the other"},
	{OPT_CONSTRAINT, "constraint", "FILE|field", "|x<>(). by name from FILE, or each record's own"},
	{OPT_PARTITION, "partition", NULL, "add the probabilities of pairs and the energy of the ensemble"},
	{OPT_LEAST, "least", "P", "of pairs with a probability of P or more (default 1e-5)"},
	{OPT_MEA, "mea", NULL, "the structure of maximum expected accuracy instead"},
	{OPT_GAMMA, "gamma", "X", "what a pair weighs in it against an unpaired base (default 1)"},
	{OPT_CENTROID, "centroid", NULL, "the structure of all pairs with a probability over 1/2 instead"},
	{OPT_SAMPLE, "sample", "N", "N structures drawn from the ensemble instead, a record each"},
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
	.common = "o@qvflsd",
	.operands = 1,
	.text = RNA_TEXT_DBN,
	.grain = 1,
};

/* The answers exclude each other. */
static void
set_answer(struct fold_job *job, enum fold_answer answer)
{
	if (job->answer != FOLD_MFE && job->answer != answer)
		tool_usage(&tool, "--mea, --centroid and --sample: one of them");
	job->answer = answer;
}

static int
own(int code, const char *value, void *arg)
{
	struct fold_job *job = arg;
	struct rna_err err = {.record = RNA_NOREC};

	switch (code) {
	case OPT_CENTROID:
		set_answer(job, FOLD_CENTROID);
		break;
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
	case OPT_GAMMA:
		job->gamma = tool_float(&tool, "--gamma", value, 0, 1e6);
		break;
	case OPT_LEAST:
		job->least = tool_float(&tool, "--least", value, 0, 1);
		break;
	case OPT_MAX_SPAN:
		job->opts.max_span = (int)tool_int(&tool, "--max-span", value, 1, INT32_MAX / 64);
		break;
	case OPT_MEA:
		set_answer(job, FOLD_MEA);
		break;
	case OPT_NO_LONELY:
		job->opts.no_lonely = 1;
		break;
	case OPT_PARTITION:
		job->partition = 1;
		break;
	case OPT_SAMPLE:
		set_answer(job, FOLD_SAMPLE);
		job->samples = (uint32_t)tool_int(&tool, "--sample", value, 1, 100000);
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
	static struct fold_job job = {.t = &tool, .temperature = 37, .dangles = 2, .gamma = 1, .least = 1e-5};

	tool_parse(&tool, argc, argv, own, &job);
	if (job.opts.no_lonely && fold_wants_ensemble(&job))
		tool_usage(&tool, "--no-lonely: there is no ensemble without lonely pairs");
	if (job.eval && fold_wants_ensemble(&job))
		tool_usage(&tool, "--eval folds nothing: it goes without --partition, --mea, --centroid and --sample");
	tool.put = job.answer == FOLD_SAMPLE ? fold_put_samples : NULL;
	set_energies(&job);
	if (job.eval)
		fold_eval(&job);
	else {
		if ((job.space = calloc((size_t)tool.threads, sizeof(*job.space))) == NULL)
			tool_die(&tool, "out of memory");
		fold_device_open(&job);
		if (job.device != NULL && !fold_wants_ensemble(&job) && !job.opts.no_lonely)
			tool.batch = fold_batch;
		omp_set_max_active_levels(2); /* threads may share a long RNA while others have records of their own */
		tool_filter(&tool, fold_record, NULL, &job, job.answer != FOLD_SAMPLE);
		fold_spaces_free(&job);
		fold_device_close(&job);
	}
	fold_constraints_free(job.constraints);
	return TOOL_DONE;
}
