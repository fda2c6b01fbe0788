/*
 * config_labels.c: the class head in config.json: id2label and label2id as transformers has them, and rill's own keys
 * for heads that transformers does not know.
 */
#include <stdio.h>
#include <stdlib.h>
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

/* As enum rna_class_from. */
static const char *const froms[] = {"pooled", "cls", "mean", "attention", "interaction", NULL};
static const char *const heads[] = {"linear", "mlp", NULL};
static const char *const ways[] = {"mean", "attention", "mlp", NULL};	/* as enum rna_class_chunks */
static const char *const typers[] = {"none", "frozen", "shared", NULL};	/* as enum rna_class_typer */

static const char *const axes[] = {"positions", "channels", NULL};	/* as enum rna_class_axis */

/* One of the words, or the first of them where the key is absent. */
static enum rna_status
read_word(const json_t *own, const char *key, const char *const *words, int *to, struct rna_err *err)
{
	const json_t *value = json_object_get(own, key);
	const char *word = value ? json_string_value(value) : words[0];
	int i;

	for (i = 0; words[i] && (!word || strcmp(word, words[i]) != 0); i++)
		continue;
	if (!words[i])
		return rna_fail(err, RNA_EFORMAT, "rill.classifier.%s is none of those that are known", key);
	*to = i;
	return RNA_OK;
}

static enum rna_status
read_interaction(struct rna_config *c, const json_t *own, struct rna_err *err)
{
	const json_t *drop = json_object_get(own, "dropout");
	double p = drop ? json_number_value(drop) : 0.1;

	c->class_lm = !json_is_false(json_object_get(own, "language_model"));
	c->class_dropout = (float)p;
	if (!(p >= 0 && p <= 0.99))
		return rna_fail(err, RNA_EFORMAT, "rill.classifier.dropout is %g, it must be 0 to 0.99", p);
	return read_word(own, "axis", axes, &c->class_axis, err);
}

static enum rna_status
read_kind(struct rna_config *c, const json_t *own, struct rna_err *err)
{
	enum rna_status s;

	c->pairs = json_is_true(json_object_get(json_object_get(c->json, "rill"), "pairs"));
	if ((s = read_word(own, "from", froms, &c->class_from, err)) != RNA_OK ||
	    (s = read_word(own, "head", heads, &c->class_mlp, err)) != RNA_OK ||
	    (s = read_word(own, "chunks", ways, &c->class_chunks, err)) != RNA_OK ||
	    (s = read_word(own, "typer", typers, &c->class_typer, err)) != RNA_OK)
		return s;
	if (c->class_from == RNA_CLASS_INTERACTION && (s = read_interaction(c, own, err)) != RNA_OK)
		return s;
	c->class_types = 0;
	c->class_floor = 0;
	if (c->class_typer == RNA_TYPER_NONE)
		return RNA_OK;
	c->class_types = (int)json_integer_value(json_object_get(own, "types"));
	c->class_floor = json_number_value(json_object_get(own, "floor"));
	if (c->class_types < 1 || c->class_types > RNA_VOCAB_MAX || !(c->class_floor >= 0 && c->class_floor <= 1))
		return rna_fail(err, RNA_EFORMAT, "rill.classifier.types or .floor is out of range");
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

static int
put_interaction(json_t *own, const struct rna_config *c)
{
	char text[32];

	if (c->class_from != RNA_CLASS_INTERACTION)
		return 0;
	snprintf(text, sizeof(text), "%.6g", (double)c->class_dropout);
	return json_object_set_new(own, "axis", json_string(axes[c->class_axis])) < 0 ||
	       json_object_set_new(own, "language_model", json_boolean(c->class_lm)) < 0 ||
	       json_object_set_new(own, "dropout", json_real(strtod(text, NULL))) < 0;
}

/* The head, where it is not that of BertForSequenceClassification alone. */
static int
put_kind(json_t *rill, const struct rna_config *c)
{
	json_t *own;

	if (c->class_from == RNA_CLASS_POOLED && !c->class_mlp && c->class_chunks == RNA_CHUNKS_MEAN && !c->class_typer)
		return 0;
	own = json_pack("{s:s s:s}", "from", froms[c->class_from], "head", heads[c->class_mlp]);
	if (!own)
		return 1;
	if (put_interaction(own, c) ||
	    (c->class_chunks != RNA_CHUNKS_MEAN &&
		json_object_set_new(own, "chunks", json_string(ways[c->class_chunks])) < 0) ||
	    (c->class_typer != RNA_TYPER_NONE &&
		(json_object_set_new(own, "typer", json_string(typers[c->class_typer])) < 0 ||
		    json_object_set_new(own, "types", json_integer(c->class_types)) < 0 ||
		    json_object_set_new(own, "floor", json_real(c->class_floor)) < 0))) {
		json_decref(own);
		return 1;
	}
	return json_object_set_new(rill, "classifier", own) < 0;
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
	return bad | put_kind(rill, c);
}
