/*
 * predict_features.c: rna-predict with a classifier that has no backbone.
 */
#include <stdlib.h>
#include <string.h>

#include "predict.h"

struct features {
	struct rna_featuremodel model;
	size_t top;
};

static enum rna_status
process(struct rna_record *rec, void *arg, struct rna_err *err)
{
	const struct features *f = arg;
	int had = rna_record_find(rec, "kmer") != NULL;
	float logits[RNA_CLASSES_MAX];
	enum rna_status s;

	if ((s = rna_featuremodel_logits(&f->model, rec, logits, err)) != RNA_OK)
		return s;
	if (!had)
		rna_record_remove(rec, "kmer");
	return predict_answer(rec, logits, f->model.labels, f->top, err);
}

static void
header(struct rna_header *h, void *arg)
{
	const struct features *f = arg;

	(void)json_object_set(h->json, "classes", f->model.labels);
}

int
predict_features(struct tool *t, const char *dir, size_t top)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct features f = {.top = top};

	if (rna_featuremodel_load(&f.model, dir, &err) != RNA_OK)
		tool_die_err(t, &err);
	tool_filter(t, process, header, &f, 1);
	rna_featuremodel_fini(&f.model);
	return TOOL_DONE;
}
