/*
 * unit_model.c: model directories give the values that transformers gave (expected.jsonl), alone and packed the same
 * bits.
 */
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nn/batch.h"
#include "nn/replace.h"
#include "tap.h"

#define TOKENS 4096
#define SEQS   64

/* What a run reads. */
struct outputs {
	rna_t hidden, cls, mean, pooled, logits;
};

static struct rk *
open_device(const char *device, int threads)
{
	char why[160];
	struct rk *rk = rk_open(device, threads, why, sizeof(why));

	if (!rk)
		diag("%s: %s", device, why);
	return rk;
}

static struct rna_tape *
make_tape(struct rk *rk, struct rna_model *m, enum rk_precision precision, struct outputs *o)
{
	const struct rna_tape_options opts = {
	    .tokens = TOKENS, .seqs = SEQS, .max_len = m->config.max, .precision = precision};
	struct rna_tape *t = rna_tape_create(rk, &m->params, &opts);
	struct rna_err err;

	o->hidden = rna_encoder_forward(t, m, -1, NULL);
	o->cls = rna_tape_gather(t, o->hidden, RNA_AT_CLS);
	o->mean = rna_tape_segment_sum(t, o->hidden, -1, RNA_OVER_BASES);
	o->pooled = rna_encoder_pooled(t, m, rna_tape_gather(t, o->hidden, RNA_AT_CLS));
	o->logits = rna_encoder_logits(t, m, o->hidden);
	rna_tape_keep(t, o->hidden);
	rna_tape_keep(t, o->cls);
	rna_tape_keep(t, o->mean);
	rna_tape_keep(t, o->pooled);
	rna_tape_keep(t, o->logits);
	if (rna_tape_finish(t, &err) != RNA_OK) {
		diag("%s", err.text);
		rna_tape_destroy(t);
		return NULL;
	}
	return t;
}

/* Adds the tokens of a line of expected.jsonl to the batch. */
static int
add_ids(struct rna_batch *b, const struct rna_model *m, const json_t *line)
{
	const json_t *ids = json_object_get(line, "ids");
	struct rna_record rec;
	uint8_t tokens[TOKENS];
	struct rna_err err;
	size_t n = json_array_size(ids);
	int rc;

	for (size_t i = 0; i < n; i++)
		tokens[i] = (uint8_t)json_integer_value(json_array_get(ids, i));
	rna_record_init(&rec);
	rc = rna_record_set_vec(&rec, "tokens", RNA_U8, tokens, n) == RNA_OK &&
	     rna_batch_add(b, m, &rec, 0, &err) == RNA_OK;
	rna_record_fini(&rec);
	return rc;
}

/* Largest difference between a JSON array (of numbers or of arrays) and x; NaN when the sizes differ. */
static double
distance(const json_t *want, const float *x, size_t columns)
{
	const json_t *row = json_array_get(want, 0);
	double d = 0, e;

	if (json_is_array(row)) {
		for (size_t i = 0; i < json_array_size(want); i++) {
			e = distance(json_array_get(want, i), x + i * columns, columns);
			d = e > d || isnan(e) ? e : d;
		}
		return d;
	}
	if (json_array_size(want) != columns)
		return NAN;
	for (size_t i = 0; i < columns; i++) {
		e = fabs(json_number_value(json_array_get(want, i)) - (double)x[i]);
		d = e > d || isnan(e) ? e : d;
	}
	return d;
}

static float *
read_all(struct rna_tape *t, rna_t x, int rows)
{
	float *v = calloc((size_t)rows * (size_t)rna_tape_columns(t, x), sizeof(*v));
	struct rna_err err;

	if (rna_tape_read(t, x, (size_t)rows, v, &err) != RNA_OK)
		diag("%s", err.text);
	return v;
}

/* The largest differences of every line of expected.jsonl from one packed batch. */
static double
compare(struct rna_tape *t, const struct outputs *o, const struct rna_batch *b, json_t *lines)
{
	const struct {
		const char *key;
		rna_t x;
		int per_token;
	} all[] = {{"cls", o->cls, 0}, {"mean", o->mean, 0}, {"pooled", o->pooled, 0}, {"last_hidden", o->hidden, 1},
	    {"logits", o->logits, 1}};
	double worst = 0, d;
	json_t *line, *want;
	size_t i, columns;
	float *v;

	for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++) {
		columns = (size_t)rna_tape_columns(t, all[k].x);
		v = read_all(t, all[k].x, all[k].per_token ? b->ntokens : b->nseqs);
		json_array_foreach(lines, i, line)
		{
			want = json_object_get(line, all[k].key);
			if (!json_is_array(want))
				continue;
			d = distance(want, v + (all[k].per_token ? (size_t)b->offsets[i] : i) * columns, columns);
			worst = d > worst || isnan(d) ? d : worst;
		}
		free(v);
	}
	return worst;
}

static json_t *
read_lines(const char *dir)
{
	char path[4096], *line = NULL;
	json_t *lines = json_array();
	size_t cap = 0;
	FILE *fp;

	snprintf(path, sizeof(path), "%s/expected.jsonl", dir);
	if ((fp = fopen(path, "r"))) {
		while (getline(&line, &cap, fp) > 0)
			json_array_append_new(lines, json_loads(line, 0, NULL));
		fclose(fp);
	}
	free(line);
	return lines;
}

/* Every record alone has the bits it has among the others. */
static int
alone_equal(struct rna_tape *t, const struct outputs *o, struct rna_batch *b, const struct rna_model *m, json_t *lines,
    struct rk *rk)
{
	size_t columns = (size_t)rna_tape_columns(t, o->hidden), i;
	float *packed = read_all(t, o->hidden, b->ntokens), *v;
	int *offsets = calloc(SEQS + 1, sizeof(int)), same = 1;
	struct rna_err err;
	json_t *line;

	memcpy(offsets, b->offsets, ((size_t)b->nseqs + 1) * sizeof(int));
	json_array_foreach(lines, i, line)
	{
		rna_batch_reuse(b);
		same &= add_ids(b, m, line) && rna_batch_upload(b, rk, rna_tape_inputs(t), &err) == RNA_OK &&
		        rna_tape_forward(t, &err) == RNA_OK;
		v = read_all(t, o->hidden, b->ntokens);
		same &=
		    memcmp(v, packed + (size_t)offsets[i] * columns, (size_t)b->ntokens * columns * sizeof(*v)) == 0;
		free(v);
	}
	free(offsets);
	free(packed);
	return same;
}

static void
test_golden(const char *dir, const char *label, const char *device)
{
	struct rk *rk = open_device(device, 2);
	struct rna_tape *t = NULL;
	json_t *lines = read_lines(dir), *line;
	struct rna_batch b = {0};
	struct rna_model m = {0};
	struct rna_err err = {0};
	struct outputs o;
	double worst;
	size_t i;
	int good;

	good = rk && rna_model_open(&m, dir, rk, NULL, &err) == RNA_OK && json_array_size(lines) > 0;
	ok(good, "%s on %s: opens", label, device);
	if (!good || !(t = make_tape(rk, &m, RK_FP32, &o)) || rna_batch_init(&b, TOKENS, SEQS, 0, 0) != RNA_OK) {
		diag("%s: %s", err.file, err.text);
		goto out;
	}
	json_array_foreach(lines, i, line) good &= add_ids(&b, &m, line);
	good &= rna_batch_upload(&b, rk, rna_tape_inputs(t), &err) == RNA_OK && rna_tape_forward(t, &err) == RNA_OK;
	worst = good ? compare(t, &o, &b, lines) : NAN;
	ok(good && worst <= 2e-5, "%s on %s: every expected value (largest difference %.2g)", label, rk_name(rk),
	    worst);
	ok(alone_equal(t, &o, &b, &m, lines, rk), "%s on %s: alone and packed are the same bits", label, rk_name(rk));
out:
	rna_tape_destroy(t);
	rna_batch_fini(&b);
	rna_model_fini(&m);
	rk_close(rk);
	json_decref(lines);
}

/* The smallest cosine between an expected vector (a row of a matrix) and what is computed. */
static double
cosine(const json_t *want, const float *x, size_t columns)
{
	double c = 1, aa = 0, bb = 0, ab = 0, a, b;

	if (json_is_array(json_array_get(want, 0))) {
		for (size_t i = 0; i < json_array_size(want); i++)
			c = fmin(c, cosine(json_array_get(want, i), x + i * columns, columns));
		return c;
	}
	for (size_t i = 0; i < columns; i++) {
		a = json_number_value(json_array_get(want, i));
		b = (double)x[i];
		aa += a * a;
		bb += b * b;
		ab += a * b;
	}
	return ab / sqrt(aa * bb);
}

static double
smallest_cosine(struct rna_tape *t, const struct outputs *o, const struct rna_batch *b, json_t *lines)
{
	const char *const keys[] = {"cls", "mean", "pooled", "last_hidden", "logits"};
	const rna_t x[] = {o->cls, o->mean, o->pooled, o->hidden, o->logits};
	double c = 1;
	json_t *line, *want;
	size_t i, columns;
	float *v;

	for (int k = 0; k < 5; k++) {
		columns = (size_t)rna_tape_columns(t, x[k]);
		v = read_all(t, x[k], k > 2 ? b->ntokens : b->nseqs);
		json_array_foreach(lines, i, line)
		{
			want = json_object_get(line, keys[k]);
			if (json_is_array(want))
				c = fmin(c, cosine(want, v + (k > 2 ? (size_t)b->offsets[i] : i) * columns, columns));
		}
		free(v);
	}
	return c;
}

/* bf16 and int8 stay near the expected values; and alone and packed are the same bits there too. */
static void
test_precision(const char *dir, const char *label, enum rk_precision precision, const char *name, double least)
{
	struct rk *rk = open_device("cpu", 1);
	struct rna_tape *t = NULL;
	json_t *lines = read_lines(dir), *line;
	struct rna_batch b = {0};
	struct rna_model m = {0};
	struct rna_err err = {0};
	struct outputs o;
	char why[160] = "";
	double c;
	size_t i;
	int good = 1;

	if (!rk || !rk_has(rk, precision, why, sizeof(why))) {
		skip(name, why);
		goto out;
	}
	if (rna_model_open(&m, dir, rk, NULL, &err) != RNA_OK || !(t = make_tape(rk, &m, precision, &o)) ||
	    rna_batch_init(&b, TOKENS, SEQS, 0, 0) != RNA_OK) {
		ok(0, "%s in %s: %s", label, name, err.text);
		goto out;
	}
	json_array_foreach(lines, i, line) good &= add_ids(&b, &m, line);
	good &= rna_batch_upload(&b, rk, rna_tape_inputs(t), &err) == RNA_OK && rna_tape_forward(t, &err) == RNA_OK;
	c = good ? smallest_cosine(t, &o, &b, lines) : NAN;
	ok(good && c >= least, "%s in %s: smallest cosine %.6f", label, name, c);
	ok(alone_equal(t, &o, &b, &m, lines, rk), "%s in %s: alone and packed are the same bits", label, name);
out:
	rna_tape_destroy(t);
	rna_batch_fini(&b);
	rna_model_fini(&m);
	rk_close(rk);
	json_decref(lines);
}

/* The two models of the data folder; DATA or ../shared/data. */
static void
test_data(void)
{
	static const char *const names[] = {"golden-paddle-vocab", "golden-multimolecule"};
	const char *data = getenv("DATA") ? getenv("DATA") : "../shared/data";
	char dir[4096];

	for (int i = 0; i < 2; i++) {
		snprintf(dir, sizeof(dir), "%s/models/%s", data, names[i]);
		if (access(dir, R_OK) < 0) {
			skip(names[i], "DATA has no such model");
			continue;
		}
		test_golden(dir, names[i], "ref");
		test_golden(dir, names[i], "cpu");
		test_precision(dir, names[i], RK_BF16, "bf16", 0.9995);
		test_precision(dir, names[i], RK_INT8, "int8", 0.995);
	}
}

int
main(void)
{
	test_golden("formats/golden/model-tiny", "model-tiny", "ref");
	test_golden("formats/golden/model-tiny", "model-tiny", "cpu");
	test_data();
	return done();
}
