/*
 * rna-predict: records in, the same records out with what a classifier makes of them: logits, probabilities, a call.
 *
 *	rna-predict -m nrc/ seqs.fa | rna-view --fields name,call
 *
 * Records are run through the model as in rna-embed, by the same code (embed_*.c).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "embed_private.h"

enum { OPT_DTYPE = CHAR_MAX + 1, OPT_FIX_SQUARE, OPT_TOP };

static const struct tool_option options[] = {
    {OPT_TOP, "top", "N", "also the N most probable classes: top, top_p"},
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
	struct embed *e = arg;

	switch (code) {
	case OPT_DTYPE:
		e->opts.precision = (enum rk_precision)tool_choice(&tool, "--dtype", value, dtypes);
		break;
	case OPT_FIX_SQUARE:
		e->fix_square = 1;
		break;
	case OPT_TOP:
		e->top = (size_t)tool_int(&tool, "--top", value, 1, RNA_CLASSES_MAX);
		break;
	}
	return 0;
}

/* prob = softmax of logits; the index of the largest. */
static size_t
softmax(const float *z, float *p, size_t n)
{
	double sum = 0;
	size_t i, best = 0;

	for (i = 1; i < n; i++)
		best = z[i] > z[best] ? i : best;
	for (i = 0; i < n; i++)
		sum += exp((double)z[i] - (double)z[best]);
	for (i = 0; i < n; i++)
		p[i] = (float)(exp((double)z[i] - (double)z[best]) / sum);
	return best;
}

/* top, top_p: the classes by falling probability, the earlier of equal ones first. */
static enum rna_status
add_top(struct rna_record *rec, const float *p, size_t n, size_t top, struct rna_err *err)
{
	int32_t class[RNA_CLASSES_MAX];
	float share[RNA_CLASSES_MAX] = {0};
	size_t i, k, have = 0;

	for (i = 0; i < n; i++) {
		for (k = have < top ? have++ : top; k > 0 && p[i] > share[k - 1]; k--) {
			if (k < top) {
				class[k] = class[k - 1];
				share[k] = share[k - 1];
			}
		}
		if (k < top) {
			class[k] = (int32_t)i;
			share[k] = p[i];
		}
	}
	if (rna_record_set_vec(rec, "top", RNA_I32, class, top) != RNA_OK ||
	    rna_record_set_vec(rec, "top_p", RNA_F32, share, top) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	return RNA_OK;
}

/* From logits the rest. */
static enum rna_status
classify(struct embed *e, struct rna_record *rec, struct rna_err *err)
{
	const json_t *labels = e->model.config.labels;
	float p[RNA_CLASSES_MAX];
	const char *name;
	const float *z;
	uint64_t n = 0;
	size_t best;

	if ((z = rna_record_get_vec(rec, "logits", RNA_F32, &n)) == NULL || n != json_array_size(labels))
		return rna_fail(err, RNA_EINVAL, "no logits of the classes");
	best = softmax(z, p, n);
	name = json_string_value(json_array_get(labels, best));
	if (rna_record_set_vec(rec, "prob", RNA_F32, p, n) != RNA_OK ||
	    rna_record_set_str(rec, "call", name, strlen(name)) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	return e->top > 0 ? add_top(rec, p, n, e->top < n ? e->top : n, err) : RNA_OK;
}

static void
run(struct embed *e)
{
	e->out = tool_out_open(&tool);
	do {
		embed_stream_begin(e);
		embed_write_header(e, NULL);
		while (embed_read_unit(e))
			if (embed_is_full(e))
				embed_flush(e);
		embed_flush(e);
	} while (e->next_status == RNA_NEXT);
	tool_progress_end(&e->progress);
	tool_out_close(e->out);
}

int
main(int argc, char **argv)
{
	struct embed e = {.t = &tool, .opts = {.what = RNA_EMBED_CLASSES, .layer = -1}, .finish = classify};

	tool_parse(&tool, argc, argv, own, &e);
	if (tool.model == NULL)
		tool_usage(&tool, "-m is missing: the folder of a model that rna-train class made");
	embed_open(&e);
	tool_in_open(&e.in, &tool, NULL);
	e.in.raw = 1; /* text is framed here, so that its chunks can be merged */
	tool_progress_start(&e.progress, &tool, "records", 0);
	run(&e);
	tool_summary(&tool, "%llu records in, %llu out, %llu tokens", (unsigned long long)e.read,
	    (unsigned long long)e.written, (unsigned long long)e.all_tokens);
	embed_close(&e);
	return TOOL_DONE;
}
