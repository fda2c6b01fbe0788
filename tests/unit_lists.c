/*
 * unit_lists.c: what config.json says of framing, vocabularies and lists of motifs: taken, or refused in their words.
 */
#include "seq/frame.h"
#include "seq/motif.h"
#include "seq/vocab.h"
#include "stream_util.h"
#include "tap.h"

static void
put_text(const char *name, const char *text)
{
	util_put(util_path(name), text, strlen(text));
}

static void
test_framing(void)
{
	static const struct {
		const char *json;
		int good;
		uint32_t max;
	} files[] = {
	    {"{\"max_position_embeddings\": 513}", 1, 512},
	    {"{\"rill\": {\"max\": 513, \"frame\": \"type\"}}", 1, 513},
	    {"{\"rill\": {\"frame\": \"plain\"}}", 1, 0},
	    {"{}", 1, 0},
	    {"{\"rill\": {\"frame\": \"odd\"}}", 0, 0},
	    {"{\"rill\": {\"max\": 4}}", 0, 0},
	    {"{\"rill\": {\"max\": 4294967296}}", 0, 0},
	    {"{\"rill\": {\"max\": \"5\"}}", 0, 0},
	    {"{", 0, 0},
	};
	struct rna_framing f = {0};
	struct rna_err e = {.record = RNA_NOREC};
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(*files); i++) {
		put_text("config", files[i].json);
		ok((rna_frame_config(&f, util_path("config"), &e) == RNA_OK) == files[i].good &&
			(!files[i].good || f.max == files[i].max),
		    "%s", files[i].json);
	}
}

static void
test_vocabularies(void)
{
#define REST "[UNK]\n[CLS]\n[SEP]\n"
	static const struct {
		const char *text, *says;
	} files[] = {
	    {REST "A\nC\nG\nU\n", NULL},
	    {"[SEP]\n[UNK]\n[CLS]\nA\nC\nG\nU\n", NULL},
	    {"[CLS]\n[SEP]\n[UNK]\nU\nG\nC\nA\n", NULL},
	    {REST "A\nC\nG\nT\n", NULL},
	    {"<unk>\n<cls>\n<eos>\n<mask>\nA\nC\nG\nU\n<x\n[\n<]\n", NULL},
	    {REST "A\nC\nG\n", "no token for the base U"},
	    {REST "C\nG\nU\n", "no token for the base A"},
	    {REST "A\nC\nG\nU\nA\n", "A"},
	    {"[CLS]\n[SEP]\nA\nC\nG\nU\n", "UNK"},
	    {"[UNK]\n[SEP]\nA\nC\nG\nU\n", "CLS"},
	    {"[UNK]\n[CLS]\nA\nC\nG\nU\n", "SEP"},
	    {REST "A\n\nC\nG\nU\n", ""},
	    {"", ""},
	};
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_vocab v, w;
	struct rna_buf b = RNA_BUF_INIT;
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(*files); i++) {
		put_text("v.txt", files[i].text);
		rna_err_clear(&e);
		if (rna_vocab_load(&v, util_path("v.txt"), &e) == RNA_OK) {
			ok(files[i].says == NULL && v.base[3] == v.id['U'] && v.id['T'] == v.id['u'], "%zu tokens", i);
			rna_vocab_fini(&v);
		} else {
			ok(files[i].says != NULL && strstr(e.text, files[i].says) != NULL, "%zu: %s", i, e.text);
		}
		if (rna_vocab_load(&v, util_path("v.txt"), NULL) == RNA_OK)
			rna_vocab_fini(&v);
	}
	must(rna_buf_str(&b, REST "A\nC\nG\nU\n"));
	for (i = 0; i < 250; i++)
		must(rna_buf_printf(&b, "t%zu\n", i));
	util_put(util_path("v.txt"), b.data, b.len);
	ok(rna_vocab_load(&v, util_path("v.txt"), &e) == RNA_EFORMAT && strstr(e.text, "more than 256") != NULL, "%s",
	    e.text);
	rna_buf_fini(&b);
	must(rna_vocab_init(&v));
	must(rna_vocab_load(&w, util_root("formats/vocab.txt"), &e));
	ok(strcmp(v.name, "rnaernie-39") == 0 && strcmp(w.name, v.name) == 0 && strcmp(w.digest, v.digest) == 0,
	    "the default by name and digest");
	ok(rna_vocab_type(&v, "t-R_n A", 7) == rna_vocab_find(&v, "tRNA") && rna_vocab_type(&v, "tRNAs", 5) == -1 &&
		rna_vocab_type(&v, "tRN", 3) == -1 && rna_vocab_type(&v, "", 0) == -1,
	    "types by forgiving names");
	ok(rna_vocab_same("pre_mi-RNA", "premiRNA", 8) && !rna_vocab_same("a", "b", 1) && rna_vocab_same("", " _-", 3),
	    "spellings that agree");
	rna_vocab_fini(&v);
	ok(rna_vocab_load(&v, util_path("none"), NULL) == RNA_EIO, "no file and no words");
	rna_vocab_fini(&w);
}

static void
test_motifs(void)
{
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_motif_counts n;
	struct rna_motifs list = {0};
	struct rna_buf b = RNA_BUF_INIT;
	size_t i;

	put_text("m", "# list\n\n  acgu\t\r\nTTTT\nuuuu\nACGT\nCCC # not this\n");
	ok(rna_motifs_load(&list, util_path("m"), &n, &e) == RNA_EFORMAT && strncmp(e.text, "line 7", 6) == 0, "%s",
	    e.text);
	ok(list.n == 2 && list.motif[0].u == 0 && list.motif[1].u == 0 && rna_motifs_codes(&list, 1)[0] == 3,
	    "two motifs");
	rna_motifs_fini(&list);
	put_text("m", "UGU\nA\nugu\n");
	ok(rna_motifs_load(&list, util_path("m"), &n, &e) == RNA_EFORMAT, "too short: %s", e.text);
	rna_motifs_fini(&list);
	put_text("m", "UGU\nugu\nACGUACGU\n");
	ok(rna_motifs_load(&list, util_path("m"), &n, &e) == RNA_OK && n.lines == 3 && n.duplicates == 1 &&
		n.with_u == 3 && n.min == 3 && n.max == 8 && list.motif[0].u == 1,
	    "counts");
	ok(rna_motifs_load(&list, util_path("none"), NULL, NULL) == RNA_EIO, "no file and no words");
	ok(rna_motifs_load(&list, util_root("formats/golden/example.rill"), NULL, &e) == RNA_EFORMAT, "%s", e.text);
	for (i = 0; i < 2000; i++)
		must(rna_buf_printf(&b, "A%c%c%c%c%c%c\n", "ACGU"[i & 3], "ACGU"[i >> 2 & 3], "ACGU"[i >> 4 & 3],
		    "ACGU"[i >> 6 & 3], "ACGU"[i >> 8 & 3], "ACGU"[i >> 10 & 3]));
	util_put(util_path("m"), b.data, b.len);
	ok(rna_motifs_load(&list, util_path("m"), &n, &e) == RNA_OK && list.n == 2002 && n.lines == 2000,
	    "many motifs");
	rna_motifs_fini(&list);
	rna_buf_fini(&b);
}

int
main(void)
{
	test_framing();
	test_vocabularies();
	test_motifs();
	util_clean();
	return done();
}
