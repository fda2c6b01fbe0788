/*
 * config_labels.c: the class head in config.json: id2label and label2id as transformers has them, and rill's own keys
 * for heads that transformers does not know.
 */
#include <stdio.h>
#include <string.h>

#include "nn/config.h"

int
rna_config_classes(const struct rna_config *c)
{
	return (int)json_array_size(c->labels);
}

/* The names that id2label gives 0, 1, ...; without id2label those that transformers makes up. */
static enum rna_status
read_names(struct rna_config *c, const json_t *id2label, size_t n, struct rna_err *err)
{
	char key[32];
	const json_t *v;

	if (!(c->labels = json_array()))
		return rna_fail(err, RNA_EMEM, "no memory");
	for (size_t i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "%s%zu", id2label ? "" : "LABEL_", i);
		v = id2label ? json_object_get(id2label, key) : NULL;
		if (id2label && !json_is_string(v))
			return rna_fail(err, RNA_EFORMAT, "id2label has no name for %s", key);
		if (json_array_append_new(c->labels, json_string(v ? json_string_value(v) : key)) < 0)
			return rna_fail(err, RNA_EMEM, "no memory");
	}
	return RNA_OK;
}

static enum rna_status
read_kind(struct rna_config *c, const json_t *own, struct rna_err *err)
{
	const char *from = json_string_value(json_object_get(own, "from"));
	const char *head = json_string_value(json_object_get(own, "head"));

	c->class_from = RNA_CLASS_POOLED;
	c->class_mlp = 0;
	c->pairs = json_is_true(json_object_get(json_object_get(c->json, "rill"), "pairs"));
	if (!own)
		return RNA_OK;
	if (!from || (strcmp(from, "pooled") != 0 && strcmp(from, "cls") != 0))
		return rna_fail(err, RNA_EFORMAT, "rill.classifier.from is neither pooled nor cls");
	if (!head || (strcmp(head, "linear") != 0 && strcmp(head, "mlp") != 0))
		return rna_fail(err, RNA_EFORMAT, "rill.classifier.head is neither linear nor mlp");
	c->class_from = from[0] == 'c' ? RNA_CLASS_CLS : RNA_CLASS_POOLED;
	c->class_mlp = head[0] == 'm';
	return RNA_OK;
}

enum rna_status
rna_config_read_labels(struct rna_config *c, struct rna_err *err)
{
	const json_t *o = c->json, *own = json_object_get(json_object_get(o, "rill"), "classifier");
	const json_t *id2label = json_object_get(o, "id2label"), *count = json_object_get(o, "num_labels");
	const char *kind = json_string_value(json_array_get(json_object_get(o, "architectures"), 0));
	json_int_t n = id2label ? (json_int_t)json_object_size(id2label) : json_integer_value(count);

	if (!own && (!kind || strcmp(kind, "BertForSequenceClassification") != 0))
		return RNA_OK;
	if (id2label && !json_is_object(id2label))
		return rna_fail(err, RNA_EFORMAT, "id2label is not an object");
	if (!id2label && !count)
		n = 2; /* as transformers */
	if (n < 2 && !own)
		return RNA_OK; /* a regression */
	if (n < 2 || n > RNA_CLASSES_MAX)
		return rna_fail(err, RNA_EFORMAT, "%lld classes, they must be 2 to %d", (long long)n, RNA_CLASSES_MAX);
	if (read_kind(c, own, err) != RNA_OK)
		return RNA_EFORMAT;
	return read_names(c, id2label, (size_t)n, err);
}

int
rna_config_put_labels(json_t *o, const struct rna_config *c)
{
	json_t *rill = json_object_get(o, "rill"), *names = json_object(), *ids = json_object(), *label;
	int bad = !names || !ids;
	char key[32];
	size_t i;

	json_object_del(rill, "classifier");
	json_object_del(rill, "pairs");
	if (!c->labels) {
		json_decref(names);
		json_decref(ids);
		return bad;
	}
	json_array_foreach(c->labels, i, label)
	{
		snprintf(key, sizeof(key), "%zu", i);
		bad |= json_object_set(names, key, label) < 0;
		bad |= json_object_set_new(ids, json_string_value(label), json_integer((json_int_t)i)) < 0;
	}
	bad |= json_object_set_new(o, "id2label", names) < 0;
	bad |= json_object_set_new(o, "label2id", ids) < 0;
	bad |= json_object_set_new(o, "num_labels", json_integer(rna_config_classes(c))) < 0;
	bad |= json_object_set_new(o, "problem_type", json_string("single_label_classification")) < 0;
	if (c->pairs)
		bad |= json_object_set_new(rill, "pairs", json_true()) < 0;
	if (c->class_from == RNA_CLASS_POOLED && !c->class_mlp)
		return bad;
	return bad | (json_object_set_new(rill, "classifier",
			  json_pack("{s:s s:s}", "from", c->class_from == RNA_CLASS_CLS ? "cls" : "pooled", "head",
			      c->class_mlp ? "mlp" : "linear")) < 0);
}
