/*
 * embed_open.c: the model, and what the header of the output says about it.
 */
#include <stdlib.h>
#include <string.h>

#include "embed_private.h"
#include "nn/selftest.h"

/* A classifier that is shown an RNA as its most probable types: what predicts them. */
static void
open_stack(struct embed *e, const char *dir)
{
	const struct rna_model_options need = {.need_mlm = 1, .once = 1};
	struct rna_err err = {.record = RNA_NOREC};
	char path[4096];

	e->stack = 1;
	e->types = e->model.config.class_types;
	e->floor = e->model.config.class_floor;
	if (e->types > e->model.vocab.ntypes)
		tool_die(e->t, "%s: its class head wants %d types, but its vocabulary has %d", dir, e->types,
		    e->model.vocab.ntypes);
	if (e->model.config.class_typer == RNA_TYPER_SHARED)
		return;
	if ((size_t)snprintf(path, sizeof(path), "%s/types", dir) >= sizeof(path))
		tool_die(e->t, "%s: the path is too long", dir);
	if (rna_model_open(&e->own_typer, path, e->rk, &need, &err) != RNA_OK)
		tool_die_err(e->t, &err);
	if (strcmp(e->own_typer.vocab.digest, e->model.vocab.digest) != 0)
		tool_die(e->t, "%s: its vocabulary is not that of %s", path, dir);
}

void
embed_open(struct embed *e)
{
	struct rna_model_options need = {.fix_square = e->fix_square, .digest = 1, .threads = e->t->threads, .once = 1};
	struct rna_embed_options typer = {RNA_EMBED_TYPES, -1, e->opts.precision};
	struct rna_selftest_agreement agreement;
	struct rna_err err = {.record = RNA_NOREC};
	char why[256] = "", *dir = tool_model_path(e->t, e->t->model);

	need.need_pooler = (e->opts.what & RNA_EMBED_POOLED) != 0;
	need.need_class = (e->opts.what & RNA_EMBED_CLASS) != 0;
	need.need_mlm = (e->opts.what & RNA_EMBED_LOGITS) != 0 || e->types > 0;
	if ((e->rk = rk_open(e->t->device, e->t->threads, why, sizeof(why))) == NULL)
		tool_die(e->t, "%s", why);
	if (*why != '\0')
		tool_note(e->t, 1, "-d auto: cpu: %s", why);
	if (rna_vocab_init(&e->plain) != RNA_OK)
		tool_die(e->t, "out of memory");
	if (rna_model_open(&e->model, dir, e->rk, &need, &err) != RNA_OK)
		tool_die_err(e->t, &err);
	if (e->types > e->model.vocab.ntypes)
		tool_die(e->t, "%s: --types %d, but the vocabulary has %d types", dir, e->types, e->model.vocab.ntypes);
	if (e->opts.what & RNA_EMBED_CLASS && e->model.config.class_typer != RNA_TYPER_NONE)
		open_stack(e, dir);
	if (rna_selftest_fit(&e->model, e->opts.layer, e->opts.precision, &agreement, &err) != RNA_OK)
		tool_die(e->t, "%s: %s", dir, err.text);
	if (e->opts.precision == RK_FP8)
		tool_note(e->t, 1, "fp8: mean cosine to bf16 %.5f, least %.5f, over %d tokens of known RNAs",
		    agreement.mean, agreement.least, agreement.tokens);
	if ((e->opts.what != 0 && (e->embed = rna_embed_open(&e->model, &e->opts, &err)) == NULL) ||
	    (e->types > 0 &&
		(e->typer = rna_embed_open(e->own_typer.rk != NULL ? &e->own_typer : &e->model, &typer, &err)) == NULL))
		tool_die(e->t, "%s: %s", dir, err.text);
	e->framing = (struct rna_framing){e->types > 0 ? RNA_FRAME_TYPE : e->model.config.frame, RNA_LONG_CHUNK,
	    (uint32_t)e->model.config.max, e->framing.overlap};
	free(dir);
}

/* The header of the output: of the model's vocabulary, and what it depends on beside options: the model, the CPU's
 * level. */
void
embed_write_header(struct embed *e, const struct rna_header *kept)
{
	static const char *const dtypes[] = {"fp32", "bf16", "int8", "fp8"}; /* as enum rk_precision */
	json_t *extra =
	    json_pack("{ssssss}", "model", e->model.digest, "cpu", rk_level(e->rk), "dtype", dtypes[e->opts.precision]);
	int totals = (e->types == 0 || e->stack) && e->same_vocab;
	struct rna_header h;

	if (extra == NULL || rna_header_copy(&h, tool_in_header(&e->in)) != RNA_OK ||
	    rna_header_set_vocab(&h, e->model.vocab.name, e->model.vocab.digest) != RNA_OK ||
	    (e->opts.what & RNA_EMBED_CLASS && json_object_set(h.json, "classes", e->model.config.labels) != 0))
		tool_die(e->t, "out of memory");
	if (kept != NULL)
		tool_out_continue(e->out, &h, extra, totals, kept);
	else
		tool_out_header(e->out, &h, extra, totals);
	json_decref(extra);
	rna_header_fini(&h);
}

void
embed_close(struct embed *e)
{
	size_t i;

	tool_in_close(&e->in);
	rna_embed_close(e->embed);
	rna_embed_close(e->typer);
	rna_model_fini(&e->model);
	rna_model_fini(&e->own_typer);
	rk_close(e->rk);
	rna_vocab_fini(&e->plain);
	rna_record_fini(&e->next);
	for (i = 0; i < e->window.cap; i++)
		rna_record_fini(&e->window.rec[i]);
	for (i = 0; i < e->replicas.cap; i++)
		rna_record_fini(&e->replicas.rec[i]);
	for (i = 0; i < e->unit_cap; i++)
		rna_record_fini(&e->unit[i].whole);
	free(e->window.rec);
	free(e->replicas.rec);
	free(e->unit);
	free(e->logits);
}
