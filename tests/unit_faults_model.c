/*
 * unit_faults_model.c: lib/nn, lib/fold and lib/stat when memory ends or a call fails, at every one of them.
 */
#include "faults.h"
#include "fold/energy.h"
#include "fold/mfe.h"
#include "fold/neural.h"
#include "fold/partition.h"
#include "nn/checkpoint.h"
#include "nn/classdata.h"
#include "nn/dirlock.h"
#include "nn/embed.h"
#include "nn/model.h"
#include "nn/safetensors.h"
#include "nn/trainlog.h"
#include "seq/mask.h"
#include "stat/bootstrap.h"
#include "stat/classmetrics.h"
#include "stat/context.h"
#include "stat/foldtruth.h"
#include "stat/logistic.h"
#include "stat/mlmscore.h"
#include "stat/resample.h"
#include "stat/seen.h"
#include "stat/vote.h"
#include "stream/rng.h"
#include "stream_util.h"

#if FAULTS
#define RECORDS 6

static struct rna_record labelled[RECORDS], masked[RECORDS]; /* made once */
static struct rna_vocab vocab;
static struct rk *rk;

static void
make_records(void)
{
	struct rna_mask_options opts = {0.5, {1, 0, 0}, 0.5, 1, 0, 0};
	struct rna_framing framing = {RNA_FRAME_TYPE, RNA_LONG_KEEP, 0, 0};
	struct rna_mask *m = rna_mask_create(&opts, NULL, 0, NULL);
	const char *labels[] = {"tRNA", "rRNA", "sRNA"};
	float prob[3] = {0.5f, 0.25f, 0.25f}, cls[4] = {1, 2, 3, 4};
	char seq[32], name[16];
	int32_t pair[16];
	int i, k;

	must(rna_vocab_init(&vocab));
	must(rna_mask_vocab(m, &vocab, NULL));
	for (i = 0; i < RECORDS; i++) {
		for (k = 0; k < 16; k++) {
			seq[k] = "GGGGAAAACCCCAUGC"[(k + (k > 11) * i) % 16];
			pair[k] = k < 12 && (k < 4 || k > 7) ? 11 - k : -1;
		}
		rna_record_init(&labelled[i]);
		rna_record_init(&masked[i]);
		must(rna_record_set_u64(&labelled[i], "rid", (uint64_t)i + 1));
		snprintf(name, sizeof(name), "n%d", i);
		must(rna_record_set_str(&labelled[i], "name", name, strlen(name)));
		must(rna_record_set_str(&labelled[i], "seq", seq, 16));
		must(rna_record_set_vec(&labelled[i], "pair", RNA_I32, pair, 16));
		must(rna_record_set_str(&labelled[i], "label", labels[i % 3], 4));
		must(rna_record_set_str(&labelled[i], "call", labels[i % 2], 4));
		must(rna_record_set_vec(&labelled[i], "prob", RNA_F32, prob, 3));
		must(rna_record_set_vec(&labelled[i], "cls", RNA_F32, cls, 4));
		must(rna_frame_record(&framing, &vocab, &labelled[i], 9, 0, &masked[i], NULL));
		must(rna_record_set_vec(&labelled[i], "tokens", RNA_U8,
		    rna_record_data(&masked[i], rna_record_find(&masked[i], "tokens")),
		    rna_record_find(&masked[i], "tokens")->count));
		must(rna_mask_record(m, &masked[i], NULL));
	}
	rna_mask_destroy(m);
}

/* 1. Files of a model */

static void
small(struct rna_config *c)
{
	must(rna_config_preset(c, "tiny", NULL));
	c->layers = 1;
	c->hidden = 8;
	c->heads = 2;
	c->ffn = 16;
	c->positions = c->max = 32;
	c->frame = RNA_FRAME_TYPE;
	c->type_head = 1;
}

static enum rna_status
save_model(const void *arg, uint64_t *digest, struct rna_err *err)
{
	struct rna_config c;
	struct rna_model m;
	enum rna_status st;

	(void)arg;
	small(&c);
	if ((st = rna_model_create(&m, &c, &vocab, rk, 1, err)) != RNA_OK)
		return st;
	st = rna_model_save(&m, util_path("model"), err);
	*digest = m.params.total;
	rna_model_fini(&m);
	return st;
}

static enum rna_status
open_model(const void *arg, uint64_t *digest, struct rna_err *err)
{
	const struct rna_model_options opts = {.digest = 1};
	struct rna_safetensors s = {0};
	struct rna_model m;
	float x[4] = {0};
	enum rna_status st = rna_model_open(&m, arg, rk, &opts, err);

	if (st != RNA_OK)
		return st;
	*digest = rna_hash(m.digest, 64, m.params.total);
	rna_model_fini(&m);
	TRY(rna_safetensors_open_dir(&s, arg, err));
	TRY(rna_safetensors_read(&s.list[0], 0, 4, x));
	*digest += s.n;
out:
	rna_safetensors_close(&s);
	return st;
}

static enum rna_status
load_config(const void *arg, uint64_t *digest, struct rna_err *err)
{
	struct rna_config c, d;
	enum rna_status st = rna_config_load(&c, arg, err);

	if (st != RNA_OK)
		return st;
	if ((st = mem(rna_config_copy(&d, &c), err)) == RNA_OK)
		*digest = (uint64_t)d.hidden + json_array_size(d.labels);
	rna_config_fini(&d);
	rna_config_fini(&c);
	return st;
}

/* A class head of every kind of setting, and a header with all that one may say. */
static enum rna_status
write_json(const void *arg, uint64_t *digest, struct rna_err *err)
{
	char *args[] = {(char[]){"--one"}, (char[]){"t\xffo"}};
	struct rna_buf b = RNA_BUF_INIT;
	struct rna_header h = {NULL}, copy = {NULL};
	struct rna_config c;
	json_t *extra = NULL;
	enum rna_status st;

	(void)arg;
	small(&c);
	c.class_from = RNA_CLASS_INTERACTION;
	c.class_chunks = RNA_CHUNKS_ATTENTION;
	c.class_typer = RNA_TYPER_FROZEN;
	c.class_types = 3;
	c.pairs = 1;
	c.mlm_act = RK_GELU;
	c.mlm_eps = 0.5f;
	if ((c.labels = json_pack("[s, s]", "one", "two")) == NULL || (extra = json_pack("{s:i}", "seed", 1)) == NULL) {
		st = mem(RNA_EMEM, err);
		goto out;
	}
	TRY(rna_config_save(&c, util_path("json"), err));
	TRY(mem(rna_header_init(&h), err));
	TRY(mem(rna_header_set_vocab(&h, "v", "d"), err));
	TRY(mem(rna_header_set_totals(&h, 1, 2), err));
	TRY(mem(rna_header_add_provenance(&h, "rna-x", "1", 2, args, extra), err));
	TRY(mem(rna_header_copy(&copy, &h), err));
	TRY(mem(rna_header_dump(&copy, &b), err));
	*digest = rna_hash(b.data, b.len, 0);
out:
	rna_header_fini(&h);
	rna_header_fini(&copy);
	rna_buf_fini(&b);
	json_decref(extra);
	rna_config_fini(&c);
	return st;
}

static enum rna_status
lock_and_log(const void *arg, uint64_t *digest, struct rna_err *err)
{
	const struct rna_train_step did = {.loss = 1, .state = {.step = 2}};
	struct rna_trainlog log = {NULL, NULL};
	struct rna_dirlock lock;
	enum rna_status st = rna_dirlock_take(&lock, util_path("locked"), err);

	(void)arg;
	if (st != RNA_OK)
		return st;
	TRY(rna_trainlog_open(&log, util_path("log.tsv"), 1, err));
	TRY(rna_trainlog_row(&log, &did, NULL, 1, err));
	TRY(rna_trainlog_sync(&log, err));
	*digest = 1;
out:
	if (log.fp != NULL && rna_trainlog_close(&log, st == RNA_OK ? err : NULL) != RNA_OK && st == RNA_OK)
		st = err->status;
	rna_dirlock_release(&lock);
	return st;
}

static void
put_log(const void *arg)
{
	static const char rows[] = "step\tloss\n1\t0.5\n2\t0.25\n";

	(void)arg;
	util_put(util_path("log.tsv"), rows, sizeof(rows) - 1);
}

/* 2. What a model does */

static enum rna_status
train_model(const void *arg, uint64_t *digest, struct rna_err *err)
{
	const struct rna_trainer_options opts = {.batch_tokens = 64,
	    .seed = 1,
	    .schedule = {RNA_SCHEDULE_CONSTANT, 1e-3, 0, 0, 4},
	    .beta1 = 0.9,
	    .beta2 = 0.98,
	    .eps = 1e-8,
	    .clip = 1,
	    .type_head = 1,
	    .type_weight = 1};
	struct rna_trainer tr = {0};
	struct rna_train_step did;
	struct rna_config c;
	struct rna_model m;
	enum rna_status st;
	int64_t newest;
	int i, moved = 0;

	small(&c);
	if ((st = rna_model_create(&m, &c, &vocab, rk, 1, err)) != RNA_OK)
		return st;
	TRY(rna_trainer_init(&tr, &m, &opts, err));
	for (i = 0; i < RECORDS; i++) {
		if ((st = rna_trainer_add(&tr, &masked[i], 0, err)) == RNA_END) {
			TRY(rna_trainer_step(&tr, err));
			TRY(rna_trainer_tell(&tr, tr.state.step, &did, err));
			st = rna_trainer_add(&tr, &masked[i], 0, err);
		}
		if (st != RNA_OK)
			goto out;
	}
	TRY(rna_trainer_step(&tr, err));
	TRY(rna_trainer_tell(&tr, tr.state.step, &did, err));
	memcpy(digest, &did.loss, sizeof(*digest));
	if (arg == NULL)
		goto out;
	TRY(rna_checkpoint_write(arg, &tr, 1, err));
	TRY(rna_checkpoint_load(arg, tr.state.step, &tr, &moved, err));
	TRY(rna_checkpoint_newest(arg, &newest, err));
	*digest += (uint64_t)tr.state.step + (uint64_t)newest;
out:
	rna_trainer_fini(&tr);
	rna_model_fini(&m);
	return st;
}

static void
clear_checkpoints(const void *arg)
{
	must(rna_checkpoint_clear(arg, NULL));
}

static enum rna_status
embed_records(const void *arg, uint64_t *digest, struct rna_err *err)
{
	const struct rna_embed_options opts = {
	    RNA_EMBED_CLS | RNA_EMBED_MEAN | RNA_EMBED_HIDDEN | RNA_EMBED_LOGITS, -1, RK_FP32};
	struct rna_record rec[RECORDS];
	struct rna_buf b = RNA_BUF_INIT;
	struct rna_embed *e = NULL;
	struct rna_config c;
	struct rna_model m;
	enum rna_status st;
	int i;

	(void)arg;
	small(&c);
	for (i = 0; i < RECORDS; i++)
		rna_record_init(&rec[i]);
	if ((st = rna_model_create(&m, &c, &vocab, rk, 1, err)) != RNA_OK)
		return st;
	st = RNA_EMEM;
	if ((e = rna_embed_open(&m, &opts, err)) == NULL)
		goto out;
	for (i = 0; i < RECORDS; i++)
		TRY(mem(rna_record_copy(&rec[i], &labelled[i]), err));
	TRY(rna_embed_run(e, rec, RECORDS, err));
	for (i = 0; i < RECORDS; i++)
		TRY(mem(rna_record_encode(&rec[i], &b), err));
	*digest = rna_hash(b.data, b.len, 0);
out:
	for (i = 0; i < RECORDS; i++)
		rna_record_fini(&rec[i]);
	rna_buf_fini(&b);
	rna_embed_close(e);
	rna_model_fini(&m);
	return st;
}

/* 3. Folding */

static enum rna_status
fold(const void *arg, uint64_t *digest, struct rna_err *err)
{
	static const char seq[] = "GGGGAAAACCCCAUGCGGAAACGC", rule[] = "((....................))";
	struct rna_fold_options opts = {0, 0, *(const int *)arg ? rule : NULL};
	struct rna_energy_file *f =
	    rna_energy_file_open(*(const int *)arg ? util_root("formats/turner2004.par") : NULL, err);
	struct rna_energy *e = malloc(sizeof(*e));
	struct rna_mfe *m = NULL;
	struct rna_partition *q = NULL;
	struct rna_neural *n = NULL;
	const struct rna_pair_prob *pairs;
	int32_t pair[sizeof(seq)], drawn[sizeof(seq)];
	size_t npairs, len = sizeof(seq) - 1;
	double ensemble, accuracy, score, turner;
	struct rna_rng rng;
	enum rna_status st = RNA_EMEM;
	int energy, total;

	if (f == NULL || e == NULL) {
		st = f == NULL ? err->status : mem(st, err);
		goto out;
	}
	TRY(rna_energy_init(e, f, 30, 2, err));
	m = rna_mfe_create(e);
	q = rna_partition_create(e);
	n = rna_neural_create(e, 5);
	if (m == NULL || q == NULL || n == NULL) {
		st = mem(RNA_EMEM, err);
		goto out;
	}
	TRY(rna_mfe_fold(m, seq, len, &opts, pair, &energy, err));
	TRY(rna_energy_evaluate(e, seq, len, pair, 0, NULL, NULL, &total, err));
	TRY(rna_partition_fold(q, seq, len, &opts, energy, &ensemble, err));
	TRY(rna_partition_pairs(q, 1e-3, &pairs, &npairs, err));
	TRY(rna_fold_mea(pairs, npairs, len, 1, drawn, &accuracy, err));
	rna_rng_init(&rng, 1);
	TRY(rna_partition_sample(q, &rng, drawn, err));
	TRY(rna_neural_fold(n, seq, len, NULL, &opts, pair, &score, err));
	TRY(rna_neural_evaluate(n, seq, len, NULL, pair, &score, &turner, err));
	TRY(rna_neural_fold_augmented(n, seq, len, NULL, pair, &rna_margins_default, drawn, &score, err));
	*digest = rna_hash((const void *)drawn, len * sizeof(*drawn), (uint64_t)(energy + total));
out:
	rna_neural_destroy(n);
	rna_partition_destroy(q);
	rna_mfe_destroy(m);
	free(e);
	rna_energy_file_close(f);
	return st;
}

/* 4. Scores */

static enum rna_status
measure_classes(const void *arg, uint64_t *digest, struct rna_err *err)
{
	double weight[RECORDS] = {1, 1, 1, 1, 1, 1}, values[64], sample[32 * 64];
	struct rna_classset set, other;
	struct rna_classmetrics m = {0};
	struct rna_classdata data;
	struct rna_interval iv = {0};
	struct rna_seen seen = RNA_SEEN_INIT;
	enum rna_status st;
	double p;
	int i, was;

	(void)arg;
	rna_classset_init(&set);
	rna_classset_init(&other);
	if ((st = rna_classdata_init(&data, err)) != RNA_OK)
		return st;
	for (i = 0; i < RECORDS; i++) {
		TRY(rna_classset_add(&set, &labelled[i], err));
		TRY(rna_classset_add(&other, &labelled[RECORDS - 1 - i], err));
		TRY(rna_classdata_add(&data, &labelled[i], 32, i == 5, err));
		TRY(mem(rna_seen_add(&seen, (uint64_t)i, &was), err));
	}
	TRY(rna_classset_finish(&set, NULL, 0, err));
	TRY(rna_classset_finish(&other, NULL, 0, err));
	TRY(rna_classset_align(&other, &set, err));
	TRY(rna_classdata_seal(&data, err));
	TRY(mem(rna_classmetrics_init(&m, &set, 10), err));
	rna_classmetrics_measure(weight, &m, values);
	TRY(mem(rna_resample(RECORDS, 32, 1, rna_classmetrics_count(&m), rna_classmetrics_measure, &m, sample), err));
	TRY(mem(rna_resample_interval(sample, 32, rna_classmetrics_count(&m), 0, values[0], &iv), err));
	TRY(mem(rna_resample_difference(sample, sample, 32, rna_classmetrics_count(&m), 0, 0, &iv, &p), err));
	TRY(mem(rna_bootstrap_ratio(values, weight, RECORDS, 32, 1, &iv), err));
	*digest = rna_hash((const void *)values, sizeof(*values) * rna_classmetrics_count(&m), data.n);
out:
	rna_classmetrics_fini(&m);
	rna_classdata_fini(&data);
	rna_classset_fini(&set);
	rna_classset_fini(&other);
	rna_seen_fini(&seen);
	return st;
}

static enum rna_status
measure_others(const void *arg, uint64_t *digest, struct rna_err *err)
{
	static const float x[] = {0, 1, 1, 0, 0.5f, 0.5f, 1, 1};
	static const int32_t y[] = {0, 1, 0, 1};
	const struct rna_logistic problem = {4, 2, 2, x, y, NULL, 1};
	struct rna_logistic_fit *fit = NULL;
	double w[6] = {0}, loss, acc;
	struct rna_foldtruth truth;
	struct rna_context context = {0};
	struct rna_vote vote;
	const int32_t *pair;
	uint64_t n;
	size_t len;
	enum rna_status st;
	int i, steps;

	(void)arg;
	rna_foldtruth_init(&truth);
	rna_vote_init(&vote, RNA_VOTE_SOFT);
	for (i = 0; i < RECORDS; i++)
		TRY(mem(rna_foldtruth_add(&truth, &labelled[i], err), err));
	TRY(mem(rna_foldtruth_sort(&truth), err));
	pair = rna_foldtruth_find(&truth, &labelled[3], &len);
	st = (fit = rna_logistic_open(&problem, err)) == NULL ? RNA_EMEM : rna_logistic_run(fit, 0.1, w, &steps, err);
	TRY(st);
	TRY(rna_logistic_score(&problem, w, &loss, &acc, err));
	for (i = 0; i < 3; i++)
		TRY(mem(rna_vote_add(&vote, &labelled[i], 1, err), err));
	TRY(mem(rna_vote_end(&vote, NULL, err), err));
	TRY(mem(rna_context_init(&context, 1, &vocab), err));
	rna_context_add(&context, rna_record_get_vec(&labelled[0], "tokens", RNA_U8, &n), 16);
	rna_context_fit(&context);
	*digest = (uint64_t)steps + (uint64_t)pair[0];
out:
	rna_logistic_close(fit);
	rna_context_fini(&context);
	rna_vote_fini(&vote);
	rna_foldtruth_fini(&truth);
	return st;
}

int
main(void)
{
	static const int yes = 1, no = 0;
	char why[160] = "", model[512], cmd[600];

	json_set_alloc_funcs(fault_json, free);
	make_records();
	if ((rk = rk_open("ref", 1, why, sizeof(why))) == NULL) {
		ok(0, "a backend: %s", why);
		return done();
	}
	snprintf(model, sizeof(model), "%s", util_path("model"));
	mkdir(util_path("locked"), 0700);
	fault.forgiven = 1; /* libbsd's funopen leaves its own where fopencookie gets no memory */
	fault.json = 1;
	fault_try("a model made and saved", save_model, NULL, NULL);
	fault_try("settings of a class head, a header", write_json, NULL, NULL);
	fault.json = 0;
	fault_try("a model opened", open_model, model, NULL);
	fault_try("a configuration", load_config, util_path("model/config.json"), NULL);
	fault_try("lock and log", lock_and_log, NULL, put_log);
	fault_try("a training", train_model, NULL, NULL);
	fault_try("a training with a checkpoint", train_model, model, clear_checkpoints);
	fault_try("embeddings", embed_records, NULL, NULL);
	fault_try("folding", fold, &no, NULL);
	fault_try("folding under a constraint, with a parameter file", fold, &yes, NULL);
	fault_try("classes measured", measure_classes, NULL, NULL);
	fault_try("votes, structures, regression", measure_others, NULL, NULL);
	rk_close(rk);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", util_path(""));
	ok(system(cmd) == 0, "the scratch folder goes away");
	return done();
}
#endif
