/*
 * unit_model_files.c: model directories written and read: the same bytes again, other names, other types of numbers,
 * shards, untied heads, untransposed exports; and files that lie.
 */
#include <jansson.h>
#include <math.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nn/model.h"
#include "nn/names.h"
#include "nn/replace.h"
#include "tap.h"

static char scratch[] = "/tmp/unit_model_files.XXXXXX";

static const char *
path_of(const char *dir, const char *file)
{
	static char buf[8][512];
	static int at;

	at = (at + 1) % 8;
	snprintf(buf[at], sizeof(buf[at]), "%s/%s%s%s", scratch, dir, *file ? "/" : "", file);
	return buf[at];
}

static int
same_file(const char *a, const char *b)
{
	struct rna_buf x = RNA_BUF_INIT, y = RNA_BUF_INIT;
	struct rna_err err;
	int same;

	same = rna_replace_slurp(a, 1 << 26, &x, &err) == RNA_OK && rna_replace_slurp(b, 1 << 26, &y, &err) == RNA_OK &&
	       x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
	rna_buf_fini(&x);
	rna_buf_fini(&y);
	return same;
}

static void
small(struct rna_config *c, struct rna_err *err)
{
	if (rna_config_preset(c, "tiny", err) != RNA_OK)
		diag("%s", err->text);
	c->hidden = 16;
	c->heads = 4;
	c->ffn = 24;
	c->layers = 2;
	c->positions = 40;
	c->max = 32;
	c->init_range = 0.5f;
}

/* All values of a model as float. */
static float *
values(const struct rna_model *m)
{
	float *v = calloc(m->params.total, sizeof(*v));

	if (rk_download_f32(m->rk, v, m->params.value, m->params.total) != RK_OK)
		v[0] = NAN;
	return v;
}

static int
same_values(const struct rna_model *a, const struct rna_model *b)
{
	float *x = values(a), *y = values(b);
	int same = a->params.total == b->params.total && memcmp(x, y, a->params.total * sizeof(*x)) == 0;

	free(x);
	free(y);
	return same;
}

static int
open_in(struct rna_model *m, const char *dir, struct rk *rk, int fix_square, struct rna_err *err)
{
	const struct rna_model_options opts = {.fix_square = fix_square};

	rna_err_clear(err);
	return rna_model_open(m, path_of(dir, ""), rk, &opts, err) == RNA_OK;
}

/* The digest is sha256sum's, taken before or beside the loading, and the weights are the same. */
static void
test_digest(struct rk *rk)
{
	struct rna_model_options opts = {.digest = 1};
	struct rna_model a, b;
	struct rna_err err = {0};
	char hex[65] = "";
	int good;

	good = rna_model_open(&a, path_of("one", ""), rk, &opts, &err) == RNA_OK;
	opts.threads = 2;
	good &= rna_model_open(&b, path_of("one", ""), rk, &opts, &err) == RNA_OK;
	good &= SHA256File(path_of("one", "model.safetensors"), hex) != NULL;
	ok(good && strcmp(a.digest, hex) == 0 && strcmp(b.digest, hex) == 0 && same_values(&a, &b),
	    "the digest is that of the file, on one thread and on two");
	rna_model_fini(&a);
	rna_model_fini(&b);
}

/* A model is the same from the same seed, another from another; saved, read and saved again it has the same bytes. */
static void
test_round_trip(struct rk *rk)
{
	struct rna_config c;
	struct rna_model a, b, d;
	struct rna_vocab v;
	struct rna_err err = {0};
	int good;

	good = rna_vocab_init(&v) == RNA_OK;
	small(&c, &err);
	c.frame = RNA_FRAME_TYPE;
	c.type_head = 1;
	good &= rna_model_create(&a, &c, &v, rk, 1, &err) == RNA_OK &&
	        rna_model_create(&b, &c, &v, rk, 1, &err) == RNA_OK &&
	        rna_model_create(&d, &c, &v, rk, 2, &err) == RNA_OK;
	ok(good && same_values(&a, &b) && !same_values(&a, &d), "a new model is a function of its seed");
	good &= rna_model_save(&a, path_of("one", ""), &err) == RNA_OK;
	rna_model_fini(&b);
	good &= open_in(&b, "one", rk, 0, &err);
	ok(good && same_values(&a, &b) && b.config.frame == RNA_FRAME_TYPE && b.config.max == 32 && b.config.type_head,
	    "what was saved is read (%s)", err.text);
	good &= rna_model_save(&b, path_of("two", ""), &err) == RNA_OK;
	ok(good && same_file(path_of("one", "model.safetensors"), path_of("two", "model.safetensors")) &&
		same_file(path_of("one", "config.json"), path_of("two", "config.json")) &&
		same_file(path_of("one", "vocab.txt"), path_of("two", "vocab.txt")),
	    "saved again: the same bytes");
	ok(!a.digest[0] && !b.digest[0], "no digest unless asked for");
	rna_model_fini(&a);
	rna_model_fini(&b);
	rna_model_fini(&d);
	rna_config_fini(&c);
	rna_vocab_fini(&v);
}

/* How a changed copy of a model file is made. */
struct change {
	enum rna_naming naming;
	const char *dtype;
	int transpose;       /* square matrices as early exports have them */
	const char *drop;    /* stock name left out */
	const char *extra;   /* name of one more tensor of one number */
	const char *decoder; /* with a decoder matrix: "same" or "other" */
	int buffers;         /* with position_ids */
	int one_segment;
};

static int
is_square(const char *name)
{
	return strstr(name, ".self.") || strstr(name, "pooler") || strstr(name, "transform.dense");
}

static uint16_t
half(float f)
{
	uint32_t bits;
	int exp;

	memcpy(&bits, &f, sizeof(bits));
	exp = (int)(bits >> 23 & 255) - 112;
	if (exp <= 0) /* subnormal */
		return (
		    uint16_t)((bits >> 16 & 0x8000) | (exp < -10 ? 0 : ((bits & 0x7fffff) | 0x800000) >> (14 - exp)));
	return (uint16_t)((bits >> 16 & 0x8000) | (uint32_t)exp << 10 | (bits >> 13 & 1023));
}

/* The numbers of t as dtype, in malloc'ed memory. */
static void *
convert(const struct rna_tensor *t, const char *dtype, int transpose, int other)
{
	float *f = calloc(t->count + 1, sizeof(*f)), x;
	void *out = calloc(t->count + 1, 8);
	uint32_t bits;
	uint64_t at;

	if (rna_safetensors_read(t, 0, t->count, f) != RNA_OK)
		f[0] = NAN;
	for (uint64_t i = 0; i < t->count; i++) {
		at = transpose ? i % t->dims[0] * t->dims[0] + i / t->dims[0] : i;
		x = f[at] + (float)other;
		memcpy(&bits, &x, sizeof(bits));
		if (strcmp(dtype, "BF16") == 0)
			((uint16_t *)out)[i] = (uint16_t)(bits >> 16);
		else if (strcmp(dtype, "F16") == 0)
			((uint16_t *)out)[i] = half(x);
		else if (strcmp(dtype, "F64") == 0)
			((double *)out)[i] = (double)x;
		else
			((float *)out)[i] = x;
	}
	free(f);
	return out;
}

/* Adds a tensor to the list that is written. */
static struct rna_tensor_out *
put(struct rna_tensor_out *o, const char *name, const struct rna_tensor *t, const char *dtype, const void *data)
{
	*o = (struct rna_tensor_out){.name = name, .dtype = dtype, .ndim = t->ndim, .data = data};
	memcpy(o->dims, t->dims, sizeof(o->dims));
	return o + 1;
}

/* Writes model dir `to` as model dir `from` changed. */
static int
rewrite(const char *from, const char *to, const struct change *c)
{
	static char names[256][RNA_NAMES_SIZE];
	static const int64_t ids[4] = {0, 1, 2, 3};
	struct rna_tensor_out out[256], *o = out;
	struct rna_safetensors s;
	struct rna_err err = {0};
	const struct rna_tensor *words;
	char cmd[2048];
	int rc;

	snprintf(cmd, sizeof(cmd), "mkdir -p %s && cp %s %s %s", path_of(to, ""), path_of(from, "config.json"),
	    path_of(from, "vocab.txt"), path_of(to, ""));
	if (system(cmd) != 0 || rna_safetensors_open(&s, path_of(from, "model.safetensors"), &err) != RNA_OK)
		return 0;
	for (size_t i = 0; i < s.n; i++) {
		const struct rna_tensor *t = &s.list[i];

		if (c->drop && strcmp(t->name, c->drop) == 0)
			continue;
		o = put(o, rna_names_file(c->naming, t->name, names[i]), t, c->dtype,
		    convert(t, c->dtype, c->transpose && t->ndim == 2 && is_square(t->name), 0));
	}
	words = rna_safetensors_find(&s, "bert.embeddings.word_embeddings.weight");
	if (c->decoder)
		o = put(o, rna_names_file(c->naming, "cls.predictions.decoder.weight", names[200]), words, c->dtype,
		    convert(words, c->dtype, 0, c->decoder[0] == 'o'));
	if (c->buffers)
		*o++ = (struct rna_tensor_out){"embeddings.position_ids", "I64", 2, {1, 4}, ids, NULL};
	if (c->extra)
		*o++ = (struct rna_tensor_out){c->extra, "F32", 1, {2}, ids, NULL};
	rc = rna_safetensors_write(path_of(to, "model.safetensors"), out, (size_t)(o - out), NULL, NULL, NULL, &err) ==
	     RNA_OK;
	if (!rc)
		diag("%s", err.text);
	for (struct rna_tensor_out *p = out; p < o; p++)
		if (p->data != ids)
			free((void *)(uintptr_t)p->data);
	rna_safetensors_close(&s);
	return rc;
}

/* One changed file that is read as the model it was. */
static void
test_variant(struct rk *rk, const struct rna_model *want, const struct change *c, int fix, const char *label)
{
	struct rna_model m;
	struct rna_err err = {0};
	int good;

	good = rewrite("one", "variant", c) && open_in(&m, "variant", rk, fix, &err);
	ok(good && same_values(&m, want), "%s (%s)", label, err.text);
	if (good)
		rna_model_fini(&m);
}

static void
test_variants(struct rk *rk)
{
	static const struct {
		struct change c;
		int fix;
		const char *label;
	} all[] = {
	    {{RNA_NAMES_MULTIMOLECULE, "F32", 0, NULL, NULL, NULL, 0, 0}, 0, "multimolecule's names are read"},
	    {{RNA_NAMES_RNAERNIE, "F32", 0, NULL, NULL, NULL, 0, 0}, 0, "multimolecule's former names are read"},
	    {{RNA_NAMES_PLAIN, "F32", 0, NULL, NULL, NULL, 0, 0}, 0, "stock names without bert. are read"},
	    {{RNA_NAMES_PLAIN_MULTIMOLECULE, "F32", 0, NULL, NULL, NULL, 0, 0}, 0, "names without model. are read"},
	    {{RNA_NAMES_BERT, "F64", 0, NULL, NULL, NULL, 0, 0}, 0, "F64 is read"},
	    {{RNA_NAMES_BERT, "F32", 0, NULL, NULL, "same", 0, 0}, 0,
		"a stored decoder equal to the embeddings is tied"},
	    {{RNA_NAMES_BERT, "F32", 0, NULL, "classifier.weight", NULL, 1, 0}, 0,
		"position_ids and classifier are left out"},
	    {{RNA_NAMES_BERT, "F32", 0, NULL, "fold.x", NULL, 0, 0}, 0, "fold.* is left out"},
	    {{RNA_NAMES_MULTIMOLECULE, "F32", 1, NULL, NULL, NULL, 0, 0}, 1,
		"square matrices are transposed on request"},
	};
	struct rna_model want;
	struct rna_err err = {0};

	if (!open_in(&want, "one", rk, 0, &err)) {
		ok(0, "the model of the round trip opens: %s", err.text);
		return;
	}
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		test_variant(rk, &want, &all[i].c, all[i].fix, all[i].label);
	rna_model_fini(&want);
}

/* Half precision: read, and within half a step of the value. */
static void
test_halves(struct rk *rk)
{
	static const struct change changes[2] = {{.dtype = "BF16"}, {.dtype = "F16"}};
	struct rna_model want, m;
	struct rna_err err = {0};
	float *x, *y;
	double worst;
	int good;

	for (int i = 0; i < 2; i++) {
		good = open_in(&want, "one", rk, 0, &err) && rewrite("one", "half", &changes[i]) &&
		       open_in(&m, "half", rk, 0, &err);
		x = good ? values(&want) : NULL;
		y = good ? values(&m) : NULL;
		worst = 0;
		for (size_t k = 0; good && k < want.params.total; k++)
			worst = fmax(worst, fabs((double)x[k] - (double)y[k]) / (fabs((double)x[k]) + 1e-4));
		ok(good && worst > 0 && worst < (i ? 1.0 / 1024 : 1.0 / 128), "%s is read (%.2g of the value)",
		    changes[i].dtype, worst);
		free(x);
		free(y);
		rna_model_fini(&want);
		rna_model_fini(&m);
	}
}

/* A decoder of its own stays one, in the file and in config.json. */
static void
test_untied(struct rk *rk)
{
	static const struct change c = {.dtype = "F32", .decoder = "other"};
	struct rna_model m, again;
	struct rna_err err = {0};
	const json_t *tie;
	int good;

	good = rewrite("one", "untied", &c) && open_in(&m, "untied", rk, 0, &err);
	ok(good && m.config.untied && rna_params_find(&m.params, "mlm.decoder.weight") >= 0,
	    "a decoder of its own is kept (%s)", err.text);
	if (!good)
		return;
	good = rna_model_save(&m, path_of("untied2", ""), &err) == RNA_OK && open_in(&again, "untied2", rk, 0, &err);
	tie = good ? json_object_get(again.config.json, "tie_word_embeddings") : NULL;
	ok(good && again.config.untied && same_values(&m, &again) && json_is_false(tie), "and written back (%s)",
	    err.text);
	rna_model_fini(&m);
	if (good)
		rna_model_fini(&again);
}

static int
write_text(const char *path, const char *text)
{
	FILE *fp = fopen(path, "w");

	return fp && fputs(text, fp) >= 0 && fclose(fp) == 0;
}

/* The sentence with which a changed file is refused. */
static void
refused(struct rk *rk, const struct change *c, const char *sentence)
{
	struct rna_model m;
	struct rna_err err = {0};
	int opened;

	opened = rewrite("one", "refused", c) && open_in(&m, "refused", rk, 0, &err);
	ok(!opened && err.status == RNA_EFORMAT && strcmp(err.text, sentence) == 0, "refused: %s", sentence);
	if (strcmp(err.text, sentence) != 0)
		diag("got: %s", err.text);
	if (opened)
		rna_model_fini(&m);
}

static void
test_refused(struct rk *rk)
{
	static const struct change missing = {.dtype = "F32", .drop = "bert.encoder.layer.1.attention.self.key.bias"};
	static const struct change missing_multi = {
	    .naming = RNA_NAMES_MULTIMOLECULE, .dtype = "F32", .drop = "bert.encoder.layer.0.output.LayerNorm.weight"};
	static const struct change extra = {.dtype = "F32", .extra = "bert.encoder.layer.2.output.dense.bias"};
	static const struct change mixed = {.dtype = "F32", .extra = "lm_head.bias"};
	static const struct change bias = {.dtype = "F32", .extra = "cls.predictions.decoder.bias"};
	static const struct change norms = {.dtype = "F32", .extra = "bert.encoder.layer_norm.bias"};

	refused(rk, &missing, "tensor bert.encoder.layer.1.attention.self.key.bias is missing");
	refused(rk, &missing_multi, "tensor model.encoder.layer.0.output.layer_norm.weight is missing");
	refused(rk, &extra, "tensor bert.encoder.layer.2.output.dense.bias has no place in the model of config.json");
	refused(rk, &mixed, "names of two kinds are mixed: bert.embeddings.LayerNorm.bias and lm_head.bias");
	refused(rk, &bias, "cls.predictions.bias and cls.predictions.decoder.bias differ, one bias is expected");
	refused(rk, &norms, "tensor bert.encoder.layer_norm.bias has a name of two kinds");
}

/* Shards by an index; names with a slash, missing files and lies of the map are refused. */
static void
test_shards(struct rk *rk)
{
	static const struct change c = {.dtype = "F32"};
	struct rna_model m, want;
	struct rna_err err = {0};
	struct rna_safetensors s;
	struct rna_tensor_out a[256], b[256];
	size_t na = 0, nb = 0;
	json_t *root = json_pack("{s:{}}", "weight_map"), *map = json_object_get(root, "weight_map");
	int good;

	good = rewrite("one", "shards", &c) && open_in(&want, "one", rk, 0, &err) &&
	       rna_safetensors_open(&s, path_of("shards", "model.safetensors"), &err) == RNA_OK;
	if (!good) {
		ok(0, "shards are made: %s", err.text);
		return;
	}
	for (size_t i = 0; i < s.n; i++) {
		put(i % 3 ? &a[na++] : &b[nb++], s.list[i].name, &s.list[i], "F32", s.list[i].data);
		json_object_set_new(map, s.list[i].name, json_string(i % 3 ? "a.safetensors" : "b.safetensors"));
	}
	good = rna_safetensors_write(path_of("shards", "a.safetensors"), a, na, NULL, NULL, NULL, &err) == RNA_OK &&
	       rna_safetensors_write(path_of("shards", "b.safetensors"), b, nb, NULL, NULL, NULL, &err) == RNA_OK &&
	       json_dump_file(root, path_of("shards", "model.safetensors.index.json"), 0) == 0 &&
	       unlink(path_of("shards", "model.safetensors")) == 0;
	good = good && open_in(&m, "shards", rk, 0, &err);
	ok(good && same_values(&m, &want), "shards are read (%s)", err.text);
	if (good)
		rna_model_fini(&m);
	json_object_set_new(map, s.list[0].name, json_string("../one/model.safetensors"));
	json_dump_file(root, path_of("shards", "model.safetensors.index.json"), 0);
	ok(!open_in(&m, "shards", rk, 0, &err) && strstr(err.text, "is not a plain file name"),
	    "a shard elsewhere is refused (%s)", err.text);
	json_object_set_new(map, s.list[0].name, json_string("a.safetensors"));
	json_dump_file(root, path_of("shards", "model.safetensors.index.json"), 0);
	ok(!open_in(&m, "shards", rk, 0, &err) && strstr(err.text, "the weight_map has it in"),
	    "a lying map is refused (%s)", err.text);
	write_text(path_of("shards", "model.safetensors.index.json"), "{\"weight_map\": []}");
	ok(!open_in(&m, "shards", rk, 0, &err) && strcmp(err.text, "no weight_map") == 0,
	    "a map that is none is refused");
	rna_safetensors_close(&s);
	rna_model_fini(&want);
	json_decref(root);
}

/* The hint at an early export, and need_pooler and need_mlm. */
static void
test_hints(struct rk *rk)
{
	static const struct change old = {.naming = RNA_NAMES_RNAERNIE, .dtype = "F32"};
	const struct rna_model_options pooler = {.need_pooler = 1};
	struct rna_model m;
	struct rna_err err = {0};
	int good;

	good = rewrite("one", "old", &old) && open_in(&m, "old", rk, 0, &err);
	ok(good && m.square_suspect, "an export of multimolecule's first kind is suspected");
	if (good)
		rna_model_fini(&m);
	good = open_in(&m, "old", rk, 1, &err);
	ok(good && !m.square_suspect, "and not when it is corrected");
	if (good)
		rna_model_fini(&m);
	good = rna_model_open(&m, path_of("one", ""), rk, &pooler, &err) == RNA_OK;
	ok(!good && strstr(err.text, "has no pooler"), "a pooler that is needed and not there (%s)", err.text);
	ok(rna_model_open(&m, path_of("nowhere", ""), rk, NULL, &err) == RNA_EIO &&
		strstr(err.file, "nowhere/config.json"),
	    "a folder that is not there (%s: %s)", err.file, err.text);
}

int
main(void)
{
	char why[160] = "", cmd[600];
	struct rk *rk = rk_open("ref", 1, why, sizeof(why));

	if (!rk || !mkdtemp(scratch)) {
		ok(0, "a backend and a scratch folder: %s", why);
		return done();
	}
	test_round_trip(rk);
	test_digest(rk);
	test_variants(rk);
	test_halves(rk);
	test_untied(rk);
	test_refused(rk);
	test_shards(rk);
	test_hints(rk);
	rk_close(rk);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", scratch);
	ok(system(cmd) == 0, "the scratch folder goes away");
	return done();
}
