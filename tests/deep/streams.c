/*
 * streams.c: streams of every kind that the format allows, one after the other, each a function of its number.
 *
 *	streams FIRST COUNT [named] > FILE
 *
 * named: the headers name the default vocabulary, so that types have names.
 * Fields of all types, ranks 0 to 8, empty ones, random bits as floats, strings of any bytes; frames cut anywhere
 * between blocks, packed at any level or stored, skippable frames in between.
 */
#include <stdlib.h>
#include "../maker.h"
#include "seq/vocab.h"

static struct rna_rng rng;
static struct rna_vocab vocab;
static int named;

static uint32_t
below(uint32_t n)
{
	return rna_rng_below(&rng, n);
}

static void
put_string(struct rna_record *rec, const char *name)
{
	static const char *const pieces[] = {"\"", "\\", "\n", "\t", "\x1b[31m", "\xc3\xa9", "\xe2\x82\xac",
	    "\xf0\x9f\xa7\xac", "\xff", "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80", "\xe2\x80\xa8", "/",
	    "</script>", "\x7f", "\xc2\x85"};
	char s[256];
	size_t n = 0, len;
	uint32_t times = below(20);
	const char *p;

	while (times-- > 0) {
		if (below(3) > 0) {
			s[n++] = (char)(below(8) > 0 ? 32 + below(95) : below(256));
		} else {
			p = pieces[below(sizeof(pieces) / sizeof(*pieces))];
			len = strlen(p);
			memcpy(s + n, p, len);
			n += len;
		}
	}
	must(rna_record_set_str(rec, name, s, n));
}

static const char *
field_name(void)
{
	static const char *const known[] = {"rid", "name", "desc", "seq", "tokens", "type", "types", "target", "masked",
	    "pair", "chunk", "last", "cls", "hidden", "label", "structure", "energy", "group"};
	static const char first[] = "abcXYZ_", later[] = "abcXYZ_019.-";
	static char name[RNA_MAX_NAME + 1];
	uint32_t n, i;

	if (below(2))
		return known[below(sizeof(known) / sizeof(*known))];
	n = 1 + (below(10) > 0 ? below(12) : below(RNA_MAX_NAME));
	for (i = 0; i < n; i++)
		name[i] = i == 0 ? first[below(sizeof(first) - 1)] : later[below(sizeof(later) - 1)];
	name[n] = '\0';
	return name;
}

static void
put_field(struct rna_record *rec)
{
	enum rna_dtype type = (enum rna_dtype)(RNA_U8 + below(RNA_STR - RNA_U8 + 1));
	uint64_t dims[RNA_MAX_DIMS], count = 1, i, bits;
	const char *name = field_name();
	int d, ndim = (int)(below(3) ? below(3) : below(RNA_MAX_DIMS + 1));
	size_t size = rna_dtype_size(type);
	unsigned char *to;

	if (type == RNA_STR) {
		put_string(rec, name);
		return;
	}
	for (d = 0; d < ndim; d++) {
		dims[d] = count > 500 ? 1 : below(20) == 0 ? 0 : 1 + below(ndim > 3 ? 3 : 9);
		count *= dims[d];
	}
	if ((to = rna_record_put(rec, name, type, ndim, dims)) == NULL)
		errx(1, "%s: cannot be put", name);
	for (i = 0; i < count; i++) {
		bits = below(3) ? rna_rng_u64(&rng) : below(50);
		memcpy(to + i * size, &bits, size); /* little-endian machines */
	}
}

static void
flush(struct maker *m)
{
	if (m->content.len == 0)
		return;
	if (m->content.len < 100000 && below(6) == 0) /* one raw block, its size in 8 bytes */
		make_raw_frame(m, 0xe4, -1, m->content.len, 8);
	else {
		m->level = (int)(1 + below(19));
		make_frame(m, 0);
	}
	if (below(8) == 0)
		make_skippable(m, below(16), "skipped bytes", below(14));
}

static void
one_stream(struct maker *m)
{
	static const char *const others[] = {"", ",\"unknown\":[1,2.5,null,{\"a\":\"\\u00e9\"}]",
	    ",\"records\":7,\"tokens\":9223372036854775807",
	    ",\"provenance\":[{\"tool\":\"x\",\"version\":\"1\",\"args\":[]}]"};
	uint32_t records = below(6), fields;
	struct rna_record rec;
	char header[512], name[160] = "";

	if (named)
		snprintf(name, sizeof(name), ",\"vocab\":{\"name\":\"%s\",\"digest\":\"%s\"}", vocab.name,
		    vocab.digest);
	snprintf(header, sizeof(header), "{\"rill\":1%s%s}", name, others[below(4)]);
	make_header(m, header);
	if (below(2))
		flush(m);
	rna_record_init(&rec);
	while (records-- > 0) {
		rna_record_reuse(&rec);
		for (fields = below(7); fields > 0; fields--)
			put_field(&rec);
		make_rec(m, &rec);
		if (below(3) == 0)
			flush(m);
	}
	rna_record_fini(&rec);
	make_end(m);
	flush(m);
}

int
main(int argc, char **argv)
{
	struct maker m = {.level = 1};
	unsigned long i, first, n;

	if (argc != 3 && argc != 4)
		errx(2, "usage: streams FIRST COUNT [named] > FILE");
	named = argc == 4;
	must(rna_vocab_init(&vocab));
	first = strtoul(argv[1], NULL, 10);
	n = strtoul(argv[2], NULL, 10);
	for (i = first; i < first + n; i++) {
		rna_rng_init(&rng, i);
		one_stream(&m);
		if (fwrite(m.out.data, 1, m.out.len, stdout) != m.out.len)
			err(1, "standard output");
		m.out.len = 0;
	}
	make_fini(&m);
	rna_vocab_fini(&vocab);
	return fflush(stdout) != 0;
}
