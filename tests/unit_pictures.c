/*
 * unit_pictures.c: colours, grids and labels of the drawings; where labels of records come from.
 */
#include <stdlib.h>
#include "seq/annotate.h"
#include "seq/picture.h"
#include "seq/picture_private.h"
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
	ok(draw(RNA_PICTURE_STRUCTURE, 0, 0, &b, &e) == RNA_OK && count(&b, "<svg") == 1, "nothing is a picture, too");
	rna_buf_fini(&b);
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
	test_labels();
	return done();
}
