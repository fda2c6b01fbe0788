/*
 * mask.c: which bases a record loses, and what stands in their place.
 *
 * 1. Memory   2. Strategies   3. One record   4. The masker
 *
 * A strategy sets mark[] at token positions; then one pass over the row draws what each marked base becomes.
 */
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "seq/frame.h"
#include "seq/mask.h"
#include "seq/mask_private.h"

#define WORKS 64          /* threads that find their memory waiting; more get theirs by the record */
#define SPECIAL 2         /* mark of the type slot */

struct rna_mask {
	struct rna_mask_options opts;
	double mix;                              /* sum of opts.mix */
	const struct rna_vocab *vocab;
	uint8_t code[RNA_VOCAB_MAX];
	uint8_t candidate[RNA_VOCAB_MAX];        /* id -> 1 when it may be masked */
	struct rna_automaton motifs, statistics; /* statistics: paddle only */
	struct rna_mask_work work[WORKS];
	atomic_flag busy[WORKS];
	_Atomic uint64_t records[RNA_MASK_STRATEGIES], bases[RNA_MASK_STRATEGIES], masked[RNA_MASK_STRATEGIES];
	_Atomic uint64_t filled, types, types_masked;
};

/* 1. Memory */

static void
work_fini(struct rna_mask_work *w)
{
	free(w->tokens);
	free(w->cand);
	free(w->hits);
	memset(w, 0, sizeof(*w));
}

static enum rna_status
work_reserve(struct rna_mask_work *w, size_t n)
{
	size_t cap = n + n / 2 + 64;
	uint8_t *bytes;
	uint32_t *words;

	if (n <= w->cap)
		return RNA_OK;
	if (n >= UINT32_MAX / 8)
		return RNA_EMEM;
	bytes = malloc(4 * cap);
	words = malloc(2 * cap * sizeof(*words));
	if (bytes == NULL || words == NULL) {
		free(bytes);
		free(words);
		return RNA_EMEM;
	}
	free(w->tokens);
	free(w->cand);
	w->tokens = bytes;
	w->code = bytes + cap;
	w->mark = bytes + 2 * cap;
	w->spans = bytes + 3 * cap;
	w->cand = words;
	w->pick = words + cap;
	w->cap = cap;
	return RNA_OK;
}

static struct rna_mask_work *
work_take(struct rna_mask *m, struct rna_mask_work *own)
{
	int i;

	for (i = 0; i < WORKS; i++) {
		if (!atomic_flag_test_and_set_explicit(&m->busy[i], memory_order_acquire))
			return &m->work[i];
	}
	memset(own, 0, sizeof(*own));
	return own;
}

static void
work_give(struct rna_mask *m, struct rna_mask_work *w, struct rna_mask_work *own)
{
	if (w == own)
		work_fini(own);
	else
		atomic_flag_clear_explicit(&m->busy[w - m->work], memory_order_release);
}

/* 2. Strategies */

/* Masks n of the candidates that are not masked, each set of n equally likely. */
static void
mask_bases(struct rna_mask_work *w, struct rna_rng *rng, uint32_t n)
{
	uint32_t left = 0, i, j;

	for (i = 0; i < w->ncand; i++) {
		w->pick[left] = w->cand[i];
		left += !w->mark[w->cand[i]];
	}
	for (i = 0; i < n && i < left; i++) {
		j = i + rna_rng_below(rng, left - i);
		w->mark[w->pick[j]] = 1;
		w->pick[j] = w->pick[i];
	}
}

/*
 * Spans of 4 to 8 candidates, the last one shortened to end at n, laid out so that every arrangement without overlap is
 * equally likely: k of the (ncand - n + k) places, a place being a span or a base between spans (Floyd's sampling).
 */
static void
mask_spans(struct rna_mask_work *w, struct rna_rng *rng, uint32_t n)
{
	uint32_t *len = w->pick, k = 0, sum = 0, places, i, j, at, t;

	while (sum < n) {
		len[k] = RNA_MASK_SPAN_MIN + rna_rng_below(rng, RNA_MASK_SPAN_MAX - RNA_MASK_SPAN_MIN + 1);
		if (len[k] > n - sum)
			len[k] = n - sum;
		sum += len[k++];
	}
	if (k > 1) {     /* the short one anywhere */
		j = rna_rng_below(rng, k);
		t = len[k - 1];
		len[k - 1] = len[j];
		len[j] = t;
	}
	places = w->ncand - n + k;
	memset(w->spans, 0, places);
	for (i = places - k; i < places; i++) {
		t = rna_rng_below(rng, i + 1);
		w->spans[w->spans[t] ? i : t] = 1;
	}
	for (i = at = j = 0; i < places; i++) {
		if (!w->spans[i]) {
			at++;
			continue;
		}
		for (t = 0; t < len[j]; t++)
			w->mark[w->cand[at++]] = 1;
		j++;
	}
}

enum rna_status
rna_mask_hits(struct rna_mask_work *w, const struct rna_automaton *a)
{
	struct rna_hit *grown;
	size_t n, cap;

	if (a->nstates == 0)
		return RNA_OK;
	n = rna_automaton_scan(a, w->code, w->ntokens, w->hits + w->nhits, w->hits_cap - w->nhits);
	if (n > w->hits_cap - w->nhits) {
		cap = w->nhits + n + n / 2;
		if ((grown = reallocarray(w->hits, cap, sizeof(*grown))) == NULL)
			return RNA_EMEM;
		w->hits = grown;
		w->hits_cap = cap;
		n = rna_automaton_scan(a, w->code, w->ntokens, w->hits + w->nhits, w->hits_cap - w->nhits);
	}
	w->nhits += n;
	return RNA_OK;
}

int
rna_mask_hit(struct rna_mask_work *w, const struct rna_hit *hit)
{
	if (memchr(w->mark + hit->start, 1, hit->len) != NULL)
		return 0;
	memset(w->mark + hit->start, 1, hit->len);
	return 1;
}

/* Whole hits in random order as long as they fit and do not overlap; then single bases.  *filled: how many of those. */
static enum rna_status
mask_motifs(struct rna_mask_work *w, struct rna_rng *rng, const struct rna_automaton *a, uint32_t n, uint32_t *filled)
{
	enum rna_status s;
	struct rna_hit hit;
	size_t i, j;

	w->nhits = 0;
	if ((s = rna_mask_hits(w, a)) != RNA_OK)
		return s;
	for (i = 0; i < w->nhits && n >= a->shortest; i++) {
		j = i + rna_rng_below(rng, (uint32_t)(w->nhits - i));
		hit = w->hits[j];
		w->hits[j] = w->hits[i];
		if (hit.len <= n && rna_mask_hit(w, &hit))
			n -= hit.len;
	}
	*filled = n;
	if (n > 0)
		mask_bases(w, rng, n);
	return RNA_OK;
}

/* 3. One record */

static enum rna_mask_strategy
choose(const struct rna_mask *m, uint64_t rid, uint64_t chunk)
{
	struct rna_rng rng;
	double x;
	int i, last = 0;

	rna_rng_init(&rng, rna_rng_key(m->opts.seed, m->opts.epoch, rid, chunk, RNA_RNG_MIX));
	x = rna_rng_double(&rng) * m->mix;
	for (i = 0; i < RNA_MASK_STRATEGIES; i++) {
		if (m->opts.mix[i] <= 0)
			continue;
		last = i;
		if (x < m->opts.mix[i])
			break;
		x -= m->opts.mix[i];
	}
	return last;
}

/* Sets mark[] at the bases that are masked. */
static enum rna_status
mark_bases(struct rna_mask *m, struct rna_mask_work *w, struct rna_rng *rng, enum rna_mask_strategy how,
    uint32_t *filled)
{
	double rate = m->opts.rate;
	uint32_t n;

	if (w->ncand == 0)
		return RNA_OK;
	n = (uint32_t)llround(rate * w->ncand);
	n = m->opts.paddle ? rna_mask_paddle_quota(rate, w->ncand, how) : n > 0 ? n : 1;
	switch (how) {
	case RNA_MASK_SUBSEQUENCE:
		if (m->opts.paddle)
			rna_mask_paddle_spans(w, rng, rate);
		else
			mask_spans(w, rng, n);
		return RNA_OK;
	case RNA_MASK_MOTIF:
		if (m->opts.paddle)
			return rna_mask_paddle_motifs(w, rng, rate, &m->motifs, &m->statistics);
		return mask_motifs(w, rng, &m->motifs, n, filled);
	default:
		mask_bases(w, rng, n);
		return RNA_OK;
	}
}

/* Marks the type slot when its turn comes: a known type, not masked already, and the draw says so. */
static void
mark_type(struct rna_mask *m, struct rna_mask_work *w, uint64_t rid, uint64_t chunk)
{
	const struct rna_vocab *v = m->vocab;
	struct rna_rng rng;
	int64_t slot;

	if (m->opts.paddle || (slot = rna_frame_slot(v, w->tokens, w->ntokens)) < 0 ||
	    w->tokens[slot] < v->type_first || w->tokens[slot] >= v->type_first + v->ntypes)
		return;
	m->types++;
	rna_rng_init(&rng, rna_rng_key(m->opts.seed, m->opts.epoch, rid, chunk, RNA_RNG_TYPE));
	if (rna_rng_double(&rng) < m->opts.type) {
		w->mark[slot] = SPECIAL;
		m->types_masked++;
	}
}

/* The row into work, its candidates, and nothing marked. */
static enum rna_status
work_load(const struct rna_mask *m, struct rna_mask_work *w, const uint8_t *tokens, uint64_t n)
{
	enum rna_status s;
	uint32_t i;

	if ((s = work_reserve(w, n)) != RNA_OK)
		return s;
	memcpy(w->tokens, tokens, n);
	memset(w->mark, 0, n);
	w->ntokens = (uint32_t)n;
	w->ncand = 0;
	for (i = 0; i < n; i++) {
		w->code[i] = m->code[tokens[i]];
		w->cand[w->ncand] = i;
		w->ncand += m->candidate[tokens[i]];
	}
	return RNA_OK;
}

/* Draws what each marked token becomes, and writes the three fields. */
static enum rna_status
apply(const struct rna_mask *m, struct rna_mask_work *w, struct rna_rng *rng, struct rna_record *rec, uint32_t *nbases)
{
	const struct rna_vocab *v = m->vocab;
	uint32_t *position = w->cand, n = 0, i, draw;
	uint8_t *target = w->code;
	enum rna_status s;

	*nbases = 0;
	for (i = 0; i < w->ntokens; i++) {
		if (!w->mark[i])
			continue;
		position[n] = i;
		target[n++] = w->tokens[i];
		*nbases += w->mark[i] != SPECIAL;
		draw = w->mark[i] == SPECIAL ? 0 : rna_rng_below(rng, 10);
		if (draw < 8)
			w->tokens[i] = (uint8_t)v->mask;
		else if (draw == 8)
			w->tokens[i] = v->base[rna_rng_below(rng, 4)];
	}
	if ((s = rna_record_set_vec(rec, "tokens", RNA_U8, w->tokens, w->ntokens)) != RNA_OK ||
	    (s = rna_record_set_vec(rec, "masked", RNA_U32, position, n)) != RNA_OK)
		return s;
	return rna_record_set_vec(rec, "target", RNA_U8, target, n);
}

static enum rna_status
mask_row(struct rna_mask *m, struct rna_mask_work *w, struct rna_record *rec, uint64_t rid, uint64_t chunk)
{
	enum rna_mask_strategy how = choose(m, rid, chunk);
	uint32_t filled = 0, ncand = w->ncand, nbases;
	struct rna_rng rng;
	enum rna_status s;

	rna_rng_init(&rng, rna_rng_key(m->opts.seed, m->opts.epoch, rid, chunk, RNA_RNG_MASK));
	if ((s = mark_bases(m, w, &rng, how, &filled)) != RNA_OK)
		return s;
	mark_type(m, w, rid, chunk);
	if ((s = apply(m, w, &rng, rec, &nbases)) != RNA_OK)
		return s;
	m->records[how]++;
	m->bases[how] += ncand;
	m->masked[how] += nbases;
	m->filled += filled;
	return RNA_OK;
}

enum rna_status
rna_mask_record(struct rna_mask *m, struct rna_record *rec, struct rna_err *err)
{
	struct rna_mask_work own, *w;
	const uint32_t *chunk;
	const uint8_t *tokens;
	uint64_t rid, n, nchunk;
	enum rna_status s;

	if (rna_record_find(rec, "masked") != NULL)
		return rna_fail(err, RNA_EFORMAT, "masked already; mask what rna-tokenize or rna-shuf wrote");
	if ((tokens = rna_record_get_vec(rec, "tokens", RNA_U8, &n)) == NULL)
		return rna_fail(err, RNA_EFORMAT, "no tokens; make them with rna-tokenize");
	if (!rna_record_get_u64(rec, "rid", &rid))
		return rna_fail(err, RNA_EFORMAT, "no rid, which the masks are drawn from");
	if (m->opts.paddle && rna_record_find(rec, "segment") != NULL)
		return rna_fail(err, RNA_EFORMAT, "a pair of RNAs, which the released code does not mask");
	chunk = rna_record_get_vec(rec, "chunk", RNA_U32, &nchunk);
	w = work_take(m, &own);
	if ((s = work_load(m, w, tokens, n)) == RNA_OK)
		s = mask_row(m, w, rec, rid, chunk != NULL && nchunk > 0 ? chunk[0] : 0);
	work_give(m, w, &own);
	return s == RNA_OK ? RNA_OK : rna_fail(err, s, "out of memory");
}

/* 4. The masker */

/* All lists in one; for paddle, only those spelled (or not spelled) with U. */
static enum rna_status
build(struct rna_automaton *a, const struct rna_motifs *lists, size_t nlists, int paddle, int with_u)
{
	struct rna_motifs all = RNA_MOTIFS_INIT;
	enum rna_status s = RNA_OK;
	size_t i, j;
	int u;

	for (i = 0; i < nlists && s == RNA_OK; i++) {
		for (u = 0, j = 0; j < lists[i].n; j++)
			u |= lists[i].motif[j].u;
		if (paddle && u != with_u)
			continue;
		for (j = 0; j < lists[i].n && s == RNA_OK; j++)
			s = rna_motifs_add(&all, rna_motifs_codes(&lists[i], j), lists[i].motif[j].len,
			    lists[i].motif[j].u, NULL);
	}
	if (s == RNA_OK)
		s = rna_automaton_init(a, &all, paddle);
	rna_motifs_fini(&all);
	return s;
}

struct rna_mask *
rna_mask_create(const struct rna_mask_options *opts, const struct rna_motifs *lists, size_t nlists, struct rna_err *err)
{
	struct rna_mask *m;
	enum rna_status s;
	int i;

	if ((m = calloc(1, sizeof(*m))) == NULL) {
		(void)rna_fail(err, RNA_EMEM, "out of memory");
		return NULL;
	}
	m->opts = *opts;
	for (i = 0; i < RNA_MASK_STRATEGIES; i++)
		m->mix += opts->mix[i];
	for (i = 0; i < WORKS; i++)
		atomic_flag_clear(&m->busy[i]);
	s = build(&m->motifs, lists, nlists, opts->paddle, 1);
	if (s == RNA_OK && opts->paddle)
		s = build(&m->statistics, lists, nlists, 1, 0);
	if (s != RNA_OK) {
		(void)rna_fail(err, s, "out of memory");
		rna_mask_destroy(m);
		return NULL;
	}
	return m;
}

enum rna_status
rna_mask_vocab(struct rna_mask *m, const struct rna_vocab *v, struct rna_err *err)
{
	if (v->mask < 0)
		return rna_fail(err, RNA_EINVAL, "vocabulary %s has no mask token", v->name);
	m->vocab = v;
	rna_motif_codes(v, m->code);
	memcpy(m->candidate, v->is_base, sizeof(m->candidate));
	if (m->opts.paddle)     /* the released code takes an unknown letter for a base */
		m->candidate[v->unk] = 1;
	return RNA_OK;
}

void
rna_mask_counts(const struct rna_mask *m, struct rna_mask_counts *counts)
{
	int i;

	for (i = 0; i < RNA_MASK_STRATEGIES; i++) {
		counts->records[i] = m->records[i];
		counts->bases[i] = m->bases[i];
		counts->masked[i] = m->masked[i];
	}
	counts->filled = m->filled;
	counts->types = m->types;
	counts->types_masked = m->types_masked;
}

void
rna_mask_destroy(struct rna_mask *m)
{
	int i;

	if (m == NULL)
		return;
	for (i = 0; i < WORKS; i++)
		work_fini(&m->work[i]);
	rna_automaton_fini(&m->motifs);
	rna_automaton_fini(&m->statistics);
	free(m);
}
