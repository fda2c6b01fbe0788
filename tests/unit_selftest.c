/*
 * unit_selftest.c: the known answers of rna-view --selftest are what ref64 computes, and every level is near them.
 * With RILL_GOLDEN=1 it prints the table for lib/nn/selftest_expected.h instead.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/selftest.h"
#include "tap.h"

static int
compute(const char *device, enum rk_precision p, float *values)
{
	struct rna_err err = {.record = RNA_NOREC};
	char why[256] = "";
	struct rk *rk = rk_open(device, 1, why, sizeof(why));
	enum rna_status st = rk != NULL ? rna_selftest_values(rk, p, values, &err) : RNA_EDEVICE;

	if (st != RNA_OK)
		diag("%s: %s%s", device, why, err.text);
	rk_close(rk);
	return st == RNA_OK;
}

static void
print_table(const float *v)
{
	int i;

	for (i = 0; i < RNA_SELFTEST_VALUES; i++)
		printf("%s%.9gf,%s", i % 8 ? "" : "\t", (double)v[i], i % 8 == 7 ? "\n" : " ");
}

/* A small model with weights of that size, on the reference: fp8 beside fp32. */
static void
test_agreement(float init_range, int close)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct rk *rk = rk_open("ref", 1, NULL, 0);
	struct rna_selftest_agreement same, fp8;
	struct rna_config c;
	struct rna_vocab v;
	struct rna_model m;

	if (rk == NULL || rna_config_preset(&c, "tiny", &err) != RNA_OK || rna_vocab_init(&v) != RNA_OK)
		exit(1);
	c.layers = 2;
	c.hidden = 64;
	c.heads = 2;
	c.ffn = 128;
	c.max = 40; /* the RNAs are cut */
	c.init_range = init_range;
	c.vocab_size = v.n;
	if (rna_model_create(&m, &c, &v, rk, 3, &err) != RNA_OK ||
	    rna_selftest_agree(&m, -1, RK_FP32, RK_FP32, &same, &err) != RNA_OK ||
	    rna_selftest_agree(&m, -1, RK_FP8, RK_FP32, &fp8, &err) != RNA_OK) {
		diag("%s", err.text);
		exit(1);
	}
	ok(same.tokens == 160 && same.least > 0.999999, "a precision agrees with itself, %d tokens", same.tokens);
	ok(close ? fp8.mean > 0.99 && fp8.mean < 0.99999 && fp8.least > 0.97 : fp8.mean < 0.98,
	    "fp8 of weights of size %g: mean cosine %.5f, least %.5f", (double)init_range, fp8.mean, fp8.least);
	ok(rna_selftest_fit(&m, -1, RK_INT8, &same, &err) == RNA_OK, "only fp8 is tried");
	rna_model_fini(&m);
	rna_config_fini(&c);
	rna_vocab_fini(&v);
	rk_close(rk);
}

int
main(void)
{
	float values[RNA_SELFTEST_VALUES], again[RNA_SELFTEST_VALUES];
	double difference, cosine, size = 0;
	int i;

	ok(compute("ref64", RK_FP32, values), "ref64 computes");
	if (getenv("RILL_GOLDEN") != NULL) {
		print_table(values);
		return 0;
	}
	rna_selftest_compare(values, rna_selftest_expected(), RNA_SELFTEST_VALUES, &difference, &cosine);
	ok(difference < 1e-6, "the compiled-in answers are what ref64 computes: %g", difference);
	for (i = 0; i < RNA_SELFTEST_VALUES; i++)
		size += fabs((double)values[i]);
	ok(size > 10, "and not all alike: sum of sizes %g", size);
	ok(compute("cpu", RK_FP32, values) && compute("cpu", RK_FP32, again), "cpu computes");
	ok(memcmp(values, again, sizeof(values)) == 0, "cpu gives the same bits twice");
	rna_selftest_compare(values, rna_selftest_expected(), RNA_SELFTEST_VALUES, &difference, &cosine);
	ok(difference < 2e-5, "cpu is near: %g", difference);
	values[3] += 0.01f;
	rna_selftest_compare(values, rna_selftest_expected(), RNA_SELFTEST_VALUES, &difference, &cosine);
	ok(difference > 0.009, "a wrong value is seen");
	values[3] = NAN;
	rna_selftest_compare(values, rna_selftest_expected(), RNA_SELFTEST_VALUES, &difference, &cosine);
	ok(difference > 1, "so is one that is not a number");
	test_agreement(0.05f, 1);
	test_agreement(1, 0); /* attention that turns over at the least change */
	return done();
}
