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
	return done();
}
