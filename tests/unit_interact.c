/*
 * unit_interact.c: the interaction head: its input, its gradient against central differences in double with and without
 * a language model and over both axes, and that a pair's answer does not depend on its company.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model_gradient.h"
#include "nn/interact.h"

enum { PAIRS = 3, CLASSES = 2, CAPACITY = PAIRS * RNA_INTERACT_ROW };

static int
make_model(struct bench *x, const char *device, int axis, int lm, float dropout)
{
	struct rna_err err = {0};
	struct rna_config c;

	if (!bench_class(x, device, &c, json_pack("[s s]", "no", "yes")))
		return 0;
	c.positions = c.max = RNA_INTERACT_ROW;
	c.hidden_dropout = c.attention_dropout = c.class_dropout = dropout;
	c.pooler = 0;
	c.class_from = RNA_CLASS_INTERACTION;
	c.class_mlp = c.pairs = 1;
	c.class_axis = axis;
	c.class_lm = lm;
	if (bench_model(x, &c, &err))
		return 1;
	diag("%s", err.text);
	return 0;
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
	struct rna_tape_options o = {
	    .tokens = CAPACITY, .seqs = PAIRS, .rows = 1, .slots = PAIRS, .max_len = RNA_INTERACT_ROW, .train = train};
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
	if (rna_tape_finish(x->t, &err) == RNA_OK && rna_batch_init(&x->b, CAPACITY, PAIRS, 1, PAIRS) == RNA_OK)
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
loss_at(struct bench *x, const double *at, const void *arg)
{
	double z[PAIRS * CLASSES], loss = 0;
	struct rna_err err = {0};

	(void)arg;
	if (rk_upload(x->rk, x->m.params.value, at, x->m.params.total * sizeof(*at)) != RK_OK ||
	    rna_tape_repack(x->t, &err) != RNA_OK || rna_tape_forward(x->t, &err) != RNA_OK ||
	    rk_download(x->rk, z, rna_tape_data(x->t, x->logits), sizeof(z)) != RK_OK)
		return NAN;
	for (int r = 0; r < PAIRS; r++)
		loss += (double)x->b.slot_weight[r] *
		        (log(exp(z[2 * r]) + exp(z[2 * r + 1])) - z[r * CLASSES + r % CLASSES]);
	return loss;
}

/* Tensors that the gradient is not all zero of. */
static int
count_used(const struct gradient *g)
{
	int used = 0;

	for (int i = 0; i < g->x->m.params.n; i++) {
		const struct rna_param *p = &g->x->m.params.list[i];
		size_t k = p->offset;

		while (k < p->offset + p->n && g->grad[k] == 0)
			k++;
		used += k < p->offset + p->n;
	}
	return used;
}

/* each: tensor by tensor, or all along one direction; want: tensors that learn. */
static void
test_gradient(const char *label, int axis, int lm, float dropout, int each, int want)
{
	struct gradient g;
	struct bench x;
	double worst;

	ok(make_model(&x, "ref64", axis, lm, dropout) && record_tape(&x, 1) && fill(&x, 0, PAIRS, 1), "%s: recorded",
	    label);
	ok(gradient_init(&g, &x, loss_at, NULL), "%s: forward and backward", label);
	worst = each ? gradient_worst(&g, 1e-5) : gradient_error(&g, 0, x.m.params.total, 17);
	ok(worst <= 1e-5 && count_used(&g) == want, "%s: %d of %d tensors (largest relative error %.2g)", label,
	    count_used(&g), x.m.params.n, worst);
	gradient_fini(&g);
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
