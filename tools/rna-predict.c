/*
 * rna-predict: records in, the same records out with what a classifier makes of them: logits, probabilities, a call.
 *
 *	rna-predict -m nrc/ seqs.fa | rna-view --fields name,call
 *
 * Records are run through the model as in rna-embed, by the same code (embed_*.c).
 */
#include <stdlib.h>

#include "nn/foldnet.h"
#include "predict.h"

enum { OPT_DTYPE = CHAR_MAX + 1, OPT_FIX_SQUARE, OPT_OVERLAP, OPT_TOP };

static const struct tool_option options[] = {
    {OPT_TOP, "top", "N", "also the N most probable classes: top, top_p"},
    {OPT_OVERLAP, "overlap", "N", "nt that neighbouring chunks of a long FASTA record share (default 0)"},
    {OPT_DTYPE, "dtype", "fp32|bf16|int8", "arithmetic of matrix products (default fp32)"},
    {OPT_FIX_SQUARE, "fix-square", NULL, "transpose the square matrices of early multimolecule exports"},
    {0, NULL, NULL, NULL},
};

static struct tool tool = {
    .name = "rna-predict",
    .usage = "-m MODEL [options] [FILE...]",
    .summary = "RNAs in (a stream, FASTA, FASTQ); the same records out with the classes that a model gives them.",
    .example = "rna-predict -m model/ seqs.fa | rna-view -O tsv --fields name,call",
    .options = options,
    .common = "o@qvfldm",
    .operands = 1,
};

static int
own(int code, const char *value, void *arg)
{
	static const char *const dtypes[] = {"fp32", "bf16", "int8", NULL}; /* as enum rk_precision */
	struct predict *p = arg;

	switch (code) {
	case OPT_DTYPE:
		p->e.opts.precision = (enum rk_precision)tool_choice(&tool, "--dtype", value, dtypes);
		break;
	case OPT_FIX_SQUARE:
		p->e.fix_square = 1;
		break;
	case OPT_OVERLAP:
		p->e.framing.overlap = (uint32_t)tool_int(&tool, "--overlap", value, 0, 1 << 24);
		break;
	case OPT_TOP:
		p->top = (size_t)tool_int(&tool, "--top", value, 1, RNA_CLASSES_MAX);
		break;
	}
	return 0;
}

static void
run(struct predict *p)
{
	struct embed *e = &p->e;

	do {
		embed_stream_begin(e);
		embed_write_header(e, NULL);
		while (embed_read_unit(e))
			if (embed_is_full(e))
				predict_flush(p);
		predict_flush(p);
	} while (e->next_status == RNA_NEXT);
	tool_progress_end(&e->progress);
	tool_out_close(e->out);
}

int
main(int argc, char **argv)
{
	struct predict p = {.e = {.t = &tool, .opts = {.what = RNA_EMBED_CLASS, .layer = -1}}};
	struct rna_err err = {.record = RNA_NOREC};
	struct embed *e = &p.e;
	char *dir;
	int features, fold, rc = TOOL_DONE;

	tool_parse(&tool, argc, argv, own, &p);
	if (tool.model == NULL)
		tool_usage(&tool, "-m is missing: the folder of a model that rna-train class, pair or fold made");
	dir = tool_model_path(&tool, tool.model);
	features = rna_featuremodel_is(dir);
	fold = !features && rna_foldnet_is(dir);
	if (features)
		rc = predict_features(&tool, dir, p.top);
	if (fold)
		rc = predict_fold(&tool, dir, e->opts.precision);
	free(dir);
	if (features || fold)
		return rc;
	e->out = tool_out_open(&tool); /* first, so that a second writer ends before it reads */
	embed_open(e);
	if ((p.classrun = rna_classrun_open(&e->model, e->opts.precision, &err)) == NULL)
		tool_die_err(&tool, &err);
	if (e->framing.overlap + rna_frame_specials(e->framing.frame) >= e->framing.max)
		tool_usage(&tool, "--overlap %u: chunks hold %u nt", e->framing.overlap,
		    e->framing.max - rna_frame_specials(e->framing.frame));
	tool_in_open(&e->in, &tool, NULL);
	e->in.raw = 1; /* text is framed here, so that its chunks can be merged */
	tool_progress_start(&e->progress, &tool, "records", 0);
	run(&p);
	tool_summary(&tool, "%llu records in, %llu out, %llu tokens", (unsigned long long)e->read,
	    (unsigned long long)e->written, (unsigned long long)e->all_tokens);
	predict_close(&p);
	embed_close(e);
	return TOOL_DONE;
}
