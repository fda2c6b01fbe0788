/*
 * unit_classify.c: the class head: its gradient against central differences in double, dropout of its rows on every CPU
 * level, and the macro-F1, order and weights of a training on a handful of RNAs.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model_gradient.h"
#include "nn/classhead.h"
#include "nn/classify.h"

enum { SEQS = 4, SLOTS = 2, LEN = 14, CLASSES = 3 };

struct head {
	int from, mlp, chunks;
	float dropout, smoothing;
};

/* A model with a class head; 0: no memory, or a device that is not there. */
static int
make_model(struct bench *x, const char *device, const struct head *h)
{
	struct rna_err err = {0};
	struct rna_config c;

	if (!bench_class(x, device, &c, json_pack("[s s s]", "a", "b", "c")))
		return 0;
	c.hidden_dropout = c.attention_dropout = h->dropout;
	c.class_from = h->from;
	c.class_mlp = h->mlp;
	c.class_chunks = h->chunks;
	c.pooler = h->from == RNA_CLASS_POOLED;
	return bench_model(x, &c, &err);
}

/* An RNA of one part, and one of three. */
static int
record_tape(struct bench *x, float smoothing)
{
	static const float share[SEQS] = {1, 0.5f, 0.2f, 0.3f};
	const struct rna_tape_options o = {.tokens = SEQS * LEN,
	    .seqs = SEQS,
	    .rows = SEQS * LEN,
	    .slots = SLOTS,
	    .max_len = MAX_LEN,
	    .train = 1,
	    .smoothing = smoothing};
	struct rna_err err = {0};
	rna_t h, weight;

	x->t = rna_tape_create(x->rk, &x->m.params, &o);
	h = rna_classhead_read(x->t, &x->m.params, &x->m.config, rna_encoder_forward(x->t, &x->m, -1, NULL));
	weight = rna_tape_input(x->t, RNA_AT_CLS, 1);
	x->logits = rna_classhead_logits(x->t, &x->m.params, &x->m.config, h, weight);
	rna_tape_keep(x->t, x->logits);
	rna_tape_cross_entropy(x->t, x->logits, RNA_AT_SLOT);
	if (rna_tape_finish(x->t, &err) != RNA_OK ||
	    rna_batch_init(&x->b, SEQS * LEN, SEQS, SEQS * LEN, SLOTS) != RNA_OK)
		return 0;
	for (int i = 0; i < SEQS; i++) {
		if (!add_rna(x, i, LEN - i, 5, &err))
			return 0;
	}
	for (int i = 0; i < SLOTS; i++) {
		x->b.part_first[i] = i;
		x->b.part_count[i] = i ? SEQS - 1 : 1;
		x->b.slot[i] = x->b.cls[i];
		x->b.slot_target[i] = i % CLASSES;
		x->b.slot_weight[i] = 0.4f * (float)(i + 1);
	}
	x->b.nslots = SLOTS;
	return rna_tape_write(x->t, weight, SEQS, share, &err) == RNA_OK &&
	       rna_batch_upload(&x->b, x->rk, rna_tape_inputs(x->t), &err) == RNA_OK;
}

/* The weighted, smoothed loss of the logits, in double, from its definition. */
static double
loss_at(struct bench *x, const double *at, const void *arg)
{
	const double smoothing = (double)((const struct head *)arg)->smoothing;
	double z[SLOTS * CLASSES], loss = 0, sum, logp, q;
	struct rna_err err;

	if (rk_upload(x->rk, x->m.params.value, at, x->m.params.total * sizeof(*at)) != RK_OK ||
	    rna_tape_repack(x->t, &err) != RNA_OK || rna_tape_forward(x->t, &err) != RNA_OK ||
	    rk_download(x->rk, z, rna_tape_data(x->t, x->logits), sizeof(z)) != RK_OK)
		return NAN;
	for (int r = 0; r < SLOTS; r++) {
		sum = 0;
		for (int k = 0; k < CLASSES; k++)
			sum += exp(z[r * CLASSES + k]);
		for (int k = 0; k < CLASSES; k++) {
			logp = z[r * CLASSES + k] - log(sum);
			q = (k == r % CLASSES ? 1 - smoothing : 0) + smoothing / CLASSES;
			loss -= (double)x->b.slot_weight[r] * q * logp;
		}
	}
	return loss;
}

static void
test_gradient(const char *label, struct head h)
{
	struct gradient g;
	struct bench x;
	double worst;

	ok(make_model(&x, "ref64", &h) && record_tape(&x, h.smoothing), "%s: recorded", label);
	ok(gradient_init(&g, &x, loss_at, &h), "%s: forward and backward", label);
	worst = gradient_worst(&g, 1e-6);
	ok(worst <= 1e-6, "%s: each of %d tensors (largest relative error %.2g)", label, x.m.params.n, worst);
	gradient_fini(&g);
	fini(&x);
}

/* Dropout of gathered rows: the same on every level, and as the reference. */
static void
test_dropout(const char *device, const char *level)
{
	enum { ROWS = 5, N = 37 };
	int32_t index[ROWS] = {7, 0, 3, 4, 9}, live[RK_NLIVE] = {10, 0, 0, ROWS - 1};
	uint64_t key[10];
	float x[ROWS * N], want[ROWS * N] = {0};
	struct rk_call call = {.op = RK_DROPOUT};
	struct rk_list *l;
	char why[160] = "";
	struct rk *rk;
	float *in, *out;
	int kept = 0;

	if (level != NULL)
		setenv("RILL_CPU", level, 1);
	if ((rk = rk_open(device, 1, why, sizeof(why))) == NULL) {
		skip(level, why);
		return;
	}
	for (int i = 0; i < 10; i++)
		key[i] = rna_rng_key(1, 0, (uint64_t)i, 0, RNA_RNG_DROPOUT);
	for (int i = 0; i < ROWS * N; i++)
		x[i] = (float)(i + 1);
	for (int r = 0; r < ROWS - 1; r++)
		for (int i = 0; i < N; i++)
			if ((double)rk_drop_bits(key[index[r]], 6, (uint32_t)i) >= 0.25f * 4294967296.0) {
				want[r * N + i] = x[r * N + i] / 0.75f;
				kept++;
			}
	in = rk_alloc(rk, sizeof(x));
	out = rk_alloc(rk, sizeof(x));
	memcpy(in, x, sizeof(x));
	call.u.drop_rows = (struct rk_drop_rows){RK_LIVE_SLOTS, ROWS, N, index, {0.25f, 6, key}, in, out};
	l = rk_list_create(rk, &call, 1, live);
	ok(l != NULL && rk_list_run(l) == RK_OK, "%s: dropout of rows runs", level ? level : device);
	for (int i = 0; i < ROWS * N; i++)
		if (!(fabsf(out[i] - want[i]) <= 1e-6f * want[i]))
			kept = -1;
	ok(kept > 90 && kept < 130, "%s: elements are dropped by the token's key, %d of 148 are kept",
	    level ? level : device, kept);
	rk_list_destroy(l);
	rk_free(rk, in, sizeof(x));
	rk_free(rk, out, sizeof(x));
	rk_close(rk);
	unsetenv("RILL_CPU");
}

/* RNAs of one letter each, so that a class can be told from it. */
static int
fill(struct rna_classdata *d, const struct rna_vocab *v, int n, struct rna_err *err)
{
	static const char *const names[] = {"c", "a", "b"};
	uint8_t tokens[10];
	struct rna_record rec;
	int good = rna_classdata_init(d, err) == RNA_OK;

	rna_record_init(&rec);
	for (int i = 0; i < n && good; i++) {
		memset(tokens, v->base[i % 3], sizeof(tokens));
		tokens[0] = (uint8_t)v->cls;
		tokens[9] = (uint8_t)v->sep;
		rna_record_reuse(&rec);
		good = rna_record_set_vec(&rec, "tokens", RNA_U8, tokens, 10) == RNA_OK &&
		       rna_record_set_u64(&rec, "rid", (uint64_t)i + 100) == RNA_OK &&
		       rna_record_set_str(&rec, "label", names[i % 3], 1) == RNA_OK &&
		       rna_classdata_add(d, &rec, 512, i >= 12, err) == RNA_OK;
	}
	rna_record_fini(&rec);
	return good && rna_classdata_seal(d, err) == RNA_OK;
}

static void
test_training(int frozen)
{
	struct rna_classify_options o = {.batch = 5,
	    .seed = 1,
	    .schedule = {RNA_SCHEDULE_CONSTANT, 0.02, 0.02, 0, 0},
	    .weight_decay = 0.01,
	    .weighted = 1,
	    .frozen = frozen};
	const struct head h = {RNA_CLASS_POOLED, 0, RNA_CHUNKS_MEAN, 0, 0};
	const char *how = frozen ? "frozen" : "whole";
	struct rna_classify_epoch did = {0};
	struct rna_classdata d;
	struct rna_classify *k;
	struct rna_err err = {0};
	float before[64], after[64];
	struct bench x;
	int word;

	ok(make_model(&x, "cpu", &h) && fill(&d, &x.m.vocab, 18, &err), "%s: 18 RNAs %s", how, err.text);
	ok(d.ntrain == 12 && d.nvalid == 6 && strcmp(rna_classdata_name(&d, 0), "a") == 0 && d.list[0].label == 2,
	    "%s: names are in order, labels with them", how);
	word = rna_params_find(&x.m.params, "embeddings.word");
	if (rk_download_f32(x.rk, before, rna_params_value(&x.m.params, word), 64) != RK_OK)
		abort();
	k = rna_classify_open(&x.m, &d, &o, &err);
	for (int i = 0; k != NULL && i < 40; i++)
		if (rna_classify_epoch(k, &did, &err) != RNA_OK)
			break;
	ok(k != NULL && did.epoch == 40 && did.step == 120, "%s: 40 epochs of 3 steps %s", how, err.text);
	ok(did.scored && did.valid_f1 == 1 && did.valid_acc == 1 && did.acc == 1, "%s: learnt (loss %.3g)", how,
	    did.loss);
	ok(k != NULL && rna_classify_finish(k, &err) == RNA_OK &&
		rk_download_f32(x.rk, after, rna_params_value(&x.m.params, word), 64) == RK_OK &&
		(memcmp(before, after, sizeof(before)) == 0) == frozen,
	    "%s: the backbone %s", how, frozen ? "is as it was" : "has learnt");
	rna_classify_close(k);
	rna_classdata_fini(&d);
	fini(&x);
}

int
main(void)
{
	test_gradient("pooled, linear", (struct head){RNA_CLASS_POOLED, 0, RNA_CHUNKS_MEAN, 0.1f, 0});
	test_gradient("pooled, mlp, smoothed", (struct head){RNA_CLASS_POOLED, 1, RNA_CHUNKS_MEAN, 0.1f, 0.2f});
	test_gradient("cls, attention over chunks", (struct head){RNA_CLASS_CLS, 0, RNA_CHUNKS_ATTENTION, 0.1f, 0.1f});
	test_gradient("mean of the bases, mlp over chunks", (struct head){RNA_CLASS_MEAN, 0, RNA_CHUNKS_MLP, 0, 0});
	test_gradient("attention over the bases", (struct head){RNA_CLASS_ATTENTION, 1, RNA_CHUNKS_MEAN, 0.1f, 0});
	test_dropout("ref", NULL);
	test_dropout("cpu", "plain");
	test_dropout("cpu", "avx2");
	test_dropout("cpu", "avx512");
	test_training(0);
	test_training(1);
	return done();
}
