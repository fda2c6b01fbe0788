/*
 * embed_read.c: records in, framed as the model wants them: text is framed and chunked, tokens of another vocabulary
 * are made anew from the letters.
 */
#include <stdlib.h>
#include <string.h>

#include "embed_private.h"

#define WINDOW_RECORDS 4096
#define WINDOW_TOKENS 65536 /* sorted by length together ... */
#define WINDOW_WIDE 16384   /* ... fewer when every token gets numbers */

static void
fail(struct embed *e, const struct rna_record *rec, const char *what)
{
	struct rna_err err = {.record = RNA_NOREC};

	rna_fail(&err, RNA_EFORMAT, "%s", what);
	rna_err_where(&err, e->in.source != NULL ? rna_source_name(e->in.source) : "", rec->number);
	tool_die_err(e->t, &err);
}

static int
is_replicate(const struct rna_record *rec)
{
	return rna_record_find(rec, "group") != NULL;
}

/* 1: what is made of a chunk depends on the others of its RNA: they share their types, or attend to each other. */
static int
shares(const struct embed *e)
{
	return e->types > 0 ||
	       (e->opts.what & RNA_EMBED_CLASS && e->model.config.class_chunks != RNA_CHUNKS_MEAN);
}

static void
read_ahead(struct embed *e)
{
	e->next_status = tool_in_read(&e->in, &e->next);
}

void
embed_stream_begin(struct embed *e)
{
	const char *digest = rna_header_vocab_digest(tool_in_header(&e->in));

	e->is_text = !rna_source_is_stream(e->in.source);
	e->same_vocab = strcmp(digest, e->model.vocab.digest) == 0;
	e->plain_vocab = strcmp(digest, e->plain.digest) == 0;
	read_ahead(e);
}

struct rna_record *
embed_pool_add(struct embed *e, struct pool *p)
{
	size_t cap = p->cap ? p->cap * 2 : 256, i;
	struct rna_record *rec;

	if (p->n == p->cap) {
		if ((rec = reallocarray(p->rec, cap, sizeof(*rec))) == NULL)
			tool_die(e->t, "out of memory");
		for (i = p->cap; i < cap; i++)
			rna_record_init(&rec[i]);
		p->rec = rec;
		p->cap = cap;
	}
	return &p->rec[p->n++];
}

/* The id in the model's vocabulary of the type that a record of the stream has; -1: none, or not to be known. */
static int
type_of(const struct embed *e, const struct rna_record *rec)
{
	const char *name;
	uint8_t id;

	if (!rna_record_get_u8(rec, "type", &id))
		return -1;
	if (e->same_vocab)
		return id < e->model.vocab.n ? id : -1;
	if (!e->plain_vocab || id >= e->plain.n)
		return -1;
	name = e->plain.token[id];
	return rna_vocab_type(&e->model.vocab, name, strlen(name));
}

static void
frame(struct embed *e, const struct rna_record *rec, const struct rna_framing *framing, int type, uint32_t c,
    struct rna_record *out)
{
	if (rna_frame_record(framing, &e->model.vocab, rec, type, c, out, NULL) != RNA_OK)
		fail(e, rec, "can't be framed for the model");
	out->number = rec->number;
}

/* What was read or made is an input that the model takes. */
static void
check_input(struct embed *e, const struct rna_record *rec)
{
	char text[512];
	uint64_t n = 0;

	if (rna_record_get_vec(rec, "tokens", RNA_U8, &n) == NULL)
		fail(e, rec, "no field tokens");
	if (e->opts.what & RNA_EMBED_CLASS && e->model.config.pairs && rna_record_find(rec, "segment") == NULL)
		fail(e, rec,
		    "no second sequence, the model is one of pairs: make them with rna-tokenize --pairs COL_A,COL_B");
	e->tokens += n;
	if (n <= (uint64_t)e->model.config.max)
		return;
	snprintf(text, sizeof(text),
	    "%llu tokens, but the model takes %d; try: rna-tokenize -m %.128s --long chunk FILE | "
	    "%s -m %.128s",
	    (unsigned long long)n, e->model.config.max, e->t->model, e->t->name, e->t->model);
	fail(e, rec, text);
}

/* A record of a stream: its tokens as they are, or made anew when they are another vocabulary's or lack the type slot.
 */
static void
take_record(struct embed *e, struct rna_record *out)
{
	struct rna_framing framing = e->framing;
	struct rna_record *rec = &e->next;
	const uint8_t *tokens;
	uint64_t n = 0, masked = 0;

	framing.policy = RNA_LONG_KEEP;
	tokens = rna_record_get_vec(rec, "tokens", RNA_U8, &n);
	if (e->types > 0 && !e->stack && is_replicate(rec))
		fail(e, rec, "is a replicate already (it has a field group)");
	if (tokens != NULL && e->same_vocab && (e->types == 0 || rna_frame_slot(&e->model.vocab, tokens, n) >= 0)) {
		if (rna_record_copy(out, rec) != RNA_OK)
			tool_die(e->t, "out of memory");
		out->number = rec->number;
		return;
	}
	rna_record_get_vec(rec, "masked", RNA_U32, &masked);
	if (masked > 0)
		fail(e, rec,
		    e->same_vocab ? "bases are masked and there is no type slot: tokens can't be made anew"
				  : "tokens are in another vocabulary than the model's, and bases are masked: tokens "
				    "can't be made anew");
	if (rna_record_get_str(rec, "seq", &n) == NULL)
		fail(e, rec, "tokens are not the model's, and there is no field seq to make them from");
	frame(e, rec, &framing, type_of(e, rec), 0, out);
}

/* A record of text: one input for the model, or chunks whose results are put together again. */
static void
take_text(struct embed *e, struct unit *u)
{
	struct rna_framing whole = e->framing;
	uint32_t c, n = rna_frame_count(&e->framing, &e->next, NULL);

	u->merged = n > 1 && (e->types == 0 || e->stack);
	for (c = 0; c < n; c++) {
		frame(e, &e->next, &e->framing, -1, c, embed_pool_add(e, &e->window));
		check_input(e, &e->window.rec[e->window.n - 1]);
	}
	whole.policy = RNA_LONG_KEEP;
	whole.max = 0;
	if (u->merged)
		frame(e, &e->next, &whole, -1, 0, &u->whole);
	u->n = n;
}

static struct unit *
add_unit(struct embed *e)
{
	size_t cap = e->unit_cap ? e->unit_cap * 2 : 256, i;
	struct unit *u;

	if (e->nunits == e->unit_cap) {
		if ((u = reallocarray(e->unit, cap, sizeof(*u))) == NULL)
			tool_die(e->t, "out of memory");
		for (i = e->unit_cap; i < cap; i++)
			rna_record_init(&u[i].whole);
		e->unit = u;
		e->unit_cap = cap;
	}
	u = &e->unit[e->nunits++];
	u->first = e->window.n;
	u->n = 0;
	u->merged = 0;
	return u;
}

uint64_t
embed_outputs(const struct embed *e, const struct unit *u)
{
	return e->types > 0 ? (uint64_t)e->types * u->n : 1;
}

int
embed_read_unit(struct embed *e)
{
	struct unit *u;
	uint64_t rid = 0, next;
	int has_rid;

	if (e->next_status != RNA_OK)
		return 0;
	u = add_unit(e);
	has_rid = rna_record_get_u64(&e->next, "rid", &rid);
	do {
		if (e->is_text) {
			take_text(e, u);
		} else {
			take_record(e, embed_pool_add(e, &e->window));
			check_input(e, &e->window.rec[e->window.n - 1]);
			u->n++;
		}
		e->read++;
		read_ahead(e);
	} while (shares(e) && !e->is_text && has_rid && e->next_status == RNA_OK && !is_replicate(&e->next) &&
		 rna_record_get_u64(&e->next, "rid", &next) && next == rid);
	return 1;
}

int
embed_is_full(const struct embed *e)
{
	unsigned wide = e->opts.what & (RNA_EMBED_HIDDEN | RNA_EMBED_LOGITS);

	if (e->stack && e->window.n > 0 && e->next_status == RNA_OK &&
	    is_replicate(&e->next) != is_replicate(&e->window.rec[0]))
		return 1;
	return e->tokens >= (wide ? WINDOW_WIDE : WINDOW_TOKENS) || e->window.n >= WINDOW_RECORDS;
}

void
embed_clear(struct embed *e)
{
	e->window.n = e->replicas.n = e->nunits = 0;
	e->tokens = 0;
}
