/*
 * unit_bulk.c: FASTA read in bulk gives what it gives RNA by RNA, byte for byte, whatever the file looks like.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bulk_compare.h"
#include "stream/rng.h"
#include "tap.h"

static char path[] = "/tmp/unit_bulk.XXXXXX";

/* Letters of one RNA, in lines; odd: with what only a reader of single RNAs takes. */
static void
put_rna(struct rna_buf *text, struct rna_rng *rng, uint32_t length, int odd)
{
	static const char common[] = "ACGU", all[] = "ACGUTNacgutnRYSWKM-.*";
	const char *end = rna_rng_below(rng, 4) == 0 ? "\r\n" : "\n";
	uint32_t width = rna_rng_below(rng, 3) == 0 ? 60 : length + 1, i;
	int plain = rna_rng_below(rng, 3) != 0;
	char c;

	for (i = 0; i < length; i++) {
		c = plain ? common[rna_rng_below(rng, 4)] : all[rna_rng_below(rng, sizeof(all) - 1)];
		bulk_must(rna_buf_add(text, &c, 1));
		if (i % width == width - 1)
			bulk_must(rna_buf_str(text, end));
		if (odd && rna_rng_below(rng, 50) == 0)
			bulk_must(rna_buf_str(text, i % 2 ? " " : "\n; a comment\n"));
	}
	bulk_must(rna_buf_str(text, end));
	if (rna_rng_below(rng, 20) == 0)
		bulk_must(rna_buf_str(text, end));
}

/* A file of n RNAs, of which every odd_th is odd (0: none), and one is far longer than a window of bulk. */
static void
make_text(struct rna_buf *text, uint64_t seed, int n, uint32_t odd_th, const char *tail)
{
	struct rna_rng rng;
	int i, twin;

	rna_rng_init(&rng, seed);
	rna_buf_reuse(text);
	for (i = 0; i < n; i++) {
		twin = (int)rna_rng_below(&rng, 50); /* equal ones are told by their number */
		if (twin == 0)
			bulk_must(rna_buf_str(text, ">twin of others\nACGUACGU\n"));
		bulk_must(
		    rna_buf_printf(text, rna_rng_below(&rng, 9) == 0 ? "> r%d\t \n" : ">r%d a  tRNA of %d\n", i, i));
		put_rna(text, &rng, i == n / 2 ? 700000 : rna_rng_below(&rng, 400),
		    odd_th > 0 && rna_rng_below(&rng, odd_th) == 0);
	}
	bulk_must(rna_buf_str(text, tail));
}

static int
compare(const struct rna_bulk_options *o, const struct rna_buf *text)
{
	FILE *fp = fopen(path, "wb");

	if (fp == NULL || fwrite(text->data, 1, text->len, fp) != text->len || fclose(fp) != 0)
		exit(2);
	return bulk_compare(path, o);
}

static void
whole_files(const struct rna_vocab *v)
{
	static const struct rna_framing framings[] = {{RNA_FRAME_PLAIN, RNA_LONG_KEEP, 0, 0},
	    {RNA_FRAME_TYPE, RNA_LONG_CHUNK, 200, 20}, {RNA_FRAME_PLAIN, RNA_LONG_DROP, 300, 0},
	    {RNA_FRAME_TYPE, RNA_LONG_TRUNCATE, 100, 0}};
	static const char *const tails[] = {
	    "", "\n\n", ">end\nACG", ">end", ">end\r\n\r\n", "@q\nACGU\n+\n>>>>\n>r\nA\n"};
	struct rna_annotate a = {v, NULL, NULL, 1, -1, NULL};
	struct rna_buf text = RNA_BUF_INIT;
	unsigned i, threads, odd;

	for (i = 0; i < 6; i++) {
		for (threads = 1, odd = i % 3 == 0 ? 0 : i % 3 == 1 ? 300 : 3; threads <= 4; threads++) {
			struct rna_bulk_options o = {&framings[i % 4], v, &a, 0, (int)threads};

			make_text(&text, i, 5000, odd, tails[i]);
			ok(compare(&o, &text) > 0, "file %u, %u threads", i, threads);
		}
	}
	rna_buf_fini(&text);
}

/* Records before what is wrong, its number and its line are the same. */
static void
faults(const struct rna_vocab *v)
{
	static const char *const tails[] = {">bad\nAC\001GU\n>r\nA\n", ">bad\nAC\nACGU\xc3\xa9\n", ">r\nA\n+\n",
	    ">n\n>\xff\nA\0B", ">long\nACGUACGU\nACGUACGU\n>r\nA\n"};
	static const struct rna_framing keep = {RNA_FRAME_PLAIN, RNA_LONG_KEEP, 0, 0};
	struct rna_annotate a = {v, NULL, NULL, 0, -1, NULL};
	struct rna_buf text = RNA_BUF_INIT;
	unsigned i;

	for (i = 0; i < 5; i++) {
		struct rna_bulk_options o = {&keep, v, &a, i == 4 ? 10 : 0, 3};

		make_text(&text, i, i == 4 ? 0 : 3000, 0, ">short\nACGU\n");
		bulk_must(rna_buf_str(&text, tails[i]));
		ok(compare(&o, &text) > 0, "fault %u", i);
	}
	rna_buf_fini(&text);
}

int
main(void)
{
	struct rna_vocab v;
	int fd = mkstemp(path);

	if (fd < 0 || rna_vocab_init(&v) != RNA_OK)
		return 2;
	close(fd);
	whole_files(&v);
	faults(&v);
	rna_vocab_fini(&v);
	unlink(path);
	return done();
}
