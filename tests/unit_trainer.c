/*
 * unit_trainer.c: a step that is told while the next one computes (lib/nn/trainer.h): on the CPU and in the emulated
 * GPU the same steps whether they are told late or at once, nothing waited for on the way, and a step that is not
 * finite told and kept out of every checkpoint.
 */
#include <math.h>

#include "cuda_device.h"
#include "nn/checkpoint.h"
#include "stream/rng.h"
#include "stream_util.h"

enum { LEN = 40, RECORDS = 36, A_BATCH = 3, STEPS = RECORDS / A_BATCH };

static struct rna_record records[RECORDS];

static void
make_records(const struct rna_vocab *v)
{
	for (int i = 0; i < RECORDS; i++) {
		uint8_t tokens[LEN], target[LEN];
		uint32_t masked[LEN], n = 0;
		struct rna_rng rng;

		rna_rng_init(&rng, rna_rng_key(1, 0, (uint64_t)i, 0, RNA_RNG_SAMPLE));
		tokens[0] = (uint8_t)v->cls;
		tokens[LEN - 1] = (uint8_t)v->sep;
		for (int k = 1; k < LEN - 1; k++) {
			tokens[k] = v->base[rna_rng_below(&rng, 4)];
			if (rna_rng_below(&rng, 6) > 0)
				continue;
			masked[n] = (uint32_t)k;
			target[n++] = tokens[k];
			tokens[k] = (uint8_t)v->mask;
		}
		rna_record_init(&records[i]);
		if (rna_record_set_u64(&records[i], "rid", (uint64_t)i) != RNA_OK ||
		    rna_record_set_vec(&records[i], "tokens", RNA_U8, tokens, LEN) != RNA_OK ||
		    rna_record_set_vec(&records[i], "masked", RNA_U32, masked, n) != RNA_OK ||
		    rna_record_set_vec(&records[i], "target", RNA_U8, target, n) != RNA_OK)
			err(1, "records");
	}
}

/* A trainer and its model; batches of A_BATCH records. */
struct run {
	struct rk *rk;
	struct rna_model m;
	struct rna_trainer tr;
	struct rna_train_step did[STEPS + 1];
	unsigned long waits; /* within steps, after the first */
};

static void
run_open(struct run *r, const char *device, double lr)
{
	struct rna_trainer_options o = {.batch_tokens = A_BATCH * LEN,
	    .seed = 1,
	    .schedule = {RNA_SCHEDULE_CONSTANT, lr, lr, 0, STEPS},
	    .beta1 = 0.9,
	    .beta2 = 0.98,
	    .eps = 1e-8,
	    .clip = 1,
	    .masked = 0.9};
	struct rna_err err = {0};
	struct rna_vocab v;
	struct rna_config c;

	memset(r, 0, sizeof(*r));
	if ((r->rk = rk_open(device, 1, NULL, 0)) == NULL || rna_vocab_init(&v) != RNA_OK ||
	    rna_config_preset(&c, "tiny", &err) != RNA_OK)
		errx(1, "%s: %s", device, err.text);
	c.layers = 1;
	c.hidden = 64;
	c.heads = 1;
	c.ffn = 128;
	c.positions = c.max = LEN;
	if (rna_model_create(&r->m, &c, &v, r->rk, 1, &err) != RNA_OK ||
	    rna_trainer_init(&r->tr, &r->m, &o, &err) != RNA_OK)
		errx(1, "%s: %s", device, err.text);
	if (records[0].nfields == 0)
		make_records(&v);
	rna_config_fini(&c);
	rna_vocab_fini(&v);
}

static void
run_close(struct run *r)
{
	rna_trainer_fini(&r->tr);
	rna_model_fini(&r->m);
	rk_close(r->rk);
}

/* One step with the next records. */
static enum rna_status
one_step(struct run *r, struct rna_err *err)
{
	enum rna_status s = RNA_OK;
	unsigned long before;

	for (int i = 0; i < A_BATCH && s == RNA_OK; i++)
		s = rna_trainer_add(&r->tr, &records[r->tr.state.step * A_BATCH + i], 0, err);
	before = cuda_waits();
	if (s == RNA_OK)
		s = rna_trainer_step(&r->tr, err);
	if (r->tr.state.step > 1)
		r->waits += cuda_waits() - before;
	return s;
}

/* What there is to tell up to a step, into did. */
static enum rna_status
tell(struct run *r, int64_t upto, struct rna_err *err)
{
	struct rna_train_step did;
	enum rna_status s;

	while ((s = rna_trainer_tell(&r->tr, upto, &did, err)) == RNA_OK)
		r->did[did.state.step] = did;
	return s;
}

/* All steps, each told with `lag` steps after it already queued; the weights at the end. */
static float *
train(struct run *r, const char *device, int lag)
{
	struct rna_err err = {0};
	float *w;

	run_open(r, device, 1e-3);
	for (int64_t n = 1; n <= STEPS; n++)
		if (one_step(r, &err) != RNA_OK || tell(r, n - lag, &err) != RNA_END)
			errx(1, "%s: step %lld: %s", device, (long long)n, err.text);
	if (tell(r, STEPS, &err) != RNA_END || (w = calloc(r->m.params.total, sizeof(*w))) == NULL ||
	    rk_download_f32(r->rk, w, r->m.params.value, r->m.params.total) != RK_OK)
		errx(1, "%s: %s", device, err.text);
	return w;
}

/* The same losses, norms and states. */
static int
same_steps(const struct run *a, const struct run *b, double bound)
{
	for (int n = 1; n <= STEPS; n++) {
		const struct rna_train_step *x = &a->did[n], *y = &b->did[n];

		if (x->state.step != n || x->state.step != y->state.step || x->state.hash != y->state.hash ||
		    x->state.records != y->state.records || x->sums.targets != y->sums.targets ||
		    !(fabs(x->loss - y->loss) <= bound * y->loss) || !(fabs(x->norm - y->norm) <= bound * y->norm)) {
			diag("step %d: loss %g and %g, norm %g and %g", n, x->loss, y->loss, x->norm, y->norm);
			return 0;
		}
	}
	return 1;
}

static void
test_late(const char *device, const char *ahead, const struct run *cpu)
{
	struct run late, now;
	float *a, *b;

	if (ahead != NULL)
		setenv("EMU_AHEAD", ahead, 1);
	a = train(&late, device, 1);
	b = train(&now, device, 0);
	unsetenv("EMU_AHEAD");
	ok(same_steps(&late, &now, 0) && memcmp(a, b, late.m.params.total * sizeof(*a)) == 0,
	    "%s%s%s: told late or at once, the same steps to the same weights", device, ahead != NULL ? " ahead " : "",
	    ahead != NULL ? ahead : "");
	ok(same_steps(&late, cpu, 1e-4), "and those of the CPU");
	ok(late.waits == 0 && now.waits == 0, "no step waits for the device (%lu, %lu)", late.waits, now.waits);
	free(a);
	free(b);
	run_close(&late);
	run_close(&now);
}

/* Two steps that are not told, and the batches are all taken. */
static void
test_untold(const char *device)
{
	struct rna_err err = {0};
	struct run r;
	int lag, good = 1;

	run_open(&r, device, 1e-3);
	lag = rna_trainer_lag(&r.tr);
	for (int i = 0; i <= lag; i++)
		good &= one_step(&r, &err) == RNA_OK;
	ok(good && one_step(&r, &err) == RNA_EINVAL && r.tr.state.step == lag + 1, "%s: lag %d: %s", device, lag,
	    err.text);
	good = tell(&r, lag + 1, &err) == RNA_END && one_step(&r, &err) == RNA_OK;
	ok(good && r.did[1].state.step == 1 && r.tr.state.step == lag + 2, "and told, it goes on");
	run_close(&r);
}

/* Step 2 begins with weights that are not finite. */
static void
test_not_finite(const char *device)
{
	const float nan = NAN;
	struct rna_err err = {0};
	const char *dir = util_path(device);
	struct run r;
	int64_t newest = 0;
	int good;

	run_open(&r, device, 1e-3);
	good = one_step(&r, &err) == RNA_OK && tell(&r, 1, &err) == RNA_END && mkdir(dir, 0777) == 0 &&
	       rna_checkpoint_write(dir, &r.tr, 2, &err) == RNA_OK;
	for (int i = 0; i < r.m.params.n; i++)
		good &= rk_upload_f32(r.rk, rna_params_value(&r.m.params, i), &nan, 1) == RK_OK;
	for (int i = 0; i <= rna_trainer_lag(&r.tr); i++)
		good &= one_step(&r, &err) == RNA_OK;
	ok(good && rna_checkpoint_write(dir, &r.tr, 2, &err) == RNA_EINVAL && strstr(err.text, "step 2") != NULL,
	    "%s: no checkpoint: %s", device, err.text);
	ok(tell(&r, r.tr.state.step - rna_trainer_lag(&r.tr), &err) == RNA_EINVAL && strstr(err.text, "step 2") != NULL,
	    "step 2 is told for what it is, %d later", rna_trainer_lag(&r.tr));
	good = rna_checkpoint_write(dir, &r.tr, 2, &err) == RNA_EINVAL &&
	       rna_trainer_check(&r.tr, &err) == RNA_EINVAL && rna_checkpoint_newest(dir, &newest, &err) == RNA_OK;
	ok(good && newest == 1, "and never kept: the newest checkpoint is that of step %lld", (long long)newest);
	run_close(&r);
}

int
main(void)
{
	static const char *const ahead[] = {NULL, "0", "1"};
	struct run cpu;
	float *w = train(&cpu, "cpu", 0);
	const int emulated = cuda_device();

	test_untold("cpu");
	test_not_finite("cpu");
	for (int i = 0; emulated && i < 3; i++)
		test_late("cuda", ahead[i], &cpu);
	if (emulated) {
		test_untold("cuda");
		test_not_finite("cuda");
	}
	free(w);
	run_close(&cpu);
	for (int i = 0; i < RECORDS; i++)
		rna_record_fini(&records[i]);
	util_clean();
	return done();
}
