/*
 * foldnet_config.c: what config.json says of a folding network.
 */
#include <string.h>
#include <stdlib.h>

#include "fold/neural.h"
#include "nn/configfile.h"
#include "nn/foldnet_private.h"
#include "nn/replace.h"

void
rna_foldnet_default(struct rna_foldnet_config *c, int features)
{
	*c = (struct rna_foldnet_config){.embed = 64,
	    .features = features,
	    .inner = features ? 128 : 0,
	    .convs = 8,
	    .filters = 64,
	    .lstm_layers = 2,
	    .lstm_units = 32,
	    .heads = 8,
	    .pair_convs = 8,
	    .hidden = 32,
	    .max_helix = RNA_MAX_HELIX,
	    .dropout = 0.5f,
	    .head_dropout = 0.5f};
	for (int i = 0; i < 8; i++)
		c->width[i] = c->pair_width[i] = i % 2 ? 3 : 5;
}

enum rna_status
rna_foldnet_preset(struct rna_foldnet_config *c, const char *name, struct rna_err *err)
{
	const int tiny = strcmp(name, "tiny") == 0;

	if (strcmp(name, "base") == 0)
		return RNA_OK;
	if (!tiny && strcmp(name, "small") != 0)
		return rna_fail(err, RNA_EINVAL, "no preset is called %.32s: tiny, small or base", name);
	c->filters = tiny ? 16 : 32;
	c->lstm_units = c->filters / 2;
	c->heads = tiny ? 2 : 4;
	if (tiny)
		c->convs = c->pair_convs = 4;
	return RNA_OK;
}

/* A number of key within min and max; absent: *dst stays. */
static enum rna_status
number(const json_t *o, const char *key, double min, double max, double *dst, struct rna_err *err)
{
	const json_t *v = json_object_get(o, key);

	if (!v)
		return RNA_OK;
	if (!json_is_number(v) || !(json_number_value(v) >= min && json_number_value(v) <= max))
		return rna_fail(err, RNA_EFORMAT, "%s is not a number of %g to %g", key, min, max);
	*dst = json_number_value(v);
	return RNA_OK;
}

static enum rna_status
whole(const json_t *o, const char *key, int min, int max, int *dst, struct rna_err *err)
{
	double x = *dst;
	enum rna_status st = number(o, key, min, max, &x, err);

	if (!st && x != (int)x)
		st = rna_fail(err, RNA_EFORMAT, "%s is not a whole number", key);
	if (!st)
		*dst = (int)x;
	return st;
}

/* A list of up to RNA_FOLDNET_LAYERS whole numbers; odd: all must be, as a kernel that keeps the length is. */
static enum rna_status
list(const json_t *o, const char *key, int odd, int *n, int dst[RNA_FOLDNET_LAYERS], struct rna_err *err)
{
	const json_t *v = json_object_get(o, key);

	if (!v)
		return RNA_OK;
	if (!json_is_array(v) || json_array_size(v) < 1 || json_array_size(v) > RNA_FOLDNET_LAYERS)
		return rna_fail(err, RNA_EFORMAT, "%s is not a list of 1 to %d numbers", key, RNA_FOLDNET_LAYERS);
	*n = (int)json_array_size(v);
	for (int i = 0; i < *n; i++) {
		const json_int_t x = json_integer_value(json_array_get(v, (size_t)i));

		if (x < 1 || x > 1024 || (odd && x % 2 == 0))
			return rna_fail(err, RNA_EFORMAT, "%s has %lld, which is not %s", key, (long long)x,
			    odd ? "an odd number up to 1024" : "a number of 1 to 1024");
		dst[i] = (int)x;
	}
	return RNA_OK;
}

/* A list of one number many times, as MXfold2 has its filters. */
static enum rna_status
same(const json_t *o, const char *key, int *n, int *value, struct rna_err *err)
{
	int all[RNA_FOLDNET_LAYERS] = {*value};
	enum rna_status st = list(o, key, 0, n, all, err);

	for (int i = 0; !st && i < *n; i++)
		if (json_object_get(o, key) && all[i] != all[0])
			st = rna_fail(err, RNA_EFORMAT, "%s has different numbers", key);
	if (!st)
		*value = all[0];
	return st;
}

/* What only one value is known of. */
static enum rna_status
known(const json_t *o, struct rna_err *err)
{
	const char *kind = json_string_value(json_object_get(o, "model"));
	const char *join = json_string_value(json_object_get(o, "pair_join"));
	int zero = 0, pool = 1, n = 0;
	enum rna_status st;

	if (kind && strcmp(kind, "MixC") != 0)
		return rna_fail(err, RNA_EFORMAT, "model is %.32s, only MixC is known", kind);
	if (join && strcmp(join, "cat") != 0)
		return rna_fail(err, RNA_EFORMAT, "pair_join is %.32s, only cat is known", join);
	if ((st = whole(o, "dilation", 0, 0, &zero, err)) ||
	    (st = whole(o, "num_transformer_layers", 0, 0, &zero, err)) || (st = same(o, "pool_size", &n, &pool, err)))
		return st;
	return pool == 1 ? RNA_OK : rna_fail(err, RNA_EFORMAT, "pool_size is %d, only 1 is known", pool);
}

static enum rna_status
check(const struct rna_foldnet_config *c, int filters, int pair_filters, int pair_layers, struct rna_err *err)
{
	if (filters != c->convs || pair_layers != c->pair_convs)
		return rna_fail(err, RNA_EFORMAT, "filters and kernels of the convolutions differ in number");
	if (c->filters != 2 * c->lstm_units || pair_filters != 2 * c->lstm_units)
		return rna_fail(err, RNA_EFORMAT, "%d and %d filters, where twice the LSTM's %d units are expected",
		    c->filters, pair_filters, c->lstm_units);
	if (2 * c->lstm_units % c->heads)
		return rna_fail(err, RNA_EFORMAT, "num_att %d does not divide %d", c->heads, 2 * c->lstm_units);
	return RNA_OK;
}

enum rna_status
rna_foldnet_read_config(struct rna_foldnet_config *c, const json_t *config, struct rna_err *err)
{
	const char *kind = json_string_value(json_object_get(config, "model_type"));
	const json_t *o = json_object_get(json_object_get(config, "rill"), "fold");
	int layers, pair_layers, pair_filters, n = 1;
	double p;
	enum rna_status st;

	rna_foldnet_default(c, 0);
	c->published = !o && kind && strcmp(kind, "mxfold2") == 0;
	if (c->published)
		o = config;
	if (!json_is_object(o))
		return rna_fail(err, RNA_EFORMAT, "no folding network: neither rill.fold nor model_type mxfold2");
	layers = c->convs;
	pair_layers = c->pair_convs;
	pair_filters = c->filters;
	if ((st = known(o, err)) || (st = whole(o, "embed_size", 1, 1024, &c->embed, err)) ||
	    (st = same(o, "num_filters", &layers, &c->filters, err)) ||
	    (st = list(o, "filter_size", 1, &c->convs, c->width, err)) ||
	    (st = whole(o, "num_lstm_layers", 1, 8, &c->lstm_layers, err)) ||
	    (st = whole(o, "num_lstm_units", 1, 512, &c->lstm_units, err)) ||
	    (st = whole(o, "num_att", 1, 64, &c->heads, err)) ||
	    (st = same(o, "num_paired_filters", &pair_layers, &pair_filters, err)) ||
	    (st = list(o, "paired_filter_size", 1, &c->pair_convs, c->pair_width, err)) ||
	    (st = same(o, "num_hidden_units", &n, &c->hidden, err)) ||
	    (st = whole(o, "max_helix_length", RNA_MAX_HELIX, RNA_MAX_HELIX, &c->max_helix, err)) ||
	    (st = whole(o, "features", 0, 65536, &c->features, err)) ||
	    (st = whole(o, "features_size", 0, 1024, &c->inner, err)) ||
	    (st = whole(o, "types", 0, 255, &c->types, err)))
		return st;
	p = (double)c->dropout;
	st = number(o, "dropout_rate", 0, 0.99, &p, err);
	c->dropout = (float)p;
	if (!st)
		st = number(o, "fc_dropout_rate", 0, 0.99, &p, err);
	c->head_dropout = (float)p;
	c->exclude_diagonal = json_is_true(json_object_get(o, "exclude_diag"));
	c->lower_constant = json_is_true(json_object_get(o, "compat_lower_triangle_constant"));
	if (!st && (c->features > 0) != (c->inner > 0))
		st = rna_fail(err, RNA_EFORMAT, "features and features_size go together");
	return st ? st : check(c, layers, pair_filters, pair_layers, err);
}

static json_t *
repeated(int n, const int *list_of, int value)
{
	json_t *a = json_array();

	for (int i = 0; i < n; i++)
		json_array_append_new(a, json_integer(list_of ? list_of[i] : value));
	return a;
}

json_t *
rna_foldnet_config_json(const struct rna_foldnet_config *c)
{
	return json_pack("{s:s, s:i, s:i, s:i, s:i, s:o, s:o, s:i, s:i, s:i, s:o, s:o, s:[i], s:i, s:o, s:o, s:b, s:b}",
	    "model", "MixC", "embed_size", c->embed, "features", c->features, "features_size", c->inner, "types",
	    c->types, "num_filters", repeated(c->convs, NULL, c->filters), "filter_size",
	    repeated(c->convs, c->width, 0), "num_lstm_layers", c->lstm_layers, "num_lstm_units", c->lstm_units,
	    "num_att", c->heads, "num_paired_filters", repeated(c->pair_convs, NULL, 2 * c->lstm_units),
	    "paired_filter_size", repeated(c->pair_convs, c->pair_width, 0), "num_hidden_units", c->hidden,
	    "max_helix_length", c->max_helix, "dropout_rate", rna_configfile_real(c->dropout), "fc_dropout_rate",
	    rna_configfile_real(c->head_dropout), "exclude_diag", c->exclude_diagonal, "compat_lower_triangle_constant",
	    c->lower_constant);
}

/* config.json of dir; NULL and err: not to be read. */
static json_t *
load(const char *dir, struct rna_err *err)
{
	char *path = rna_replace_join(dir, "/config.json");
	json_t *o = NULL;

	if (path)
		o = rna_configfile_load(path, err);
	else
		(void)!rna_fail(err, RNA_EMEM, "no memory");
	free(path);
	return o;
}

int
rna_foldnet_is(const char *dir)
{
	struct rna_err err = {.record = RNA_NOREC};
	json_t *o = load(dir, &err);
	const char *kind = json_string_value(json_object_get(o, "model_type"));
	int is = (kind && strcmp(kind, "mxfold2") == 0) || json_object_get(json_object_get(o, "rill"), "fold");

	json_decref(o);
	return is;
}

enum rna_status
foldnet_load_config(struct rna_foldnet_config *c, const char *dir, json_t **json, struct rna_err *err)
{
	enum rna_status st;

	if (!(*json = load(dir, err)))
		return err->status;
	if ((st = rna_foldnet_read_config(c, *json, err)))
		rna_err_where(err, dir, RNA_NOREC);
	return st;
}
