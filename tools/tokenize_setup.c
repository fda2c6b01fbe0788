/*
 * tokenize_setup.c: what rna-tokenize makes of its options: vocabulary, frame, limit, types.
 */
#include <stdlib.h>
#include <string.h>

#include "tokenize.h"

#define DEFAULT_MAX 512    /* tokens, when --long is given without --max */

/* Frame, limit and vocabulary of -m; what the command line says stands before them. */
static void
take_model(struct tokenize *o, struct rna_err *err)
{
	struct rna_framing model = {0};
	char *dir = tool_model_path(o->t, o->t->model), path[4096];

	if ((size_t)snprintf(path, sizeof(path), "%s/config.json", dir) >= sizeof(path))
		tool_die(o->t, "%s: path too long", dir);
	if (rna_frame_config(&model, path, err) != RNA_OK)
		tool_die_err(o->t, err);
	if (!o->frame_given)
		o->framing.frame = model.frame;
	if (!o->max_given)
		o->framing.max = model.max;
	snprintf(path, sizeof(path), "%s/vocab.txt", dir);
	if (o->vocab_file == NULL && rna_vocab_load(&o->vocab, path, err) != RNA_OK)
		tool_die_err(o->t, err);
	free(dir);
}

static void
check_frame(const struct tokenize *o)
{
	const struct rna_framing *f = &o->framing;

	if (f->frame == RNA_FRAME_TYPE && (o->vocab.ind < 0 || o->vocab.mask < 0 || o->vocab.ntypes == 0))
		tool_usage(o->t, "--frame type: the vocabulary %s has no [IND], [MASK] or types", o->vocab.name);
	if (f->overlap > 0 && f->policy != RNA_LONG_CHUNK)
		tool_usage(o->t, "--overlap needs --long chunk");
	if (f->overlap > 0 && f->overlap >= f->max - rna_frame_specials(f->frame))
		tool_usage(o->t, "--overlap %u: not less than the %u bases that a chunk holds", f->overlap,
		    f->max - rna_frame_specials(f->frame));
	if (o->npair > 0 && f->policy == RNA_LONG_CHUNK)
		tool_usage(o->t, "--long chunk does not split pairs: use drop or truncate");
	if (o->npair > 0 && o->source.format != RNA_FORMAT_CSV)
		tool_usage(o->t, "--pairs is for --from csv");
	if (o->source.reverse != NULL && o->source.format != RNA_FORMAT_CSV)
		tool_usage(o->t, "--reverse is for --from csv");
}

/* Columns to keep must be able to be fields, and not those that are made here. */
static void
check_keep(struct tokenize *o)
{
	static const char *const made[] = {"rid", "name", "desc", "seq", "name_b", "seq_b", "label", "tokens",
	    "segment", "type", "chunk", "last", "pair", "structure", "energy", "ensemble"};
	size_t i, k;

	if (o->keep == NULL)
		return;
	if (o->source.format != RNA_FORMAT_CSV)
		tool_usage(o->t, "--keep is for --from csv");
	for (i = 0; i < o->source.nkeep; i++) {
		if (!rna_field_name_ok(o->keep[i], strlen(o->keep[i])))
			tool_usage(o->t, "--keep %s: can't name a field", o->keep[i]);
		for (k = 0; k < sizeof(made) / sizeof(made[0]); k++)
			if (strcmp(o->keep[i], made[k]) == 0)
				tool_usage(o->t, "--keep %s: is a field that rna-tokenize makes", made[k]);
	}
	o->source.keep = (const char *const *)o->keep;
}

void
tokenize_prepare(struct tokenize *o)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_bulk_options bulk;

	if (o->mutate == 0)
		o->t->common = "m"; /* nothing is drawn: the seed is no part of the provenance */
	if (o->source.format == RNA_FORMAT_AUTO && (o->npair > 0 || o->source.reverse != NULL || o->keep != NULL))
		o->source.format = RNA_FORMAT_CSV;
	if (rna_vocab_init(&o->standard) != RNA_OK)
		tool_die(o->t, "out of memory");
	if (o->t->model != NULL)
		take_model(o, &err);
	if (o->vocab_file != NULL && rna_vocab_load(&o->vocab, o->vocab_file, &err) != RNA_OK)
		tool_die_err(o->t, &err);
	if (o->vocab.n == 0 && rna_vocab_init(&o->vocab) != RNA_OK)
		tool_die(o->t, "out of memory");
	if (o->framing.policy != RNA_LONG_KEEP && o->framing.max == 0)
		o->framing.max = DEFAULT_MAX;
	check_frame(o);
	check_keep(o);
	o->annotate = (struct rna_annotate){&o->vocab, NULL, NULL, 0, -1, o->label};
	if (o->type != NULL && !(o->annotate.header = strcmp(o->type, "header") == 0) &&
	    (o->annotate.type = rna_types_find(&o->vocab, o->type, strlen(o->type))) < 0)
		tool_usage(o->t, "--type %s: no type of the vocabulary %s", o->type, o->vocab.name);
	if (o->types_from != NULL) {
		if (rna_types_load(&o->types, &o->vocab, o->types_from, &err) != RNA_OK)
			tool_die_err(o->t, &err);
		o->annotate.table = &o->types;
	}
	if (o->label == NULL && o->mutate == 0) {
		bulk = (struct rna_bulk_options){&o->framing, &o->vocab, &o->annotate, o->source.max_nt, o->t->threads};
		if ((o->bulk = rna_bulk_create(&bulk)) == NULL)
			tool_die(o->t, "out of memory");
	}
	if (o->source.format == RNA_FORMAT_CSV) {
		o->source.label = o->label;
		o->annotate.label = NULL;
	}
}

/* Types in a stream are ids of its own vocabulary: known when that is ours or RNAErnie's. */
void
tokenize_stream(struct tokenize *o, const struct rna_header *h)
{
	const char *digest = rna_header_vocab_digest(h);

	memset(&o->counts, 0, sizeof(o->counts));
	o->annotate.was = NULL;
	if (strcmp(digest, o->vocab.digest) == 0)
		o->annotate.was = &o->vocab;
	else if (strcmp(digest, o->standard.digest) == 0)
		o->annotate.was = &o->standard;
}

void
tokenize_report(const struct tokenize *o, const struct rna_frame_counts *n)
{
	const struct rna_framing *f = &o->framing;

	if (f->frame == RNA_FRAME_TYPE && n->untyped == n->records && n->records > 0)
		tool_warn(o->t, "no RNA has a type; --type header looks for it in the header lines");
	if (n->unknown > n->nt / 2)
		tool_warn(o->t, "%llu of %llu letters are none of the vocabulary's: is this RNA?",
		    (unsigned long long)n->unknown, (unsigned long long)n->nt);
	tool_summary(o->t,
	    "%llu RNAs of %llu nt; dropped %llu (%llu nt), cut %llu (%llu nt), split %llu into %llu; "
	    "%llu unknown letters, %llu without type",
	    (unsigned long long)n->records, (unsigned long long)n->nt, (unsigned long long)n->dropped,
	    (unsigned long long)n->dropped_nt, (unsigned long long)n->truncated, (unsigned long long)n->truncated_nt,
	    (unsigned long long)n->chunked, (unsigned long long)n->chunks, (unsigned long long)n->unknown,
	    (unsigned long long)n->untyped);
}

void
tokenize_fini(struct tokenize *o)
{
	if (o->pair != NULL)
		free(o->pair[0]);
	free(o->pair);
	if (o->keep != NULL)
		free(o->keep[0]);
	free(o->keep);
	rna_bulk_destroy(o->bulk);
	rna_types_fini(&o->types);
	rna_vocab_fini(&o->standard);
	rna_vocab_fini(&o->vocab);
}
