/*
 * embed_plan.c: what a run would take: reads all input, times one batch of its records.
 */
#include "embed_private.h"

/* Bytes of one record's new fields. */
static double
output_bytes(const struct embed *e, uint64_t tokens)
{
	static const unsigned vectors[] = {RNA_EMBED_CLS, RNA_EMBED_MEAN, RNA_EMBED_POOLED};
	const struct rna_config *c = &e->model.config;
	double n = 0;
	size_t i;

	for (i = 0; i < sizeof(vectors) / sizeof(*vectors); i++)
		n += e->opts.what & vectors[i] ? 4.0 * c->hidden : 0;
	n += e->opts.what & RNA_EMBED_HIDDEN ? 4.0 * c->hidden * (double)tokens : 0;
	n += e->opts.what & RNA_EMBED_LOGITS ? 4.0 * c->vocab_size * (double)tokens : 0;
	return n + (double)tokens * 2; /* seq and tokens */
}

/* Runs what the window holds; seconds a token, of a second run of it. */
static double
calibrate(struct embed *e)
{
	struct rna_err err = {.record = RNA_NOREC};
	double begun = 0;
	int i;

	for (i = 0; i < 2; i++) {
		begun = tool_now();
		if (e->embed == NULL)
			embed_predict_types(e);
		else if (rna_embed_run(e->embed, e->window.rec, e->window.n, &err) != RNA_OK)
			tool_die_err(e->t, &err);
	}
	return (tool_now() - begun) / (double)(e->tokens ? e->tokens : 1);
}

int
embed_plan(struct embed *e)
{
	struct rna_embed *m = e->embed != NULL ? e->embed : e->typer;
	int batch = rna_embed_batch_tokens(m),
	    passes = (e->typer != NULL) + (e->embed != NULL ? (e->types ? e->types : 1) : 0);
	double bytes = 0, rate = -1, model = (double)e->model.params.total * (double)rk_real_size(e->rk);
	uint64_t records = 0, tokens = 0, before = 0;

	do {
		embed_stream_begin(e);
		while (embed_read_unit(e)) {
			const struct unit *u = &e->unit[e->nunits - 1];

			records += embed_outputs(e, u);
			tokens += e->tokens - before;
			bytes += output_bytes(e, e->tokens - before) * (e->types ? e->types : 1);
			before = e->tokens;
			if (rate < 0 && e->tokens < (uint64_t)batch)
				continue;
			rate = rate < 0 ? calibrate(e) : rate;
			embed_clear(e);
			before = 0;
		}
	} while (e->next_status == RNA_NEXT);
	if (rate < 0)
		rate = e->window.n > 0 ? calibrate(e) : 0;
	printf("records  %llu read, %llu written\n", (unsigned long long)e->read, (unsigned long long)records);
	printf("tokens   %llu, in batches of %d\n", (unsigned long long)tokens, batch);
	printf("memory   %.0f MiB: weights %.0f MiB, a batch %.0f MiB, a window of records and results\n",
	    (model * 2 + (double)rna_embed_bytes(m) + 6e7) / 1048576, model * 2 / 1048576,
	    (double)rna_embed_bytes(m) / 1048576);
	printf("disk     up to %.1f MiB before compression\n", bytes / 1048576);
	printf("time     %.0f s on %d thread%s (%.0f tokens/s)\n", (double)tokens * rate * passes, e->t->threads,
	    e->t->threads == 1 ? "" : "s", rate > 0 ? 1 / rate : 0);
	embed_close(e);
	return fflush(stdout) == 0 ? TOOL_DONE : TOOL_FAILED;
}
