/*
 * bulk.c: FASTA to encoded records.  The text is cut where RNAs begin, a part for each thread; identities, which
 * depend on the RNAs before, are filled in afterwards in the order of the text.
 */
#include <stdlib.h>
#include <string.h>

#include "seq/bulk.h"
#include "seq/frame_private.h"

#define TEXT (128u << 10)    /* bytes for each thread at once ... */
#define TEXT_MAX (8u << 20) /* ... and for all */
#define MADE_MAX (8u << 20) /* bytes that the chunks of one RNA may repeat of its header line */
#define AHEAD 8             /* RNAs whose place in the table of identities is fetched in advance */

struct rna {
	uint64_t hash;
	size_t records;
};

size_t
rna_bulk_want(struct rna_bulk *b)
{
	if (b->wait == 0)
		return (size_t)b->opts.nthreads * TEXT;
	b->wait--;
	return 0;
}

/* The line at p: *n bytes without its end.  The start of the next, or NULL when the end is not there. */
static const unsigned char *
next_line(const struct rna_bulk_part *x, const unsigned char *p, size_t *n)
{
	const unsigned char *nl = memchr(p, '\n', (size_t)(x->end - p));

	if (nl == NULL && !x->whole)
		return NULL;
	*n = (size_t)((nl != NULL ? nl : x->end) - p);
	*n -= *n > 0 && p[*n - 1] == '\r';
	return nl != NULL ? nl + 1 : x->end;
}

/* The letters of the RNA whose lines begin at p; where they end, or NULL when the RNA does not suit or is not whole. */
static const unsigned char *
take_letters(struct rna_bulk_part *x, const unsigned char *p, struct rna_text_entry *e, uint64_t *lines)
{
	const unsigned char *next;
	size_t n;

	for (; p < x->end && *p != '>'; p = next) {
		if (*p == ';' || (next = next_line(x, p, &n)) == NULL || !rna_entry_printable(p, n))
			return NULL;
		++*lines;
		if (e->n_seq == 0) {
			e->seq = (const char *)p;
			e->n_seq = n;
			continue;
		}
		if (e->seq != (const char *)x->letters.data) {
			rna_buf_reuse(&x->letters);
			x->status = rna_buf_add(&x->letters, e->seq, e->n_seq);
		}
		if (x->status != RNA_OK || (x->status = rna_buf_add(&x->letters, p, n)) != RNA_OK)
			return NULL;
		e->seq = (const char *)x->letters.data;
		e->n_seq = x->letters.len;
	}
	return p < x->end || x->whole ? p : NULL;
}

/* Encodes the records of one RNA.  0: it does not suit. */
static int
encode(const struct rna_bulk_options *o, struct rna_bulk_part *x, const struct rna_text_entry *e)
{
	uint32_t nchunks = rna_frame_chunks(o->framing, e->n_seq), c;
	int type = rna_annotate_text(o->annotate, e->name, e->n_name, e->desc, e->n_desc);
	size_t before, size, records = 0;
	struct rna r;

	if (e->n_seq > o->max || !rna_frame_suits(o->framing, o->vocab, e->n_seq) ||
	    (nchunks > 1 && nchunks * (uint64_t)(e->n_name + e->n_desc) > MADE_MAX))
		return 0;
	x->status = rna_rid_hash(&x->scratch, e->name, e->n_name, e->seq, e->n_seq, 0, &r.hash);
	for (c = 0; x->status == RNA_OK && (c == 0 || c < nchunks); c++) {
		before = x->bytes.len;
		x->status = rna_frame_encode(o->framing, o->vocab, e, type, c, &x->bytes, &x->counts, &x->tokens);
		if ((size = x->bytes.len - before) > 0 && x->status == RNA_OK) {
			x->status = rna_buf_add(&x->sizes, &size, sizeof(size));
			records++;
		}
	}
	r.records = records;
	if (x->status == RNA_OK)
		x->status = rna_buf_add(&x->rnas, &r, sizeof(r));
	return x->status == RNA_OK;
}

static void
make_part(void *arg)
{
	struct rna_bulk_part *x = arg;
	const struct rna_bulk_options *o = x->opts;
	const unsigned char *p = x->text, *next;
	struct rna_text_entry e;
	uint64_t lines;
	size_t n;

	rna_buf_reuse(&x->bytes);
	rna_buf_reuse(&x->sizes);
	rna_buf_reuse(&x->rnas);
	memset(&x->counts, 0, sizeof(x->counts));
	x->tokens = x->lines = 0;
	x->status = RNA_OK;
	while (p < x->end && *p == '>' && (next = next_line(x, p, &n)) != NULL) {
		memset(&e, 0, sizeof(e));
		e.seq = "";
		rna_entry_split((const char *)p + 1, n - 1, &e);
		lines = 1;
		if ((next = take_letters(x, next, &e, &lines)) == NULL || !encode(o, x, &e))
			break;
		x->lines += lines;
		p = next;
	}
	x->used = (size_t)(p - x->text);
}

struct rna_bulk *
rna_bulk_create(const struct rna_bulk_options *opts)
{
	struct rna_bulk *b = calloc(1, sizeof(*b));
	struct rna_bulk_part *x;

	if (b == NULL)
		return NULL;
	b->opts = *opts;
	if (b->opts.max == 0)
		b->opts.max = RNA_ENTRY_MAX;
	if (b->opts.nthreads > (int)(TEXT_MAX / TEXT))
		b->opts.nthreads = (int)(TEXT_MAX / TEXT);
	b->part = calloc((size_t)b->opts.nthreads, sizeof(*b->part));
	b->pool = rna_pool_create(b->opts.nthreads);
	if (b->part == NULL || b->pool == NULL) {
		rna_bulk_destroy(b);
		return NULL;
	}
	for (x = b->part; x < b->part + b->opts.nthreads; x++) {
		x->opts = &b->opts;
		x->task = (struct rna_task){.run = make_part, .arg = x};
	}
	return b;
}

void
rna_bulk_destroy(struct rna_bulk *b)
{
	struct rna_bulk_part *x;

	if (b == NULL)
		return;
	rna_pool_destroy(b->pool);
	for (x = b->part; b->part != NULL && x < b->part + b->opts.nthreads; x++) {
		rna_buf_fini(&x->bytes);
		rna_buf_fini(&x->sizes);
		rna_buf_fini(&x->rnas);
		rna_buf_fini(&x->letters);
		rna_buf_fini(&x->scratch);
	}
	free(b->part);
	free(b);
}

/* Gives each thread its part; how many have one. */
static int
divide(struct rna_bulk *b, const unsigned char *text, size_t n, int eof)
{
	const unsigned char *p = text, *end = text + n, *cut;
	size_t share = n / (size_t)b->opts.nthreads;
	int k;

	for (k = 0; k < b->opts.nthreads && p < end; k++) {
		cut = k + 1 < b->opts.nthreads && share < (size_t)(end - p) ? p + share : end;
		while (cut < end && (cut = memchr(cut, '\n', (size_t)(end - cut))) != NULL && cut + 1 < end &&
		       cut[1] != '>')
			cut++;
		cut = cut == NULL || end - cut < 2 ? end : cut + 1;
		b->part[k].text = p;
		b->part[k].end = cut;
		b->part[k].whole = cut < end || eof;
		p = cut;
	}
	return k;
}

/* Fills in the identities of a part's records. */
static enum rna_status
identify(struct rna_bulk_part *x, struct rna_rid *rid)
{
	const struct rna *rna = (const struct rna *)(const void *)x->rnas.data;
	const size_t *size = (const size_t *)(const void *)x->sizes.data;
	size_t n = x->rnas.len / sizeof(*rna), i, k;
	unsigned char *p = x->bytes.data;
	enum rna_status st;
	uint64_t id;

	for (i = 0; i < n + AHEAD; i++) {
		if (i < n && (st = rna_rid_expect(rid, rna[i].hash)) != RNA_OK)
			return st;
		if (i < AHEAD)
			continue;
		id = rna_rid_count(rid, rna[i - AHEAD].hash);
		for (k = 0; k < rna[i - AHEAD].records; k++, p += *size++)
			rna_frame_encoded_rid(p, id);
	}
	return RNA_OK;
}

/* Takes up what the threads made, as far as no RNA was passed over. */
static enum rna_status
gather(struct rna_bulk *b, int n, struct rna_rid *rid)
{
	struct rna_bulk_part *x;
	enum rna_status st;
	int all = 1;

	memset(&b->counts, 0, sizeof(b->counts));
	b->tokens = b->lines = b->used = 0;
	for (b->nparts = 0; b->nparts < n && all; b->nparts++) {
		x = &b->part[b->nparts];
		if ((st = x->status) != RNA_OK || (st = identify(x, rid)) != RNA_OK)
			return st;
		rna_frame_add(&b->counts, &x->counts);
		b->tokens += x->tokens;
		b->lines += x->lines;
		b->used += x->used;
		all = x->text + x->used == x->end;
	}
	return RNA_OK;
}

enum rna_status
rna_bulk_make(struct rna_bulk *b, const unsigned char *text, size_t n, int eof, struct rna_rid *rid)
{
	int parts = divide(b, text, n, eof), i;
	enum rna_status st;

	for (i = 0; i < parts; i++)
		rna_pool_submit(b->pool, &b->part[i].task);
	for (i = 0; i < parts; i++)
		rna_pool_wait(b->pool, &b->part[i].task);
	if ((st = gather(b, parts, rid)) != RNA_OK)
		return st;
	/* an RNA was passed over: one step without, or more and more when that goes on */
	if (b->nparts < parts || b->used == 0)
		b->wait = b->step = b->step < 1024 ? 2 * b->step + 1 : b->step;
	else
		b->step = 0;
	return b->used > 0 ? RNA_OK : RNA_NEXT;
}
