/*
 * unit_interact.c: the interaction head: its input, its gradient against central differences in double with and without
 * a language model and over both axes, and that a pair's answer does not depend on its company.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model_bench.h"
#include "nn/interact.h"

enum { PAIRS = 3, CLASSES = 2, CAPACITY = PAIRS * RNA_INTERACT_ROW };

static int
make_model(struct bench *x, const char *device, int axis, int lm, float dropout)
{
	struct rna_err err = {0};
	char why[160] = "";
	struct rna_config c;
	struct rna_vocab v;
	int rc;

	memset(x, 0, sizeof(*x));
	if ((x->rk = rk_open(device, 1, why, sizeof(why))) == NULL || rna_vocab_init(&v) != RNA_OK ||
	    rna_config_preset(&c, "tiny", &err) != RNA_OK)
		return 0;
	c.hidden = 8;
	c.heads = c.layers = 2;
	c.ffn = 16;
	c.positions = c.max = RNA_INTERACT_ROW;
	c.eps = 1e-5f;
	c.hidden_dropout = c.attention_dropout = c.class_dropout = dropout;
	c.init_range = 0.3f;
	c.mlm = c.pooler = 0;
	c.labels = json_pack("[s s]", "no", "yes");
	c.class_from = RNA_CLASS_INTERACTION;
	c.class_mlp = c.pairs = 1;
	c.class_axis = axis;
	c.class_lm = lm;
	rc = rna_model_create(&x->m, &c, &v, x->rk, 3, &err) == RNA_OK;
	if (!rc)
		diag("%s", err.text);
	rna_config_fini(&c);
	rna_vocab_fini(&v);
	return rc;
}

/* Pair number i: a of na letters, b of nb, as rna-tokenize frames it. */
static void
make_pair(struct rna_record *rec, const struct rna_vocab *v, int i, int na, int nb)
{
	const int n = na + nb + 3;
	uint8_t *tokens = calloc((size_t)n, 1), *segment = calloc((size_t)n, 1);
	struct rna_rng rng;

	rna_rng_init(&rng, rna_rng_key(5, 0, (uint64_t)i, 0, RNA_RNG_SAMPLE));
	for (int k = 0; k < n; k++) {
		tokens[k] = v->base[rna_rng_below(&rng, 4)];
		segment[k] = k > na + 1;
	}
	tokens[0] = (uint8_t)v->cls;
	tokens[na + 1] = (uint8_t)v->mid;
	tokens[n - 1] = (uint8_t)v->sep;
	rna_record_reuse(rec);
	if (rna_record_set_vec(rec, "tokens", RNA_U8, tokens, (uint64_t)n) != RNA_OK ||
	    rna_record_set_vec(rec, "segment", RNA_U8, segment, (uint64_t)n) != RNA_OK)
		abort();
	free(tokens);
	free(segment);
}

static int
record_tape(struct bench *x, int train)
{
	struct rna_tape_options o = {.tokens = CAPACITY,
	    .seqs = PAIRS,
	    .rows = 1,
	    .slots = PAIRS,
	    .max_len = RNA_INTERACT_ROW,
	    .train = train};
	const struct rna_config *c = &x->m.config;
	struct rna_err err = {0};
	rna_t h = -1;

	rna_interact_capacity(c, &o);
	x->t = rna_tape_create(x->rk, &x->m.params, &o);
	if (c->class_lm)
		h = rna_encoder_forward(x->t, &x->m, -1, NULL);
	h = rna_interact_read(x->t, &x->m.params, c, h);
	h = rna_interact_logits(x->t, &x->m.params, c, h, RNA_AT_CLS);
	/* slots and sequences are the same here, and the loss is over slots */
	x->logits = rna_tape_segment_sum(x->t, h, -1, RNA_OVER_PARTS);
	rna_tape_keep(x->t, x->logits);
	rna_tape_cross_entropy(x->t, x->logits, RNA_AT_SLOT);
	if (rna_tape_finish(x->t, &err) == RNA_OK &&
	    rna_batch_init(&x->b, CAPACITY, PAIRS, 1, PAIRS) == RNA_OK)
		return 1;
	diag("%s", err.text);
	return 0;
}

/* n pairs from number `from` on. */
static int
fill(struct bench *x, int from, int n, int train)
{
	static const int na[] = {9, 4, 14}, nb[] = {12, 3, 6};
	struct rna_record rec, row;
	struct rna_err err = {0};
	int good = 1;

	rna_record_init(&rec);
	rna_record_init(&row);
	rna_batch_reuse(&x->b);
	for (int i = from; i < from + n && good; i++) {
		const int at = x->b.nseqs;

		make_pair(&rec, &x->m.vocab, i, na[i], nb[i]);
		good = rna_interact_frame(&x->m.config, &x->m.vocab, &rec, &row, &err) == RNA_OK &&
		       rna_batch_add(&x->b, &x->m, &row, rna_rng_key(1, 0, (uint64_t)i, 0, RNA_RNG_DROPOUT), &err) ==
			   RNA_OK;
		x->b.part_first[at] = at;
		x->b.part_count[at] = 1;
		x->b.slot[at] = x->b.cls[at];
		x->b.slot_target[at] = i % CLASSES;
		x->b.slot_weight[at] = 0.1f * (float)(i + 1);
		x->b.nslots = x->b.nseqs;
	}
	good = good && rna_batch_upload(&x->b, x->rk, rna_tape_inputs(x->t), &err) == RNA_OK &&
	       rna_interact_upload(&x->m.config, &x->b, x->rk, x->t, train, &err) == RNA_OK;
	if (!good)
		diag("%s", err.text);
	rna_record_fini(&rec);
	rna_record_fini(&row);
	return good;
}

static double
loss_at(struct bench *x, const double *at)
{
	double z[PAIRS * CLASSES], loss = 0;
	struct rna_err err = {0};

	if (rk_upload(x->rk, x->m.params.value, at, x->m.params.total * sizeof(*at)) != RK_OK ||
	    rna_tape_repack(x->t, &err) != RNA_OK || rna_tape_forward(x->t, &err) != RNA_OK ||
	    rk_download(x->rk, z, rna_tape_data(x->t, x->logits), sizeof(z)) != RK_OK)
		return NAN;
	for (int r = 0; r < PAIRS; r++)
		loss += (double)x->b.slot_weight[r] *
		        (log(exp(z[2 * r]) + exp(z[2 * r + 1])) - z[r * CLASSES + r % CLASSES]);
	return loss;
}

static double
direction_error(struct bench *x, const double *at, const double *grad, size_t first, size_t n)
{
	const double h = 1e-6 / sqrt((double)n); /* small enough to cross no kink of ReLU and maximum */
	double *p = calloc(x->m.params.total, sizeof(*p)), along = 0, value[2], d;
	struct rna_rng rng;

	for (int side = 0; side < 2; side++) {
		memcpy(p, at, x->m.params.total * sizeof(*p));
		rna_rng_init(&rng, 17 + first);
		along = 0;
		for (size_t i = first; i < first + n; i++) {
			d = rna_rng_normal(&rng);
			p[i] += (side ? -h : h) * d;
			along += grad[i] * d;
		}
		value[side] = loss_at(x, p);
	}
	free(p);
	d = (value[0] - value[1]) / (2 * h);
	return fabs(d - along) / fmax(fmax(fabs(d), fabs(along)), 1e-3);
}

static void
test_gradient(const char *label, int axis, int lm, float dropout, int each, int want)
{
	double *at, *grad, e, worst = 0;
	struct rna_err err = {0};
	const struct rna_param *p;
	struct bench x;
	size_t bytes;
	int used = 0;

	ok(make_model(&x, "ref64", axis, lm, dropout) && record_tape(&x, 1) && fill(&x, 0, PAIRS, 1), "%s: recorded",
	    label);
	bytes = x.m.params.total * sizeof(double);
	at = malloc(bytes);
	grad = malloc(bytes);
	ok(rk_download(x.rk, at, x.m.params.value, bytes) == RK_OK && isfinite(loss_at(&x, at)) &&
		rna_tape_backward(x.t, &err) == RNA_OK && rk_download(x.rk, grad, x.m.params.grad, bytes) == RK_OK,
	    "%s: forward and backward %s", label, err.text);
	/* each tensor by itself, or all along one direction */
	for (int i = 0; i < x.m.params.n; i++) {
		p = &x.m.params.list[i];
		for (size_t k = p->offset; k < p->offset + p->n; k++)
			if (grad[k] != 0) {
				used++;
				break;
			}
		if (!each && i > 0)
			continue;
		e = each ? direction_error(&x, at, grad, p->offset, p->n)
			 : direction_error(&x, at, grad, 0, x.m.params.total);
		if (!(e <= 1e-5))
			diag("%s: %.3g", p->name, e);
		worst = e > worst || isnan(e) ? e : worst;
	}
	ok(worst <= 1e-5 && used == want, "%s: %d of %d tensors (largest relative error %.2g)", label,
	    used, x.m.params.n, worst);
	free(at);
	free(grad);
	fini(&x);
}

/* A pair alone and in a batch: the same bits. */
static void
test_company(const char *device, int axis)
{
	float all[PAIRS * CLASSES], alone[CLASSES];
	struct rna_err err = {0};
	struct bench x;
	int same = 1;

	ok(make_model(&x, device, axis, 1, 0) && record_tape(&x, 0) && fill(&x, 0, PAIRS, 0) &&
		rna_tape_forward(x.t, &err) == RNA_OK && rna_tape_read(x.t, x.logits, PAIRS, all, &err) == RNA_OK,
	    "axis %d: logits of %d pairs %s", axis, PAIRS, err.text);
	for (int i = 0; i < PAIRS; i++)
		same &= fill(&x, i, 1, 0) && rna_tape_forward(x.t, &err) == RNA_OK &&
		        rna_tape_read(x.t, x.logits, 1, alone, &err) == RNA_OK &&
		        memcmp(alone, all + (size_t)i * CLASSES, sizeof(alone)) == 0 && isfinite(alone[0]);
	ok(same && all[0] != all[2], "axis %d: a pair alone has the same bits, a short one too", axis);
	fini(&x);
}

static void
test_input(void)
{
	struct rna_config c = {.class_axis = RNA_AXIS_POSITIONS};
	struct rna_record rec, row;
	struct rna_err err = {0};
	const uint8_t *in, *out;
	struct rna_vocab v;
	uint64_t n;

	rna_record_init(&rec);
	rna_record_init(&row);
	if (rna_vocab_init(&v) != RNA_OK)
		abort();
	make_pair(&rec, &v, 0, 3, 2);
	ok(rna_interact_frame(&c, &v, &rec, &row, &err) == RNA_OK, "a short pair is framed");
	out = rna_record_get_vec(&row, "tokens", RNA_U8, &n);
	in = rna_record_get_vec(&rec, "tokens", RNA_U8, &n);
	ok(rna_interact_tokens(&c, 8) == 13 && memcmp(in, out, 8) == 0 && out[8] == v.pad && out[12] == v.pad,
	    "[PAD] follows up to 13 tokens");
	out = rna_record_get_vec(&row, "segment", RNA_U8, &n);
	ok(n == 13 && out[4] == 0 && out[5] == 1 && out[12] == 1, "as part of the second sequence");
	c.class_axis = RNA_AXIS_CHANNELS;
	make_pair(&rec, &v, 1, 30, 50);
	in = rna_record_get_vec(&rec, "tokens", RNA_U8, &n);
	ok(rna_interact_frame(&c, &v, &rec, &row, &err) == RNA_OK, "a long pair is framed");
	out = rna_record_get_vec(&row, "tokens", RNA_U8, &n);
	ok(n == 66 && memcmp(out, in + 1, 26) == 0 && memcmp(out + 26, in + 32, 40) == 0,
	    "as a row of 26 and 40 letters");
	rna_record_remove(&rec, "segment");
	ok(rna_interact_frame(&c, &v, &rec, &row, &err) == RNA_EFORMAT, "a single RNA is refused");
	rna_vocab_fini(&v);
	rna_record_fini(&rec);
	rna_record_fini(&row);
}

int
main(void)
{
	test_input();
	test_gradient("over positions", RNA_AXIS_POSITIONS, 1, 0.1f, 1, 48);
	/* only the head: table, convolution, LSTM and two linear maps */
	test_gradient("over positions, no language model", RNA_AXIS_POSITIONS, 0, 0, 0, 15);
	/* all but the reverse direction's weight_hh: at the last channel it has made one step */
	test_gradient("over channels", RNA_AXIS_CHANNELS, 1, 0.1f, 0, 47);
	test_company("ref", RNA_AXIS_POSITIONS);
	test_company("cpu", RNA_AXIS_POSITIONS);
	test_company("cpu", RNA_AXIS_CHANNELS);
	return done();
}
