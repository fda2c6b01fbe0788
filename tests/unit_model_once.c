/*
 * unit_model_once.c: a model opened to be run: its matrices are not held beside what is packed of them, its vectors are
 * those of a model that is held, it is neither saved nor trained, and a bad matrix is found when it is packed.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nn/embed.h"
#include "tap.h"

enum { RNAS = 5, LEN = 20 };

static char scratch[] = "/tmp/unit_model_once.XXXXXX", dir[sizeof(scratch) + 8];
static const struct rna_model_options once = {.once = 1};

/* A model of random weights in dir; bad: one element of a matrix is not a number. */
static int
make(struct rk *rk, int bad, struct rna_err *err)
{
	const float nan = NAN;
	struct rna_config c;
	struct rna_vocab v;
	struct rna_model m;
	int good = rna_vocab_init(&v) == RNA_OK && rna_config_preset(&c, "tiny", err) == RNA_OK &&
	           rna_model_create(&m, &c, &v, rk, 5, err) == RNA_OK;
	float *w;

	if (!good)
		return 0;
	w = rna_params_value(&m.params, rna_params_find(&m.params, "layer.1.ffn2.weight"));
	if (bad)
		good = rk_upload_f32(rk, w + 9, &nan, 1) == RK_OK;
	good &= rna_model_save(&m, dir, err) == RNA_OK;
	rna_model_fini(&m);
	rna_config_fini(&c);
	rna_vocab_fini(&v);
	return good;
}

/* Vectors of [CLS] of RNAS records, twice: the second time after the weights were packed anew. */
static float *
vectors(struct rna_model *m, enum rk_precision precision, struct rna_err *err)
{
	const struct rna_embed_options o = {RNA_EMBED_CLS, -1, precision};
	const size_t n = (size_t)m->config.hidden;
	struct rna_embed *e = rna_embed_open(m, &o, err);
	float *all = calloc(2 * RNAS * n, sizeof(*all));
	struct rna_record rec;
	uint8_t tokens[LEN];
	uint64_t len = 0;
	int good = e != NULL;

	rna_record_init(&rec);
	for (int i = 0; good && i < 2 * RNAS; i++) {
		const float *cls;

		for (int j = 0; j < LEN; j++)
			tokens[j] = m->vocab.base[(i % RNAS + j * j) % 4];
		rna_record_reuse(&rec);
		good = (i != RNAS || rna_embed_repack(e, err) == RNA_OK) &&
		       rna_record_set_vec(&rec, "tokens", RNA_U8, tokens, LEN) == RNA_OK &&
		       rna_embed_run(e, &rec, 1, err) == RNA_OK &&
		       (cls = rna_record_get_vec(&rec, "cls", RNA_F32, &len)) != NULL && len == n;
		if (good)
			memcpy(all + (size_t)i * n, cls, n * sizeof(*all));
	}
	good &= memcmp(all, all + RNAS * n, RNAS * n * sizeof(*all)) == 0;
	rna_record_fini(&rec);
	rna_embed_close(e);
	if (good)
		return all;
	free(all);
	return NULL;
}

static void
test_vectors(struct rk *rk)
{
	static const char *const names[] = {"fp32", "bf16", "int8"};
	struct rna_err err = {0};
	struct rna_model held, run;

	if (rna_model_open(&held, dir, rk, NULL, &err) != RNA_OK ||
	    rna_model_open(&run, dir, rk, &once, &err) != RNA_OK) {
		ok(0, "the model opens: %s", err.text);
		return;
	}
	for (int p = RK_FP32; p <= RK_INT8; p++) {
		float *want = vectors(&held, (enum rk_precision)p, &err);
		float *got = vectors(&run, (enum rk_precision)p, &err);

		ok(want != NULL && got != NULL &&
			memcmp(want, got, 2 * RNAS * (size_t)held.config.hidden * sizeof(*want)) == 0,
		    "%s: the vectors of a model that is held", names[p]);
		free(want);
		free(got);
	}
	rna_model_fini(&held);
	rna_model_fini(&run);
}

static void
test_memory(struct rk *rk)
{
	const struct rna_embed_options o = {RNA_EMBED_CLS, -1, RK_FP32};
	struct rna_err err = {0};
	struct rna_model m;
	struct rna_embed *e;
	const float *w;
	int i;

	if (rna_model_open(&m, dir, rk, &once, &err) != RNA_OK || (e = rna_embed_open(&m, &o, &err)) == NULL) {
		ok(0, "the model opens: %s", err.text);
		return;
	}
	i = rna_params_find(&m.params, "layer.0.ffn1.weight");
	w = rna_params_value(&m.params, i);
	ok(w[m.params.list[i].n / 2] == 0, "a matrix that is packed is not held");
	ok(rna_model_save(&m, dir, &err) == RNA_EINVAL, "and the model not saved: %s", err.text);
	ok(rna_params_train(&m.params, &err) == RNA_EINVAL, "nor trained: %s", err.text);
	rna_embed_close(e);
	rna_model_fini(&m);
}

static void
test_bad(struct rk *rk)
{
	const struct rna_embed_options o = {RNA_EMBED_CLS, -1, RK_FP32};
	struct rna_err err = {0};
	struct rna_model m;

	if (!make(rk, 1, &err) || rna_model_open(&m, dir, rk, &once, &err) != RNA_OK) {
		ok(0, "the model opens: %s", err.text);
		return;
	}
	ok(rna_embed_open(&m, &o, &err) == NULL && strstr(err.text, "element 9 is not a number") != NULL,
	    "a matrix with a bad element is refused before anything is run: %s", err.text);
	rna_model_fini(&m);
}

int
main(void)
{
	char why[160] = "", cmd[600];
	struct rk *rk = rk_open("cpu", 2, why, sizeof(why));
	struct rna_err err = {0};

	if (!rk || !mkdtemp(scratch)) {
		ok(0, "a backend and a scratch folder: %s", why);
		return done();
	}
	snprintf(dir, sizeof(dir), "%s/model", scratch);
	ok(make(rk, 0, &err), "a model is written: %s", err.text);
	test_vectors(rk);
	test_memory(rk);
	test_bad(rk);
	rk_close(rk);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", scratch);
	ok(system(cmd) == 0, "the scratch folder goes away");
	return done();
}
