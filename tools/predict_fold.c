/*
 * predict_fold.c: rna-predict with a folding network: records get the scores that rna-fold folds with.
 */
#include <stdlib.h>

#include "fold/neural.h"
#include "nn/foldnet.h"
#include "predict.h"

struct fold {
	struct tool *t;
	struct rk *rk;
	struct rna_foldnet net;
	struct rna_foldrun *run;
	struct tool_in in;
	struct tool_out *out;
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

static void
open_net(struct fold *f, char *dir)
{
	char why[256] = "";
	struct rna_err err = {.record = RNA_NOREC};

	if ((f->rk = rk_open(f->t->device, f->t->threads, why, sizeof(why))) == NULL)
		tool_die(f->t, "%s", why);
	if (*why != '\0')
		tool_note(f->t, 1, "-d auto: cpu: %s", why);
	if (rna_foldnet_open(&f->net, dir, f->rk, &err) != RNA_OK)
		tool_die_err(f->t, &err);
	if ((f->run = rna_foldrun_create(&f->net, 0)) == NULL)
		tool_die(f->t, "out of memory");
	free(dir);
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
	if (rna_foldrun_forward(f->run, seq, n, NULL, 0, scores, f->lengths, &err) != RNA_OK)
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
predict_fold(struct tool *t, char *dir)
{
	struct fold f = {.t = t};

	f.out = tool_out_open(t); /* first, so that a second writer ends before it reads */
	open_net(&f, dir);
	tool_in_open(&f.in, t, NULL);
	f.in.raw = 1; /* letters are all that is needed */
	tool_progress_start(&f.progress, t, "records", 0);
	run(&f);
	tool_summary(t, "%llu records, %llu nt", (unsigned long long)f.written, (unsigned long long)f.letters);
	tool_in_close(&f.in);
	rna_foldrun_destroy(f.run);
	rna_foldnet_fini(&f.net);
	rk_close(f.rk);
	return TOOL_DONE;
}
