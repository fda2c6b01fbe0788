/*
 * unit_config.c: config.json: what is read, what is refused and with which words, what is written; the files of two
 * models in one folder.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nn/config.h"
#include "nn/foldnet.h"
#include "nn/model.h"
#include "tap.h"

static char scratch[] = "/tmp/unit_config.XXXXXX";

static const char *
path_of(const char *name)
{
	static char buf[4][256];
	static int at;

	at = (at + 1) % 4;
	snprintf(buf[at], sizeof(buf[at]), "%s/%s", scratch, name);
	return buf[at];
}

/* The least that is a model, and text between its braces; "-key" takes a key away. */
static enum rna_status
load(struct rna_config *c, const char *with, struct rna_err *err)
{
	static const char least[] =
	    "{\"model_type\": \"bert\", \"vocab_size\": 39, \"hidden_size\": 8, \"num_hidden_layers\": 1, "
	    "\"num_attention_heads\": 2, \"intermediate_size\": 16, \"max_position_embeddings\": 40}";
	json_t *o = json_loads(least, 0, NULL), *more;

	if (with[0] == '-') {
		json_object_del(o, with + 1);
	} else {
		more = json_loads(with, 0, NULL);
		if (more == NULL || json_object_update(o, more) < 0)
			diag("%s: not JSON", with);
		json_decref(more);
	}
	if (json_dump_file(o, path_of("config.json"), 0) < 0)
		diag("cannot write");
	json_decref(o);
	rna_err_clear(err);
	return rna_config_load(c, path_of("config.json"), err);
}

#define BERT "\"architectures\": [\"BertForSequenceClassification\"]"
#define OWN(x) "{\"num_labels\": 3, \"rill\": {\"classifier\": {" x "}}}"
#define WORDS " is none of those that are known"

static const struct {
	const char *with, *says;
} refused[] = {
    {"-vocab_size", "vocab_size is missing"},
    {"-hidden_size", "hidden_size is missing"},
    {"-num_hidden_layers", "num_hidden_layers is missing"},
    {"-num_attention_heads", "num_attention_heads is missing"},
    {"-intermediate_size", "intermediate_size is missing"},
    {"-max_position_embeddings", "max_position_embeddings is missing"},
    {"{\"vocab_size\": \"39\"}", "vocab_size is not a whole number"},
    {"{\"vocab_size\": 257}", "vocab_size is 257, it must be 1 to 256"},
    {"{\"hidden_size\": 0}", "hidden_size is 0, it must be 1 to 65536"},
    {"{\"hidden_size\": 9}", "hidden_size 9 is not a multiple of num_attention_heads 2"},
    {"{\"type_vocab_size\": 3}", "type_vocab_size is 3, it must be 1 to 2"},
    {"{\"hidden_act\": \"tanh\"}", "hidden_act is tanh, only relu and gelu are known"},
    {"{\"hidden_act\": 1}", "hidden_act is not a string"},
    {"{\"layer_norm_eps\": \"1\"}", "layer_norm_eps is not a number"},
    {"{\"layer_norm_eps\": 2}", "layer_norm_eps is 2, it must be 0 to 1"},
    {"{\"layer_norm_eps\": -1}", "layer_norm_eps is -1, it must be 0 to 1"},
    {"{\"initializer_range\": 101}", "initializer_range is 101"},
    {"{\"hidden_dropout\": 1}", "hidden_dropout is 1, it must be 0 to 0.99"},
    {"{\"hidden_dropout_prob\": 1}", "hidden_dropout_prob is 1"},
    {"{\"attention_dropout\": 1}", "attention_dropout is 1"},
    {"{\"attention_probs_dropout_prob\": 1}", "attention_probs_dropout_prob is 1"},
    {"{\"position_embedding_type\": \"relative_key\"}",
	"position_embedding_type is relative_key, only absolute is known"},
    {"{\"is_decoder\": true}", "is_decoder is true, only encoders are known"},
    {"{\"lm_head\": 1}", "lm_head is not an object"},
    {"{\"lm_head\": {\"transform_act\": \"x\"}}", "transform_act is x"},
    {"{\"lm_head\": {\"layer_norm_eps\": 2}}", "layer_norm_eps is 2"},
    {"{\"lm_head\": {\"transform\": \"linear\"}}", "lm_head.transform is linear, only nonlinear is known"},
    {"{\"lm_head\": {\"bias\": false}}", "lm_head.bias is false"},
    {"{\"lm_head\": {\"act\": \"softmax\"}}", "lm_head.act is set"},
    {"{\"rill\": 1}", "rill is not an object"},
    {"{\"rill\": {\"frame\": 1}}", "rill.frame is neither plain nor type"},
    {"{\"rill\": {\"frame\": \"other\"}}", "rill.frame is neither plain nor type"},
    {"{\"rill\": {\"max\": 41}}", "max is 41, it must be 5 to 40"},
    {"{\"rill\": {\"mlm_act\": \"x\"}}", "mlm_act is x"},
    {"{\"rill\": {\"mlm_eps\": 2}}", "mlm_eps is 2"},
    {"{" BERT ", \"id2label\": [\"a\"]}", "id2label is not an object"},
    {"{" BERT ", \"id2label\": {\"0\": \"a\", \"2\": \"b\"}}", "id2label has no name for 1"},
    {"{" BERT ", \"id2label\": {\"0\": \"a\", \"1\": 2}}", "id2label has no name for 1"},
    {"{" BERT ", \"num_labels\": 4097}", "4097 classes, they must be 2 to 4096"},
    {"{\"num_labels\": 1, \"rill\": {\"classifier\": {}}}", "1 classes, they must be 2 to 4096"},
    {OWN("\"from\": \"x\""), "rill.classifier.from" WORDS},
    {OWN("\"from\": 1"), "rill.classifier.from" WORDS},
    {OWN("\"head\": \"x\""), "rill.classifier.head" WORDS},
    {OWN("\"chunks\": \"x\""), "rill.classifier.chunks" WORDS},
    {OWN("\"typer\": \"x\""), "rill.classifier.typer" WORDS},
    {OWN("\"from\": \"interaction\", \"axis\": \"x\""), "rill.classifier.axis" WORDS},
    {OWN("\"from\": \"interaction\", \"dropout\": 1"), "rill.classifier.dropout is 1, it must be 0 to 0.99"},
    {OWN("\"from\": \"interaction\", \"dropout\": -1"), "rill.classifier.dropout is -1, it must be 0 to 0.99"},
    {OWN("\"typer\": \"frozen\""), "rill.classifier.types or .floor is out of range"},
    {OWN("\"typer\": \"shared\", \"types\": 257"), "rill.classifier.types or .floor is out of range"},
    {OWN("\"typer\": \"shared\", \"types\": 2, \"floor\": 2"), "rill.classifier.types or .floor is out of range"},
    {OWN("\"typer\": \"shared\", \"types\": 2, \"floor\": -1"), "rill.classifier.types or .floor is out of range"},
};

static void
test_refused(void)
{
	struct rna_config c;
	struct rna_err err;
	size_t i;
	FILE *f;

	for (i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		ok(load(&c, refused[i].with, &err) == RNA_EFORMAT && strstr(err.text, refused[i].says) != NULL &&
			strcmp(err.file, path_of("config.json")) == 0 && c.json == NULL && c.labels == NULL,
		    "%s: %s", refused[i].with, err.text);
	if ((f = fopen(path_of("list.json"), "w")) != NULL && fputs("[1]", f) >= 0)
		fclose(f);
	ok(rna_config_load(&c, path_of("list.json"), &err) == RNA_EFORMAT && strcmp(err.text, "not a JSON object") == 0,
	    "a list");
	if ((f = fopen(path_of("cut.json"), "w")) != NULL && fputs("{\n\"a\": ", f) >= 0)
		fclose(f);
	ok(rna_config_load(&c, path_of("cut.json"), &err) == RNA_EFORMAT && strstr(err.text, "at line 2") != NULL,
	    "cut: %s", err.text);
	ok(rna_config_load(&c, path_of("none"), &err) == RNA_EIO && c.json == NULL, "none: %s", err.text);
	ok(rna_config_load(&c, scratch, &err) == RNA_EFORMAT, "a folder: %s", err.text);
	ok(rna_config_preset(&c, "huge", &err) == RNA_EINVAL && strstr(err.text, "huge: tiny, small or base") != NULL,
	    "%s", err.text);
}

static void
test_defaults(void)
{
	struct rna_config c;
	struct rna_err err;

	ok(load(&c, "{}", &err) == RNA_OK && c.act == RK_GELU && c.mlm_act == RK_GELU && c.segments == 2 &&
		c.max == 40 && c.frame == RNA_FRAME_PLAIN && c.eps == 1e-12f && c.labels == NULL &&
		c.hidden_dropout == 0.1f,
	    "the least that is a model");
	rna_config_fini(&c);
	ok(load(&c, "{\"model_type\": \"rnaernie\", \"max_position_embeddings\": 513, \"lm_head\": null}", &err) ==
		    RNA_OK &&
		c.act == RK_RELU && c.max == 512,
	    "RNAErnie: relu, and a row more than tokens");
	rna_config_fini(&c);
	ok(load(&c, "-model_type", &err) == RNA_OK && c.act == RK_RELU, "no model_type");
	rna_config_fini(&c);
	ok(load(&c,
	       "{\"hidden_act\": \"relu\", \"layer_norm_eps\": 0.001, \"lm_head\": {\"transform\": \"nonlinear\", "
	       "\"transform_act\": \"gelu\", \"layer_norm_eps\": 0.5, \"bias\": true, \"act\": null}, \"rill\": "
	       "{\"frame\": \"type\", \"max\": 5, \"type_head\": true}}",
	       &err) == RNA_OK &&
		c.act == RK_RELU && c.mlm_act == RK_GELU && c.eps == 0.001f && c.mlm_eps == 0.5f &&
		c.frame == RNA_FRAME_TYPE && c.max == 5 && c.type_head,
	    "a head with settings of its own (%s)", err.text);
	rna_config_fini(&c);
	ok(load(&c, "{" BERT "}", &err) == RNA_OK && rna_config_classes(&c) == 2 && c.class_from == RNA_CLASS_POOLED &&
		strcmp(json_string_value(json_array_get(c.labels, 1)), "LABEL_1") == 0,
	    "a class head without names has two");
	rna_config_fini(&c);
	ok(load(&c, "{" BERT ", \"num_labels\": 1}", &err) == RNA_OK && c.labels == NULL,
	    "a regression is no class head");
	rna_config_fini(&c);
	ok(load(&c, "{\"architectures\": [\"BertModel\"], \"num_labels\": 5}", &err) == RNA_OK && c.labels == NULL,
	    "num_labels alone is none");
	rna_config_fini(&c);
}

/* Written and read again: the head is the same one, and what is of no use is not written. */
static void
test_heads(void)
{
	static const struct {
		const char *with;
		int own; /* rill.classifier is written */
	} heads[] = {
	    {"{" BERT ", \"id2label\": {\"0\": \"tRNA\", \"1\": \"rRNA\", \"2\": \"sn\"}}", 0},
	    {OWN(""), 0},
	    {"{\"num_labels\": 3, \"rill\": {\"pairs\": true, \"classifier\": {\"from\": \"cls\"}}}", 1},
	    {OWN("\"head\": \"mlp\""), 1},
	    {OWN("\"chunks\": \"attention\""), 1},
	    {OWN("\"from\": \"mean\", \"head\": \"linear\", \"chunks\": \"mlp\""), 1},
	    {OWN("\"from\": \"attention\", \"typer\": \"frozen\", \"types\": 3, \"floor\": 0.25"), 1},
	    {OWN("\"typer\": \"shared\", \"types\": 256"), 1},
	    {OWN("\"from\": \"interaction\""), 1},
	    {OWN("\"from\": \"interaction\", \"axis\": \"channels\", \"language_model\": false, \"dropout\": 0.3"), 1},
	};
	struct rna_config c, d;
	struct rna_err err;
	int good, own;
	size_t i;

	for (i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
		good = load(&c, heads[i].with, &err) == RNA_OK &&
		       rna_config_save(&c, path_of("again"), &err) == RNA_OK &&
		       rna_config_load(&d, path_of("again"), &err) == RNA_OK;
		if (!good) {
			ok(0, "%s: %s", heads[i].with, err.text);
			continue;
		}
		own = json_object_get(json_object_get(d.json, "rill"), "classifier") != NULL;
		ok(own == heads[i].own && rna_config_classes(&d) == 3 && json_equal(c.labels, d.labels) &&
			c.class_from == d.class_from && c.class_mlp == d.class_mlp &&
			c.class_chunks == d.class_chunks && c.class_typer == d.class_typer &&
			c.class_types == d.class_types && c.class_floor == d.class_floor && c.pairs == d.pairs &&
			c.class_axis == d.class_axis && c.class_lm == d.class_lm && c.class_dropout == d.class_dropout,
		    "the same again: %s", heads[i].with);
		rna_config_fini(&c);
		rna_config_fini(&d);
	}
	/* a head that is taken away leaves no key behind */
	good = load(&c, heads[2].with, &err) == RNA_OK;
	json_decref(c.labels);
	c.labels = NULL;
	good = good && rna_config_save(&c, path_of("again"), &err) == RNA_OK &&
	       rna_config_load(&d, path_of("again"), &err) == RNA_OK;
	ok(good && d.labels == NULL && json_object_get(json_object_get(d.json, "rill"), "pairs") == NULL,
	    "a head that went");
	rna_config_fini(&c);
	rna_config_fini(&d);
}

static void
test_check(void)
{
	struct rna_config c, d;
	struct rna_err err;
	int *const numbers[] = {&c.vocab_size, &c.hidden, &c.layers, &c.heads, &c.ffn, &c.positions, &c.segments};
	float *const reals[] = {&c.eps, &c.mlm_eps, &c.hidden_dropout, &c.attention_dropout, &c.init_range};
	size_t i;
	int good = 1;

	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		good &= rna_config_preset(&c, "small", &err) == RNA_OK && rna_config_check(&c, &err) == RNA_OK;
		*numbers[i] = 0;
		good &= rna_config_check(&c, &err) == RNA_EFORMAT;
	}
	for (i = 0; i < sizeof(reals) / sizeof(*reals); i++) {
		good &= rna_config_preset(&c, "base", &err) == RNA_OK && rna_config_check(&c, &err) == RNA_OK;
		*reals[i] = -1;
		good &= rna_config_check(&c, &err) == RNA_EFORMAT;
	}
	ok(good, "every range is checked");
	good = rna_config_preset(&c, "tiny", &err) == RNA_OK;
	c.heads = 3;
	ok(good && rna_config_check(&c, &err) == RNA_EFORMAT, "%s", err.text);
	c.heads = 2;
	c.max = 4;
	good = rna_config_check(&c, &err) == RNA_EFORMAT;
	c.max = 514;
	ok(good && rna_config_check(&c, &err) == RNA_EFORMAT &&
		strcmp(err.text, "514 tokens do not go into 513 positions") == 0,
	    "%s", err.text);
	ok(rna_config_copy(&d, &c) == RNA_OK && d.json == NULL && d.labels == NULL && d.max == 514,
	    "a copy of a preset");
	ok(rna_config_save(&c, path_of("no/where"), &err) == RNA_EIO, "%s", err.text);
}

/* Two models' files in one folder, as a power cut between them leaves them; a key changed by hand. */
static void
test_mixed_files(void)
{
	char why[160] = "", one[RNA_CONFIG_ID], two[RNA_CONFIG_ID];
	struct rk *rk = rk_open("ref", 1, why, sizeof(why));
	struct rna_config c;
	struct rna_model a, b, m;
	struct rna_vocab v;
	struct rna_err err = {0};
	int good;

	good = rk != NULL && rna_vocab_init(&v) == RNA_OK && rna_config_preset(&c, "tiny", &err) == RNA_OK;
	c.layers = 1;
	good = good && rna_model_create(&a, &c, &v, rk, 1, &err) == RNA_OK;
	c.heads = 4; /* no shape tells */
	good = good && rna_model_create(&b, &c, &v, rk, 1, &err) == RNA_OK &&
	       rna_model_save(&a, path_of("mixed"), &err) == RNA_OK &&
	       rna_model_save(&b, path_of("other"), &err) == RNA_OK && rna_config_id(&a.config, one, &err) == RNA_OK &&
	       rna_config_id(&b.config, two, &err) == RNA_OK;
	if (!good) {
		ok(0, "%s%s", why, err.text);
		return;
	}
	ok(strcmp(one, two) != 0, "another number of heads is another id");
	good = rename(path_of("other/config.json"), path_of("mixed/config.json")) == 0 &&
	       rna_model_open(&m, path_of("mixed"), rk, NULL, &err) == RNA_EFORMAT;
	ok(good && strstr(err.text, "of two models") != NULL, "config.json of one and weights of another: %s",
	    err.text);
	b.config.hidden_dropout = 0.25f;
	good = rna_model_save(&b, path_of("mixed"), &err) == RNA_OK &&
	       rna_model_open(&m, path_of("mixed"), rk, NULL, &err) == RNA_OK;
	ok(good && m.config.heads == 4 && m.config.hidden_dropout == 0.25f, "written again: whole");
	json_object_set_new(m.config.json, "hidden_dropout_prob", json_real(0.5));
	good = json_dump_file(m.config.json, path_of("mixed/config.json"), 0) == 0;
	rna_model_fini(&m);
	ok(good && rna_model_open(&m, path_of("mixed"), rk, NULL, &err) == RNA_OK && m.config.hidden_dropout == 0.5f,
	    "a key changed by hand is taken");
	rna_model_fini(&m);
	rna_model_fini(&a);
	rna_model_fini(&b);
	rna_vocab_fini(&v);
	rk_close(rk);
}

/* The same of folding networks, whose heads no shape tells either. */
static void
test_mixed_networks(void)
{
	char why[160] = "";
	struct rk *rk = rk_open("ref", 1, why, sizeof(why));
	struct rna_foldnet_config c;
	struct rna_foldnet a = {0}, b = {0}, f = {0};
	struct rna_err err = {0};
	json_t *o;
	int good;

	rna_foldnet_default(&c, 0);
	good = rk != NULL && rna_foldnet_preset(&c, "tiny", &err) == RNA_OK &&
	       rna_foldnet_create(&a, &c, rk, 1, &err) == RNA_OK;
	c.heads = 4;
	good = good && rna_foldnet_create(&b, &c, rk, 1, &err) == RNA_OK &&
	       rna_foldnet_save(&a, path_of("net"), &err) == RNA_OK &&
	       rna_foldnet_save(&b, path_of("net2"), &err) == RNA_OK &&
	       rename(path_of("net2/config.json"), path_of("net/config.json")) == 0;
	ok(good && rna_foldnet_open(&f, path_of("net"), rk, &err) == RNA_EFORMAT &&
		strstr(err.text, "of two models") != NULL,
	    "config.json of one network and weights of another: %s", err.text);
	rna_foldnet_fini(&f);
	good = rna_foldnet_save(&b, path_of("net"), &err) == RNA_OK &&
	       rna_foldnet_open(&f, path_of("net"), rk, &err) == RNA_OK && f.config.heads == 4;
	ok(good, "written again: whole");
	rna_foldnet_fini(&f);
	o = json_load_file(path_of("net/config.json"), 0, NULL);
	good = json_object_del(json_object_get(o, "rill"), "id") == 0 &&
	       json_dump_file(o, path_of("net/config.json"), 0) == 0;
	json_decref(o);
	ok(good && rna_foldnet_open(&f, path_of("net"), rk, &err) == RNA_OK, "without an id nothing is compared");
	rna_foldnet_fini(&f);
	rna_foldnet_fini(&a);
	rna_foldnet_fini(&b);
	rk_close(rk);
}

int
main(void)
{
	char cmd[300];

	if (mkdtemp(scratch) == NULL) {
		ok(0, "a scratch folder");
		return done();
	}
	test_refused();
	test_defaults();
	test_heads();
	test_check();
	test_mixed_files();
	test_mixed_networks();
	snprintf(cmd, sizeof(cmd), "rm -rf %s", scratch);
	ok(system(cmd) == 0, "the scratch folder goes away");
	return done();
}
