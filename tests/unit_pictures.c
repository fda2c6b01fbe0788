/*
 * unit_pictures.c: colours, grids and labels of the drawings; where labels of records come from.
 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include "seq/annotate.h"
#include "seq/mutate.h"
#include "seq/picture.h"
#include "seq/picture_private.h"
#include "seq/structure.h"
#include "seq/types.h"
#include "stream_util.h"
#include "tap.h"

static void
test_colours(void)
{
	static const struct {
		double p;
		const char *colour;
	} stops[] = {{0, "#fffbd6"}, {0.125, "#e6f3c5"}, {0.25, "#ccebb4"}, {0.5, "#8cd4ba"}, {0.75, "#54b6c8"},
	    {1, "#4292cd"}, {-1, "#fffbd6"}, {2, "#4292cd"}};
	char colour[8];
	size_t i;

	for (i = 0; i < sizeof(stops) / sizeof(*stops); i++) {
		rna_picture_colour(stops[i].p, colour);
		ok(strcmp(colour, stops[i].colour) == 0, "%g: %s", stops[i].p, colour);
	}
}

/* The picture of n nt, with one pair of probability 1/2 and its structure; NULL-terminated in out. */
static enum rna_status
draw(enum rna_picture kind, size_t n, size_t times, struct rna_buf *out, struct rna_err *e)
{
	struct rna_pictures p = {0};
	struct rna_record rec;
	int32_t *pair = malloc(n * sizeof(*pair)), ij[2] = {0, (int32_t)n - 1};
	float prob = 0.5f;
	char *seq = malloc(n);
	uint64_t dims[2] = {1, 2};
	enum rna_status st = RNA_OK;
	size_t i;

	for (i = 0; i < n; i++) {
		seq[i] = i == 0 ? 'G' : i + 1 == n ? 'C' : 'A';
		pair[i] = i == 0 ? (int32_t)n - 1 : i + 1 == n ? 0 : -1;
	}
	rna_record_init(&rec);
	must(rna_record_set_str(&rec, "name", "<&\">", 4));
	must(rna_record_set_str(&rec, "seq", seq, n));
	must(rna_record_set_vec(&rec, "pair", RNA_I32, pair, n));
	must(rna_record_set(&rec, "bpp_ij", RNA_I32, 2, dims, ij));
	must(rna_record_set_vec(&rec, "bpp_p", RNA_F32, &prob, 1));
	for (i = 0; i < times && st == RNA_OK; i++)
		st = rna_pictures_add(&p, kind, &rec, e);
	out->len = 0;
	if (st == RNA_OK)
		st = rna_pictures_write(&p, out, e);
	make_bytes(out, "", 1);
	rna_pictures_fini(&p);
	rna_record_fini(&rec);
	free(seq);
	free(pair);
	return st;
}

static int
count(const struct rna_buf *b, const char *what)
{
	const char *p = (const char *)b->data;
	int n = 0;

	for (; (p = strstr(p, what)) != NULL; p += strlen(what))
		n++;
	return n;
}

/* A grid has at most 12 lines, at round numbers. */
static void
test_grids(void)
{
	static const struct {
		size_t n;
		const char *first, *not_this;
	} grids[] = {{100, ">10<", ">5<"}, {129, ">10<", ">15<"}, {130, ">50<", ">10<"}, {640, ">50<", ">20<"},
	    {700, ">100<", ">50<"}, {1000, ">100<", ">80<"}, {1400, ">200<", ">100<"}, {3000, ">400<", ">200<"}};
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_buf b = RNA_BUF_INIT;
	size_t i;

	for (i = 0; i < sizeof(grids) / sizeof(*grids); i++)
		ok(draw(RNA_PICTURE_DOTPLOT, grids[i].n, 1, &b, &e) == RNA_OK && count(&b, grids[i].first) > 0 &&
			count(&b, grids[i].not_this) == 0,
		    "%zu nt: lines from %s", grids[i].n, grids[i].first);
	ok(draw(RNA_PICTURE_STRUCTURE, 40, 5, &b, &e) == RNA_OK && count(&b, "&lt;&amp;&quot;&gt;") == 5 &&
		count(&b, "<svg") == 1,
	    "five drawings are one picture, names escaped");
	ok(count(&b, ">A<") == 5 * 38 && count(&b, ">G<") == 5 && count(&b, ">C<") == 5, "every base is there");
	ok(count(&b, ">1<") == 5 && count(&b, ">10<") == 5 && count(&b, ">20<") == 5 && count(&b, ">30<") == 5 &&
		count(&b, ">40<") >= 5,
	    "the ends and every tenth base are numbered");
	ok(draw(RNA_PICTURE_STRUCTURE, 0, 0, &b, &e) == RNA_OK && count(&b, "<svg") == 1, "nothing is a picture, too");
	rna_buf_fini(&b);
}

/* Two texts that differ in the last digit of numbers at most. */
static int
alike(const char *a, const char *b)
{
	char *p, *q;
	double x, y;

	while (*a != '\0' && *b != '\0') {
		if (strchr("-.0123456789", *a) != NULL && strchr("-.0123456789", *b) != NULL) {
			x = strtod(a, &p);
			y = strtod(b, &q);
			if (p == a || q == b ? *a != *b : fabs(x - y) > 0.151)
				return 0;
			a = p == a ? a + 1 : p;
			b = q == b ? b + 1 : q;
		} else if (*a++ != *b++) {
			return 0;
		}
	}
	return *a == *b;
}

/* The drawings are what they were when they were looked at: a multiloop, a knot, bulges, probabilities, odd letters. */
static void
test_looks(void)
{
	static const char seq[] = "gGCGAAUUCGCCAAGGCACUUCGGUGCCAAnGGAAACCUUGCUUGUCAAAGCAAACACCCCC";
	static const char dbn[] = "(((((....)))..((((((..))))))..[.((...))..((((..)))).....))..].";
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_buf pair = RNA_BUF_INIT, out = RNA_BUF_INIT, want = RNA_BUF_INIT;
	const char *const files[] = {"tests/picture_structure.svg", "tests/picture_dotplot.svg"};
	const int32_t *partner;
	struct rna_pictures p;
	struct rna_record rec;
	int32_t ij[200];
	float prob[100];
	uint64_t dims[2] = {0, 2};
	int i, k, n = 0;

	must(rna_structure_parse(dbn, sizeof(dbn) - 1, &pair, &e));
	partner = (const int32_t *)(const void *)pair.data;
	for (i = 0; i < (int)sizeof(dbn) - 1; i++) {
		if (partner[i] > i) {
			ij[2 * n] = i;
			ij[2 * n + 1] = partner[i];
			prob[n] = 0.1f + 0.9f * (float)n / 20;
			n++;
		}
	}
	dims[0] = (uint64_t)n;
	rna_record_init(&rec);
	must(rna_record_set_str(&rec, "name", "looked at", 9));
	must(rna_record_set_str(&rec, "seq", seq, sizeof(seq) - 1));
	must(rna_record_set_str(&rec, "structure", dbn, sizeof(dbn) - 1));
	must(rna_record_set_f32(&rec, "energy", -12.3f));
	for (k = 0; k < 2; k++) {
		memset(&p, 0, sizeof(p));
		must(rna_record_set(&rec, "bpp_ij", RNA_I32, 2, dims, ij));
		must(rna_record_set_vec(&rec, "bpp_p", RNA_F32, prob, (uint64_t)n));
		must(rna_pictures_add(&p, (enum rna_picture)k, &rec, &e));
		rna_record_remove(&rec, k == 0 ? "bpp_ij" : "energy");
		rna_record_remove(&rec, k == 0 ? "bpp_p" : "none");
		must(rna_pictures_add(&p, k == 0 ? RNA_PICTURE_STRUCTURE : RNA_PICTURE_DOTPLOT, &rec, &e));
		out.len = 0;
		must(rna_pictures_write(&p, &out, &e));
		if (getenv("UNIT_PICTURES_WRITE") != NULL)
			util_put(util_root(files[k]), out.data, out.len);
		make_bytes(&out, "", 1);
		util_get(util_root(files[k]), &want);
		make_bytes(&want, "", 1);
		ok(alike((const char *)out.data, (const char *)want.data), "as in %s", files[k]);
		rna_pictures_fini(&p);
	}
	/* damaged probabilities */
	memset(&p, 0, sizeof(p));
	dims[1] = 1;
	must(rna_record_set(&rec, "bpp_ij", RNA_I32, 2, dims, ij));
	ok(rna_pictures_add(&p, RNA_PICTURE_DOTPLOT, &rec, &e) == RNA_EFORMAT, "%s", e.text);
	must(rna_record_set(&rec, "bpp_ij", RNA_U32, 2, (const uint64_t[]){(uint64_t)n, 2}, ij));
	ok(rna_pictures_add(&p, RNA_PICTURE_DOTPLOT, &rec, &e) == RNA_EFORMAT, "%s", e.text);
	must(rna_record_set(&rec, "bpp_ij", RNA_I32, 2, (const uint64_t[]){(uint64_t)n, 2}, ij));
	prob[0] = 1.5f;
	must(rna_record_set_vec(&rec, "bpp_p", RNA_F32, prob, (uint64_t)n));
	ok(rna_pictures_add(&p, RNA_PICTURE_DOTPLOT, &rec, &e) == RNA_EFORMAT, "%s", e.text);
	prob[0] = -0.5f;
	must(rna_record_set_vec(&rec, "bpp_p", RNA_F32, prob, (uint64_t)n));
	ok(rna_pictures_add(&p, RNA_PICTURE_DOTPLOT, &rec, &e) == RNA_EFORMAT, "%s", e.text);
	must(rna_record_set_vec(&rec, "bpp_ij", RNA_I32, ij, (uint64_t)n));
	ok(rna_pictures_add(&p, RNA_PICTURE_DOTPLOT, &rec, &e) == RNA_EFORMAT, "%s", e.text);
	must(rna_record_set(&rec, "bpp_ij", RNA_I32, 2, (const uint64_t[]){(uint64_t)n - 1, 2}, ij));
	ok(rna_pictures_add(&p, RNA_PICTURE_DOTPLOT, &rec, &e) == RNA_EFORMAT, "%s", e.text);
	rna_pictures_fini(&p);
	rna_record_fini(&rec);
	rna_buf_fini(&pair);
	rna_buf_fini(&out);
	rna_buf_fini(&want);
}

/* A type from the table, then the header, then the record, then what is said for all. */
static void
test_types(void)
{
	static const char rows[] = "URS0000000001\tX\ta\t1\ttRNA\tg\n";
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_annotate a = {.type = -1};
	struct rna_types table;
	struct rna_record rec;
	struct rna_vocab v;

	must(rna_vocab_init(&v));
	util_put(util_path("rows"), rows, sizeof(rows) - 1);
	must(rna_types_load(&table, &v, util_path("rows"), &e));
	rna_record_init(&rec);
	must(rna_record_set_str(&rec, "name", "URS0000000001_9606", 18));
	must(rna_record_set_str(&rec, "desc", "rRNA", 4));
	a.vocab = &v;
	ok(rna_annotate_type(&a, &rec) == -1, "nothing is asked");
	a.header = 1;
	ok(rna_annotate_type(&a, &rec) == rna_vocab_find(&v, "rRNA"), "the header");
	a.table = &table;
	ok(rna_annotate_type(&a, &rec) == rna_vocab_find(&v, "tRNA"), "the table comes before the header");
	rna_record_remove(&rec, "name");
	ok(rna_annotate_type(&a, &rec) == rna_vocab_find(&v, "rRNA"), "no name, no row");
	rna_record_remove(&rec, "desc");
	ok(rna_annotate_type(&a, &rec) == -1, "nothing tells");
	must(rna_record_set_u8(&rec, "type", (uint8_t)(v.type_first + v.ntypes - 1)));
	ok(rna_annotate_type(&a, &rec) == -1, "ids of no vocabulary");
	a.was = &v;
	ok(rna_annotate_type(&a, &rec) == v.type_first + v.ntypes - 1, "the record's, the last");
	must(rna_record_set_u8(&rec, "type", (uint8_t)v.type_first));
	ok(rna_annotate_type(&a, &rec) == v.type_first, "the first");
	a.type = 7;
	must(rna_record_set_u8(&rec, "type", (uint8_t)(v.type_first - 1)));
	ok(rna_annotate_type(&a, &rec) == 7, "what is said for all");
	rna_record_fini(&rec);
	rna_types_fini(&table);
	rna_vocab_fini(&v);
}

/* Copies keep case and what is no base; at rate 1 every pair is another pair, every unpaired base another base. */
static void
test_copies(void)
{
	static const char seq[] = "gAacuNu-aUc", dbn[] = "((.......))";
	static const char pairs[] = "AU UA GC CG GU UG";
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_buf pair = RNA_BUF_INIT;
	struct rna_record rec, out;
	const char *s;
	char both[3] = "";
	size_t len, i;
	uint32_t k;
	int good = 1, other = 1, canonical = 1;

	rna_record_init(&rec);
	rna_record_init(&out);
	must(rna_structure_parse(dbn, 11, &pair, &e));
	must(rna_record_set_u64(&rec, "rid", 5));
	must(rna_record_set_str(&rec, "seq", seq, 11));
	must(rna_record_set_vec(&rec, "pair", RNA_I32, pair.data, 11));
	for (k = 1; k <= 60; k++) {
		must(rna_mutate(&rec, 1, k, 1, &out, &e));
		s = rna_record_get_str(&out, "seq", &len);
		good &= s != NULL && len == 11 && s[5] == 'N' && s[7] == '-';
		for (i = 0; good && i < 11; i++)
			good &= (islower((unsigned char)seq[i]) != 0) == (islower((unsigned char)s[i]) != 0);
		for (i = 2; good && i < 9; i++)
			other &= i == 5 || i == 7 ? s[i] == seq[i] : s[i] != seq[i];
		for (i = 0; good && i < 2; i++) {
			both[0] = (char)toupper((unsigned char)s[i]);
			both[1] = (char)toupper((unsigned char)s[10 - i]);
			canonical &= strstr(pairs, both) != NULL && (s[i] != seq[i] || s[10 - i] != seq[10 - i]);
		}
	}
	ok(good, "case and other letters stay");
	ok(other, "every unpaired base is another");
	ok(canonical, "every pair is another pair");
	rna_record_fini(&rec);
	rna_record_fini(&out);
	rna_buf_fini(&pair);
}

/* At rate 1, as if drawn 60 times: 1 when `letter` comes up, in this case or the other, in copies of seq. */
static int
comes_up(const char *seq, char letter)
{
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_record rec, out;
	int32_t alone[16];
	const char *s;
	size_t len;
	uint32_t k;
	int seen = 0;

	memset(alone, 0xff, sizeof(alone)); /* no pairs */

	rna_record_init(&rec);
	rna_record_init(&out);
	must(rna_record_set_u64(&rec, "rid", 5));
	must(rna_record_set_str(&rec, "seq", seq, strlen(seq)));
	must(rna_record_set_vec(&rec, "pair", RNA_I32, alone, strlen(seq)));
	for (k = 1; k <= 60; k++) {
		must(rna_mutate(&rec, 1, k, 1, &out, &e));
		s = rna_record_get_str(&out, "seq", &len);
		seen |= s != NULL && memchr(s, letter, len) != NULL;
	}
	rna_record_fini(&rec);
	rna_record_fini(&out);
	return seen;
}

/* A copy of DNA is DNA, wherever its T stands. */
static void
test_letter_of_u(void)
{
	static const char *const dna[] = {"TACGACGACGG", "ACGACGACGGT", "ACGACTACGGG", "tACGACGACGG"};
	static const char *const rna[] = {"ACGACGACGG", "UACGTCGACGG", "ACGTCGACGGU", "TACGACGACGGu"};
	size_t i;

	for (i = 0; i < 4; i++) {
		ok(comes_up(dna[i], 'T') && !comes_up(dna[i], 'U'), "copies of %s have T", dna[i]);
		ok(comes_up(rna[i], 'U'), "copies of %s have U", rna[i]);
	}
	ok(!comes_up("ACGACGACGG", 'T'), "without either it is U");
}

static void
test_labels(void)
{
	static const struct {
		const char *label, *desc, *want;
	} heads[] = {
	    {"header", "tRNA of it", "tRNA"},
	    {"header", "", NULL},
	    {"kind", "x kind=a b", "a"},
	    {"kind", "x kind:a", "a"},
	    {"kind", "kinds=b kind=a", "a"},
	    {"kind", "mykind=b", NULL},
	    {"kind", "kind", NULL},
	    {"kind", "longer words without it", NULL},
	    {"field", "field=b", "from the record"},
	};
	struct rna_annotate a = {.type = -1};
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_record rec;
	const char *s;
	size_t i, n;

	rna_record_init(&rec);
	for (i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
		rna_record_reuse(&rec);
		must(rna_record_set_str(&rec, "field", "from the record", 15));
		if (heads[i].desc[0] != '\0')
			must(rna_record_set_str(&rec, "desc", heads[i].desc, strlen(heads[i].desc)));
		a.label = heads[i].label;
		s = rna_annotate_label(&a, &rec, &e) == RNA_OK ? rna_record_get_str(&rec, "label", &n) : NULL;
		ok(heads[i].want == NULL ? s == NULL
					 : s != NULL && n == strlen(heads[i].want) && memcmp(s, heads[i].want, n) == 0,
		    "%s of '%s'", heads[i].label, heads[i].desc);
	}
	rna_record_fini(&rec);
}

int
main(void)
{
	test_colours();
	test_grids();
	test_looks();
	test_types();
	test_copies();
	test_letter_of_u();
	test_labels();
	util_clean();
	return done();
}
