/*
 * view_selftest.c: rna-view --selftest: known answers computed on this machine, at every level of its CPU, on its GPU
 * where there is one, and in every precision; with -m, whether a model finds the bases behind [MASK] in RNAs that every
 * model has seen.
 */
#include <stdlib.h>
#include <string.h>

#include "nn/selftest.h"
#include "view_private.h"

static const struct {
	enum rk_precision precision;
	const char *name;
	double difference, cosine;
} bounds[] = {
    {RK_FP32, "fp32", 2e-5, 0.999999},
    {RK_BF16, "bf16", 0.1, 0.9995},
    {RK_INT8, "int8", 0.4, 0.995},
    {RK_FP8, "fp8", 0.6, 0.99},
};

/* One level of the CPU; 1 when a bound is passed.  A level that this machine lacks is passed over, unless it is asked
 * for. */
static int
test_level(struct view *v, FILE *fp, const char *device, int asked)
{
	float values[RNA_SELFTEST_VALUES];
	double difference, cosine;
	char why[256] = "";
	struct rna_err err = {.record = RNA_NOREC};
	struct rk *rk;
	int failed = 0, bad;
	size_t i;

	if ((rk = rk_open(device, v->t->threads, why, sizeof(why))) == NULL) {
		if (asked)
			tool_die(v->t, "%s", why);
		return 0;
	}
	for (i = 0; i < sizeof(bounds) / sizeof(*bounds); i++) {
		if (!rk_has(rk, bounds[i].precision, why, sizeof(why)))
			continue;
		if (rna_selftest_values(rk, bounds[i].precision, values, &err) != RNA_OK)
			tool_die_err(v->t, &err);
		rna_selftest_compare(values, rna_selftest_expected(), RNA_SELFTEST_VALUES, &difference, &cosine);
		bad = !(difference <= bounds[i].difference) || !(cosine >= bounds[i].cosine);
		fprintf(fp, "%-12s %-5s  %.2e  %.7f  %s\n", rk_level(rk), bounds[i].name, difference, cosine,
		    bad ? "FAILED" : "ok");
		failed |= bad;
	}
	rk_close(rk);
	return failed;
}

static int
test_machine(struct view *v, FILE *fp)
{
	static const char *const levels[] = {"avx512bf16", "avx512", "avx2", "plain"};
	int failed = 0;
	size_t i;

	fprintf(fp, "level        dtype  largest   cosine\n");
	fprintf(fp, "                    difference\n");
	if (getenv("RILL_CPU") != NULL)
		return test_level(v, fp, "cpu", 1);
	for (i = 0; i < sizeof(levels) / sizeof(*levels); i++) {
		if (setenv("RILL_CPU", levels[i], 1) != 0)
			tool_die(v->t, "out of memory");
		failed |= test_level(v, fp, "cpu", 0);
	}
	unsetenv("RILL_CPU");
	failed |= test_level(v, fp, "ref", 1);
	/* the GPU, where there is one */
	return failed | test_level(v, fp, "cuda", 0);
}

static int
test_model(struct view *v, FILE *fp)
{
	struct rna_model_options need = {.fix_square = v->fix_square, .need_mlm = 1};
	struct rna_err err = {.record = RNA_NOREC};
	char why[256] = "", *dir = tool_model_path(v->t, v->t->model);
	struct rna_model m;
	int right = 0, total = 0, chance;
	struct rk *rk;

	if ((rk = rk_open("cpu", v->t->threads, why, sizeof(why))) == NULL)
		tool_die(v->t, "%s", why);
	if (rna_model_open(&m, dir, rk, &need, &err) != RNA_OK ||
	    rna_selftest_masked(&m, &right, &total, &err) != RNA_OK)
		tool_die_err(v->t, &err);
	chance = right * 100 < total * 35;
	fprintf(fp, "masked bases of tRNA and 5S rRNA found: %d of %d (%.1f %%); by chance about 25 %%\n", right, total,
	    100.0 * right / total);
	if (chance && !v->fix_square)
		tool_warn(v->t,
		    "%s: near chance: random weights, or an early multimolecule export whose square matrices are not "
		    "transposed; try --fix-square",
		    dir);
	else if (chance)
		tool_warn(v->t, "%s: near chance, also with --fix-square", dir);
	else if (m.square_suspect && !v->fix_square)
		tool_warn(v->t, "%s: looks like an early multimolecule export; compare with --fix-square", dir);
	rna_model_fini(&m);
	rk_close(rk);
	free(dir);
	return chance;
}

int
view_selftest(struct view *v)
{
	FILE *fp = tool_text_open(v->t);
	int failed = v->t->model != NULL ? test_model(v, fp) : test_machine(v, fp);

	tool_text_close(v->t);
	return failed ? TOOL_FAILED : TOOL_DONE;
}
