/*
 * unit_foldlm.c: the language model under a folding network: gradients through the network into the model, chunks
 * stitched, against central differences; features that are kept.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fold/neural.h"
#include "nn/foldlm.h"
#include "stream/rng.h"
#include "tap.h"

#define MAX_TOKENS 16
#define LONGEST 31

struct setup {
	struct rk *rk;
	struct rna_model m;
	struct rna_foldnet net;
	struct rna_foldlm *lm;
	struct rna_foldscorer *s;
};

static struct rna_err err = {.record = RNA_NOREC};

static int
init(struct setup *x, const char *device, const struct rna_foldlm_options *how, float dropout)
{
	struct rna_foldnet_config f;
	struct rna_config c;
	struct rna_vocab v;

	memset(x, 0, sizeof(*x));
	if ((x->rk = rk_open(device, 1, err.text, sizeof(err.text))) == NULL || rna_vocab_init(&v) != RNA_OK ||
	    rna_config_preset(&c, "tiny", &err) != RNA_OK)
		return 0;
	c.hidden = 8;
	c.heads = 2;
	c.ffn = 12;
	c.layers = 2;
	c.positions = c.max = MAX_TOKENS;
	c.act = RK_GELU;
	c.init_range = 0.3f;
	c.hidden_dropout = c.attention_dropout = dropout;
	c.frame = RNA_FRAME_TYPE;
	rna_foldnet_default(&f, c.hidden);
	f.embed = f.inner = f.filters = 8;
	f.lstm_units = 4;
	f.heads = 2;
	f.convs = f.pair_convs = 2;
	f.hidden = 4;
	f.types = how->types;
	f.dropout = f.head_dropout = dropout;
	if (rna_model_create(&x->m, &c, &v, x->rk, 3, &err) != RNA_OK ||
	    rna_foldnet_create(&x->net, &f, x->rk, 4, &err) != RNA_OK ||
	    rna_params_train(&x->m.params, &err) != RNA_OK || rna_params_train(&x->net.params, &err) != RNA_OK ||
	    (x->lm = rna_foldlm_open(&x->m, how, &err)) == NULL ||
	    (x->s = rna_foldscorer_create(&x->net, x->lm, 1)) == NULL)
		return 0;
	rna_config_fini(&c);
	rna_vocab_fini(&v);
	return 1;
}

static void
fini(struct setup *x)
{
	rna_foldscorer_destroy(x->s);
	rna_foldlm_close(x->lm);
	rna_foldnet_fini(&x->net);
	rna_model_fini(&x->m);
	rk_close(x->rk);
}

/* Random numbers that stand for dloss/dscore. */
static void
draw(float *d, size_t n, uint64_t seed)
{
	struct rna_rng rng;

	rna_rng_init(&rng, seed);
	for (size_t i = 0; i < n; i++)
		d[i] = (float)rna_rng_normal(&rng);
}

/* The sum of d times the scores of an RNA; *backward: gradients, too. */
static double
loss(struct setup *x, const char *letters, const float *d, const float *dlengths, int backward)
{
	const size_t n = strlen(letters), size = 3 * n * n;
	static float scores[3 * LONGEST * LONGEST];
	float lengths[RNA_LENGTHS];
	double sum = 0;

	if (rna_foldscorer_repack(x->s, &err) != RNA_OK ||
	    rna_foldscorer_forward(x->s, letters, n, 77, scores, lengths, &err) != RNA_OK ||
	    (backward && rna_foldscorer_backward(x->s, d, dlengths, &err) != RNA_OK))
		return NAN;
	for (size_t i = 0; i < size; i++)
		sum += (double)d[i] * (double)scores[i];
	for (int i = 0; i < RNA_LENGTHS; i++)
		sum += (double)dlengths[i] * (double)lengths[i];
	return sum;
}

/*
 * Error of the derivative along a random direction within one tensor, by differences of width 2h, relative to what such
 * a derivative mostly is.  Between the two tapes numbers are floats, so h can't be small.
 */
static double
error_at(
    struct setup *x, struct rna_params *p, int i, const char *letters, const float *d, const float *dlengths, double h)
{
	const size_t n = p->list[i].n;
	double *at = malloc(2 * n * sizeof(*at)), *grad = at + n, *moved = malloc(n * sizeof(*moved)), along = 0,
	       size = 0, to[2] = {0, 0};
	float *way = malloc(n * sizeof(*way));

	draw(way, n, 5 + (uint64_t)i);
	if (rk_download(x->rk, at, rna_params_value(p, i), n * sizeof(*at)) != RK_OK ||
	    rk_download(x->rk, grad, rna_params_grad(p, i), n * sizeof(*grad)) != RK_OK)
		along = NAN;
	for (size_t k = 0; k < n; k++) {
		along += grad[k] * (double)way[k];
		size += grad[k] * grad[k] * (double)way[k] * (double)way[k];
	}
	for (int side = 0; side < 2; side++) {
		for (size_t k = 0; k < n; k++)
			moved[k] = at[k] + (side ? h : -h) * (double)way[k];
		if (rk_upload(x->rk, rna_params_value(p, i), moved, n * sizeof(*moved)) != RK_OK)
			along = NAN;
		to[side] = loss(x, letters, d, dlengths, 0);
	}
	if (rk_upload(x->rk, rna_params_value(p, i), at, n * sizeof(*at)) != RK_OK)
		along = NAN;
	to[0] = (to[1] - to[0]) / (2 * h);
	free(at);
	free(moved);
	free(way);
	return fabs(to[0] - along) / fmax(sqrt(size), 1);
}

/* The least of three widths: a wide one may reach over a bend of a ReLU, a narrow one is lost in rounding. */
static double
direction_error(
    struct setup *x, struct rna_params *p, int i, const char *letters, const float *d, const float *dlengths)
{
	double e, least = INFINITY;

	for (double h = 3e-3; h > 1e-5; h /= 10)
		if ((e = error_at(x, p, i, letters, d, dlengths, h)) < least)
			least = e;
	return least;
}

static int
begins(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Each tensor that the scores depend on; letters of a model that takes 12 of them at once. */
static void
test_gradient(const char *label, const char *letters, float dropout)
{
	const struct rna_foldlm_options how = {.learns = 1};
	float d[3 * LONGEST * LONGEST], dlengths[RNA_LENGTHS];
	struct rna_params *p[2];
	double e, worst = 0;
	struct setup x;
	int tensors = 0;

	ok(init(&x, "ref64", &how, dropout), "%s: made", label);
	p[0] = &x.m.params;
	p[1] = &x.net.params;
	draw(d, sizeof(d) / sizeof(d[0]), 1);
	draw(dlengths, RNA_LENGTHS, 2);
	ok(isfinite(loss(&x, letters, d, dlengths, 1)), "%s: forward and backward", label);
	for (int k = 0; k < 2; k++) {
		for (int i = 0; i < p[k]->n; i++) {
			const char *name = p[k]->list[i].name;

			/* heads that are not read; an embedding whose entry 0 has no gradient */
			if (begins(name, "mlm.") || begins(name, "pooler.") || begins(name, "fold.embedding."))
				continue;
			e = direction_error(&x, p[k], i, letters, d, dlengths);
			if (!(e <= 1e-2))
				diag("%s: %.3g", name, e);
			worst = e > worst || isnan(e) ? e : worst;
			tensors++;
		}
	}
	ok(worst <= 1e-2, "%s: each of %d tensors (largest relative error %.2g)", label, tensors, worst);
	fini(&x);
}

/* Scores of three RNAs, twice, and gradients, into out. */
static size_t
scores_of(size_t kept, int types, float *out)
{
	static const char *const rna[] = {"GGGAAACUUCCNACGUACGUACGUACGUACG", "ACGUACGGCA", "GGCGCAAGCC"};
	const struct rna_foldlm_options how = {.types = types, .kept = kept};
	float d[3 * LONGEST * LONGEST], dlengths[RNA_LENGTHS];
	size_t at = 0;
	struct setup x;

	if (!init(&x, "cpu", &how, 0))
		return 0;
	draw(d, sizeof(d) / sizeof(d[0]), 1);
	draw(dlengths, RNA_LENGTHS, 2);
	for (int i = 0; i < 6; i++) {
		const size_t n = strlen(rna[i % 3]);
		float lengths[RNA_LENGTHS];

		if (rna_foldscorer_forward(x.s, rna[i % 3], n, 0, out + at, lengths, &err) != RNA_OK ||
		    rna_foldscorer_backward(x.s, d, dlengths, &err) != RNA_OK)
			return 0;
		at += 3 * n * n;
	}
	if (rk_download_f32(x.rk, out + at, x.net.params.grad, x.net.params.total) != RK_OK)
		return 0;
	at += x.net.params.total;
	fini(&x);
	return at;
}

/* Whatever the room for features, the same scores and gradients. */
static void
test_kept(int types)
{
	static const size_t room[] = {1 << 20, 1500, 1};
	static float none[1 << 16], some[1 << 16];
	const size_t n = scores_of(0, types, none);

	ok(n > 0 && n <= sizeof(none) / sizeof(none[0]), "%d types: scores without room for features", types);
	for (int i = 0; i < 3; i++)
		ok(scores_of(room[i], types, some) == n && memcmp(none, some, n * sizeof(*none)) == 0,
		    "%d types: the same with %zu bytes", types, room[i]);
}

int
main(void)
{
	test_gradient("one chunk", "GGGAANCUUC", 0);
	test_gradient("chunks, dropout", "GGGAAACUUCCNACGUACGUACGUACG", 0.2f);
	test_kept(0);
	test_kept(3);
	return done();
}
