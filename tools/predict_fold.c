/*
 * predict_fold.c: rna-predict with a folding network: records get the scores that rna-fold folds with.
 */
#include <stdlib.h>

#include "fold/neural.h"
#include "nn/foldlm.h"
#include "predict.h"

struct fold {
	struct tool *t;
	struct rk *rk;
	struct rna_foldnet net;
	struct rna_model model; /* of a network with features */
	struct rna_foldlm *lm;
	struct rna_foldscorer *scorer;
	struct tool_in in;
	struct tool_out *out;
	enum rk_precision precision; /* of the language model */
	float lengths[RNA_LENGTHS];
	uint64_t written, letters;
	struct tool_progress progress;
};

static void
fail_at(struct fold *f, const struct rna_record *rec, struct rna_err *err)
{
	rna_err_where(err, f->in.source != NULL ? rna_source_name(f->in.source) : "", rec->number);
	tool_die_err(f->t, err);
}

/* The language model whose vectors the network reads. */
static void
open_lm(struct fold *f, const char *dir)
{
	const struct rna_model_options need = {.need_mlm = f->net.config.types > 0};
	const struct rna_foldlm_options how = {.types = f->net.config.types, .precision = f->precision};
	struct rna_err err = {.record = RNA_NOREC};

	if (rna_model_open(&f->model, dir, f->rk, &need, &err) != RNA_OK)
		tool_die_err(f->t, &err);
	if (f->model.config.hidden != f->net.config.features)
		tool_die(f->t, "%s: the network reads %d features, the language model has %d", dir,
		    f->net.config.features, f->model.config.hidden);
	if ((f->lm = rna_foldlm_open(&f->model, &how, &err)) == NULL)
		tool_die(f->t, "%s: %s", dir, err.text);
}

static void
open_net(struct fold *f, const char *dir)
{
	char why[256] = "";
	struct rna_err err = {.record = RNA_NOREC};

	if ((f->rk = rk_open(f->t->device, f->t->threads, why, sizeof(why))) == NULL)
		tool_die(f->t, "%s", why);
	if (*why != '\0')
		tool_note(f->t, 1, "-d auto: cpu: %s", why);
	if (rna_foldnet_open(&f->net, dir, f->rk, &err) != RNA_OK)
		tool_die_err(f->t, &err);
	if (f->net.config.features > 0)
		open_lm(f, dir);
	if ((f->scorer = rna_foldscorer_create(&f->net, f->lm, 0)) == NULL)
		tool_die(f->t, "out of memory");
}

static void
begin(struct fold *f)
{
	json_t *extra = json_pack("{ssss}", "model", f->net.digest, "cpu", rk_level(f->rk));

	if (extra == NULL)
		tool_die(f->t, "out of memory");
	tool_out_header(f->out, tool_in_header(&f->in), extra, 1);
	json_decref(extra);
}

/* scores and lengths of a record. */
static void
score(struct fold *f, struct rna_record *rec)
{
	struct rna_err err = {.record = RNA_NOREC};
	const char *seq;
	uint64_t n = 0;
	float *scores;

	if ((seq = rna_record_get_str(rec, "seq", &n)) == NULL || n == 0) {
		rna_fail(
		    &err, RNA_EFORMAT, seq == NULL ? "no field seq to fold" : "an RNA without letters can't be folded");
		fail_at(f, rec, &err);
	}
	if ((scores = rna_record_put(rec, "scores", RNA_F32, 3, (uint64_t[]){3, n, n})) == NULL)
		tool_die(f->t, "no memory for the scores of %llu nt", (unsigned long long)n);
	/* the record may move its letters when it grows */
	seq = rna_record_get_str(rec, "seq", &n);
	if (rna_foldscorer_forward(f->scorer, seq, n, 0, scores, f->lengths, &err) != RNA_OK)
		fail_at(f, rec, &err);
	if (rna_record_set_vec(rec, "lengths", RNA_F32, f->lengths, RNA_LENGTHS) != RNA_OK)
		tool_die(f->t, "out of memory");
	f->letters += n;
}

static void
run(struct fold *f)
{
	struct rna_record rec;
	enum rna_status s;
	int begun = 0;

	rna_record_init(&rec);
	while ((s = tool_in_read(&f->in, &rec)) != RNA_END) {
		if (s == RNA_NEXT || !begun)
			begin(f);
		begun = 1;
		if (s == RNA_NEXT)
			continue;
		score(f, &rec);
		tool_out_write(f->out, &rec);
		tool_progress_at(&f->progress, (double)++f->written, "");
	}
	if (!begun)
		begin(f);
	rna_record_fini(&rec);
	tool_progress_end(&f->progress);
	tool_out_close(f->out);
}

int
predict_fold(struct tool *t, const char *dir, enum rk_precision precision)
{
	struct fold f = {.t = t, .precision = precision};
	uint64_t rnas, stitched;

	f.out = tool_out_open(t); /* first, so that a second writer ends before it reads */
	open_net(&f, dir);
	tool_in_open(&f.in, t, NULL);
	f.in.raw = 1; /* letters are all that is needed */
	tool_progress_start(&f.progress, t, "records", 0);
	run(&f);
	if (f.lm != NULL) {
		rna_foldlm_counts(f.lm, &rnas, &stitched);
		if (stitched > 0)
			tool_note(t, 1,
			    "%llu of %llu RNAs (%.1f %%) are longer than the language model takes: features from "
			    "chunks",
			    (unsigned long long)stitched, (unsigned long long)rnas,
			    100.0 * (double)stitched / (double)rnas);
	}
	tool_summary(t, "%llu records, %llu nt", (unsigned long long)f.written, (unsigned long long)f.letters);
	tool_in_close(&f.in);
	rna_foldscorer_destroy(f.scorer);
	rna_foldlm_close(f.lm);
	if (f.model.rk != NULL)
		rna_model_fini(&f.model);
	rna_foldnet_fini(&f.net);
	rk_close(f.rk);
	return TOOL_DONE;
}
