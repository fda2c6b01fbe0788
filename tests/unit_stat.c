/*
 * unit_stat.c: context counts, bootstrap intervals and masked-token scores against values worked out by hand.
 */
#include <math.h>
#include <string.h>

#include "stat/bootstrap.h"
#include "stat/context.h"
#include "stat/mlmscore.h"
#include "stream/rng.h"
#include "tap.h"

static struct rna_vocab vocab;

static void
encode(const char *s, uint8_t *tokens)
{
	for (; *s != '\0'; s++)
		*tokens++ = vocab.id[(unsigned char)*s];
}

static void
context_counts(void)
{
	struct rna_context c;
	uint8_t row[64];
	double p[4], sum, ll0 = 0, ll1 = 0;
	struct rna_rng rng;
	size_t i;
	int b;

	ok(rna_context_init(&c, RNA_CONTEXT_MAX + 1, &vocab) == RNA_EINVAL, "a context that is too wide is refused");
	if (rna_context_init(&c, 1, &vocab) != RNA_OK)
		return;
	/* C always stands between A and G, A between ends or anything: 100 rows ACG */
	encode("ACG", row);
	for (i = 0; i < 100; i++)
		rna_context_add(&c, row, 3);
	rna_context_fit(&c);
	rna_context_predict(&c, row, 3, 1, p);
	sum = p[0] + p[1] + p[2] + p[3];
	ok(fabs(sum - 1) < 1e-12, "probabilities add up to 1");
	ok(p[1] > 0.99 && p[1] < 1, "C between A and G is learned (%g)", p[1]);
	encode("UCU", row);
	rna_context_predict(&c, row, 3, 1, p);
	ok(fabs(p[0] - p[1]) < 1e-9 && p[0] > p[3], "an unseen context falls back on base frequencies (%g %g)", p[0],
	    p[3]);
	rna_context_fini(&c);

	/* on random bases the fitted counts must not be worse than the uniform guess by more than they can overfit */
	if (rna_context_init(&c, 4, &vocab) != RNA_OK)
		return;
	rna_rng_init(&rng, 7);
	for (i = 0; i < 400; i++) {
		for (b = 0; b < 60; b++)
			row[b] = vocab.base[rna_rng_below(&rng, 4)];
		rna_context_add(&c, row, 60);
	}
	rna_context_fit(&c);
	for (b = 0; b < 60; b++)
		row[b] = vocab.base[rna_rng_below(&rng, 4)];
	for (i = 0; i < 60; i++) {
		rna_context_predict(&c, row, 60, i, p);
		for (b = 0; b < 4; b++)
			ll1 += vocab.base[b] == row[i] ? -log(p[b]) : 0;
		ll0 += log(4);
	}
	ok(ll1 < ll0 * 1.05, "back-off keeps random bases near ln 4 (%.3f against %.3f)", ll1 / 60, ll0 / 60);
	rna_context_fini(&c);
}

static void
bootstrap(void)
{
	double a[200], b[200];
	struct rna_interval iv, again;
	int i, inside = 0, failed = 0, trial;
	struct rna_rng rng;

	rna_rng_init(&rng, 3);
	for (trial = 0; trial < 200; trial++) {
		for (i = 0; i < 200; i++) {
			a[i] = 2 + rna_rng_normal(&rng);
			b[i] = 1;
		}
		failed += rna_bootstrap_ratio(a, b, 200, 200, (uint64_t)trial, &iv) != RNA_OK;
		inside += iv.low <= 2 && 2 <= iv.high;
	}
	ok(inside >= 180 && inside <= 199, "the interval holds the truth in %d of 200 trials (95 %% expected)", inside);
	failed += rna_bootstrap_ratio(a, b, 200, 200, 199, &again) != RNA_OK;
	ok(again.low == iv.low && again.high == iv.high, "the same seed gives the same interval");
	failed += rna_bootstrap_ratio(a, b, 200, 0, 1, &iv) != RNA_OK;
	ok(isnan(iv.low) && !isnan(iv.value), "no draws, no interval");
	b[0] = 0;
	failed += rna_bootstrap_ratio(a, b, 1, 100, 1, &iv) != RNA_OK;
	ok(isnan(iv.value) && !failed, "nothing to divide by is not a number");
}

/* A record of [CLS] A C [SEP] whose C was masked, with logits that give the four bases 0, log 2, 0, 0 and others -inf.
 */
static int
make_record(struct rna_record *rec, float lift)
{
	uint64_t dims[2] = {4, (uint64_t)vocab.n};
	uint8_t tokens[4], target;
	uint32_t masked = 2;
	float *logits;
	int b, t;

	tokens[0] = (uint8_t)vocab.cls;
	tokens[1] = vocab.base[0];
	tokens[2] = (uint8_t)vocab.mask;
	tokens[3] = (uint8_t)vocab.sep;
	target = vocab.base[1];
	if (rna_record_set_vec(rec, "tokens", RNA_U8, tokens, 4) != RNA_OK ||
	    rna_record_set_vec(rec, "masked", RNA_U32, &masked, 1) != RNA_OK ||
	    rna_record_set_vec(rec, "target", RNA_U8, &target, 1) != RNA_OK ||
	    (logits = rna_record_put(rec, "logits", RNA_F32, 2, dims)) == NULL)
		return -1;
	for (t = 0; t < 4 * vocab.n; t++)
		logits[t] = -INFINITY;
	for (b = 0; b < 4; b++)
		logits[2 * vocab.n + vocab.base[b]] = b == 1 ? lift : 0;
	return 0;
}

static void
mlm(void)
{
	struct rna_err err;
	struct rna_mlmscore s;
	struct rna_record rec;
	struct rna_interval iv;

	rna_record_init(&rec);
	rna_mlmscore_init(&s, &vocab, NULL);
	ok(make_record(&rec, logf(2)) == 0 && rna_mlmscore_add(&s, &rec, &err) == RNA_OK, "a masked record is scored");
	ok(rna_mlmscore_ratio(&s, RNA_MLM_LOSS, RNA_MLM_BASES, 0, 1, &iv) == RNA_OK && fabs(iv.value - log(2.5)) < 1e-6,
	    "its loss is -log(2/5) (%g)", iv.value);
	ok(rna_mlmscore_total(&s, RNA_MLM_HITS) == 1, "the true base has the largest logit");
	ok(make_record(&rec, -1) == 0 && rna_mlmscore_add(&s, &rec, &err) == RNA_OK &&
		rna_mlmscore_total(&s, RNA_MLM_HITS) == 1,
	    "a lower logit is a miss");
	rna_record_remove(&rec, "logits");
	ok(rna_mlmscore_add(&s, &rec, &err) == RNA_EFORMAT && strstr(err.text, "--what logits") != NULL,
	    "missing logits: %s", err.text);
	rna_mlmscore_fini(&s);
	rna_record_fini(&rec);
}

int
main(void)
{
	if (rna_vocab_init(&vocab) != RNA_OK)
		return 1;
	context_counts();
	bootstrap();
	mlm();
	rna_vocab_fini(&vocab);
	return done();
}
