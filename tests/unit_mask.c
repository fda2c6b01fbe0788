/*
 * unit_mask.c: what masking promises, on many random records with fixed seeds: quotas, what stands in for a masked
 * base, where the strategies mask, and that the original can be restored.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "seq/frame.h"
#include "seq/mask.h"
#include "stream/rng.h"
#include "tap.h"

#define MAX_NT 600

/* Sums over a set of records. */
struct sums {
	uint64_t records, bases, masked, mask, same, other, base[4];
	uint64_t special, unrestored, unsorted, short_of_quota, over_quota;
	uint64_t runs[16]; /* lengths of runs of masked bases; 15: longer */
	uint64_t tail;     /* masked ones among the last 9 bases */
	uint64_t slots, slots_masked, none;
};

static struct rna_vocab vocab;
static struct rna_motifs motifs = RNA_MOTIFS_INIT;

static struct rna_mask *
create(const struct rna_mask_options *opts, const struct rna_motifs *lists, size_t n)
{
	struct rna_mask *m = rna_mask_create(opts, lists, n, NULL);

	if (m == NULL || rna_mask_vocab(m, &vocab, NULL) != RNA_OK)
		abort();
	return m;
}

/* A random RNA of n nt framed with a type; unknown: share of letters N. */
static void
make(struct rna_record *rec, uint64_t rid, uint32_t n, double unknown, int type)
{
	static const struct rna_framing framing = {RNA_FRAME_TYPE, RNA_LONG_KEEP, 0, 0};
	struct rna_frame_counts counts = {0};
	struct rna_record text;
	struct rna_rng rng;
	char seq[MAX_NT];
	uint32_t i;

	rna_rng_init(&rng, rid * 7919 + 1);
	for (i = 0; i < n; i++)
		seq[i] = rna_rng_double(&rng) < unknown ? 'N' : "ACGU"[rna_rng_below(&rng, 4)];
	rna_record_init(&text);
	if (rna_record_set_u64(&text, "rid", rid) != RNA_OK || rna_record_set_str(&text, "seq", seq, n) != RNA_OK ||
	    rna_frame_record(&framing, &vocab, &text, type, 0, rec, &counts) != RNA_OK)
		abort();
	rna_record_fini(&text);
}

static void
add_runs(struct sums *s, const uint8_t *marked, uint64_t n)
{
	uint64_t i, run = 0;

	for (i = 0; i <= n; i++) {
		if (i < n && marked[i]) {
			run++;
			continue;
		}
		if (run > 0)
			s->runs[run < 15 ? run : 15]++;
		run = 0;
	}
}

/* Adds the masked record to the sums; before: its tokens as they were. */
static void
look(struct sums *s, const struct rna_record *rec, const uint8_t *before, uint64_t n, uint32_t quota)
{
	uint8_t marked[MAX_NT + 8] = {0}, restored[MAX_NT + 8];
	uint64_t i, m, mt, nt, bases = 0, nmasked = 0;
	const uint32_t *pos = rna_record_get_vec(rec, "masked", RNA_U32, &m);
	const uint8_t *target = rna_record_get_vec(rec, "target", RNA_U8, &mt);
	const uint8_t *tokens = rna_record_get_vec(rec, "tokens", RNA_U8, &nt);
	int b;

	if (pos == NULL || target == NULL || tokens == NULL || m != mt || nt != n) {
		s->unrestored++;
		return;
	}
	memcpy(restored, tokens, n);
	for (i = 0; i < m; i++) {
		s->unsorted += pos[i] >= n || (i > 0 && pos[i] <= pos[i - 1]);
		if (pos[i] >= n)
			return;
		restored[pos[i]] = target[i];
		if (vocab.is_base[target[i]] == 0) {
			s->special += target[i] < vocab.type_first || target[i] >= vocab.type_first + vocab.ntypes;
			s->slots_masked += tokens[pos[i]] == vocab.mask;
			continue;
		}
		marked[pos[i]] = 1;
		nmasked++;
		s->mask += tokens[pos[i]] == vocab.mask;
		s->same += tokens[pos[i]] == target[i];
		s->other += tokens[pos[i]] != vocab.mask && tokens[pos[i]] != target[i];
		for (b = 0; b < 4; b++)
			s->base[b] += tokens[pos[i]] == vocab.base[b] && tokens[pos[i]] != target[i];
		s->tail += pos[i] > n - 4 - 9;
	}
	s->unrestored += memcmp(restored, before, n) != 0;
	for (i = 0; i < n; i++)
		bases += vocab.is_base[before[i]];
	s->records++;
	s->bases += bases;
	s->masked += nmasked;
	s->none += nmasked == 0;
	s->short_of_quota += nmasked < quota;
	s->over_quota += nmasked > quota;
	s->slots++;
	add_runs(s, marked, n);
}

static uint32_t
quota_of(const uint8_t *tokens, uint64_t n, double rate)
{
	uint64_t bases = 0, i;
	long q;

	for (i = 0; i < n; i++)
		bases += vocab.is_base[tokens[i]];
	q = lround(rate * (double)bases);
	return bases == 0 ? 0 : q < 1 ? 1 : (uint32_t)q;
}

/* Masks `records` random RNAs of lo to hi nt. */
static struct sums
run(const struct rna_mask_options *opts, const struct rna_motifs *lists, size_t nlists, uint32_t lo, uint32_t hi,
    double unknown, uint64_t records)
{
	struct rna_mask *m = create(opts, lists, nlists);
	uint8_t before[MAX_NT + 8];
	const uint8_t *tokens;
	struct rna_record rec;
	struct sums s = {0};
	uint64_t rid, n;

	rna_record_init(&rec);
	for (rid = 1; rid <= records; rid++) {
		make(&rec, rid, lo + (uint32_t)(rid % (hi - lo + 1)), unknown, vocab.type_first + (int)(rid % 28));
		tokens = rna_record_get_vec(&rec, "tokens", RNA_U8, &n);
		memcpy(before, tokens, n);
		if (rna_mask_record(m, &rec, NULL) != RNA_OK)
			abort();
		look(&s, &rec, before, n, quota_of(before, n, opts->rate));
	}
	rna_record_fini(&rec);
	rna_mask_destroy(m);
	return s;
}

/* |share of part in whole - p| within z standard deviations. */
static int
near(uint64_t part, uint64_t whole, double p, double z)
{
	double sd = sqrt(p * (1 - p) / (double)whole), share = (double)part / (double)whole;

	if (fabs(share - p) <= z * sd)
		return 1;
	diag("share %.5f, expected %.5f +- %.5f", share, p, z * sd);
	return 0;
}

static const struct rna_mask_options base_only = {0.15, {1, 0, 0}, 0.5, 1, 0, 0};
static const struct rna_mask_options spans_only = {0.15, {0, 1, 0}, 0.5, 1, 0, 0};
static const struct rna_mask_options motifs_only = {0.15, {0, 0, 1}, 0.5, 1, 0, 0};

static void
test_promises(const char *name, const struct rna_mask_options *opts, const struct rna_motifs *lists, size_t n)
{
	struct sums s = run(opts, lists, n, 1, 500, 0.02, 3000);
	struct sums t = run(opts, lists, n, 1, 30, 0, 3000);
	int b, even = 1;

	ok(s.unrestored == 0 && t.unrestored == 0, "%s: masked and target give the tokens back", name);
	ok(s.unsorted == 0 && s.special == 0 && t.special == 0, "%s: positions ascend, specials stay", name);
	ok(s.short_of_quota == 0 && s.over_quota == 0, "%s: each has its quota, unknown letters not counted", name);
	ok(t.short_of_quota == 0 && t.over_quota == 0 && t.none == 0, "%s: short ones too, one base at least", name);
	ok(near(s.mask, s.masked, 0.8, 4), "%s: 80 %% become [MASK]", name);
	ok(near(s.same, s.masked, 0.125, 4), "%s: 10 %% and a quarter of 10 %% stay what they are", name);
	for (b = 0; b < 4; b++)
		even &= near(s.base[b], s.other, 0.25, 5);
	ok(even && near(s.other, s.masked, 0.075, 4), "%s: the others are the four bases alike", name);
	ok(near(s.slots_masked, s.slots, 0.5, 4), "%s: half of the type slots are masked", name);
}

static void
test_spans(void)
{
	struct sums s = run(&spans_only, NULL, 0, 400, 500, 0, 2000), b = run(&base_only, NULL, 0, 400, 500, 0, 2000);
	uint64_t n = 0, below = 0, i;

	for (i = 1; i < 16; i++)
		n += s.runs[i];
	for (i = 1; i < 4; i++)
		below += s.runs[i];
	/* a record has about 11 spans, one of them shortened: to less than 4 in about half of the records */
	ok(below < s.records && below > s.records / 4, "subsequence: only the last span is under 4 nt (%llu of %llu)",
	    (unsigned long long)below, (unsigned long long)n);
	ok(s.masked > 5 * n && s.masked < 8 * n, "subsequence: runs are long, neighbours included");
	ok(s.runs[1] * 20 < b.runs[1], "subsequence: single bases are rare, other than in base masking");
	ok(s.tail * 450 > s.masked * 9 * 6 / 10, "subsequence: the last bases are masked, if less often");
}

/* Every masked base lies in a motif hit when hits abound. */
static void
test_motif_hits(void)
{
	struct rna_mask *m = create(&motifs_only, &motifs, 1);
	struct rna_mask_counts c;
	struct rna_automaton a;
	struct rna_hit hits[4096];
	uint8_t code[RNA_VOCAB_MAX], codes[MAX_NT + 8], in_hit[MAX_NT + 8];
	uint64_t rid, n, nm, i, outside = 0, total = 0;
	struct rna_record rec;
	const uint8_t *tokens;
	const uint32_t *pos;
	size_t found, j;

	if (rna_automaton_init(&a, &motifs, 0) != RNA_OK)
		abort();
	rna_motif_codes(&vocab, code);
	rna_record_init(&rec);
	for (rid = 1; rid <= 1000; rid++) {
		make(&rec, rid, 300, 0.02, vocab.type_first);
		tokens = rna_record_get_vec(&rec, "tokens", RNA_U8, &n);
		for (i = 0; i < n; i++)
			codes[i] = code[tokens[i]];
		found = rna_automaton_scan(&a, codes, n, hits, 4096);
		memset(in_hit, 0, sizeof(in_hit));
		for (j = 0; j < found; j++)
			memset(in_hit + hits[j].start, 1, hits[j].len);
		if (rna_mask_record(m, &rec, NULL) != RNA_OK)
			abort();
		pos = rna_record_get_vec(&rec, "masked", RNA_U32, &nm);
		for (i = 0; i < nm; i++) {
			if (pos[i] > 300)
				continue;
			total++;
			outside += !in_hit[pos[i]];
		}
	}
	rna_mask_counts(m, &c);
	ok(outside <= c.filled && outside * 5 < total, "motif: outside motifs only to fill the quota (%llu of %llu)",
	    (unsigned long long)outside, (unsigned long long)total);
	ok(c.records[RNA_MASK_MOTIF] == 1000 && c.masked[RNA_MASK_MOTIF] == total, "motif: counted");
	rna_automaton_fini(&a);
	rna_record_fini(&rec);
	rna_mask_destroy(m);
}

static void
test_mix(void)
{
	struct rna_mask_options opts = {0.15, {2, 1, 1}, 0, 1, 0, 0};
	struct rna_mask *m = create(&opts, &motifs, 1);
	struct rna_mask_counts c;
	struct rna_record rec;
	uint64_t rid;

	rna_record_init(&rec);
	for (rid = 1; rid <= 8000; rid++) {
		make(&rec, rid, 40, 0, -1);
		if (rna_mask_record(m, &rec, NULL) != RNA_OK)
			abort();
	}
	rna_mask_counts(m, &c);
	ok(near(c.records[0], 8000, 0.5, 4) && near(c.records[1], 8000, 0.25, 4) && near(c.records[2], 8000, 0.25, 4),
	    "mix 2:1:1");
	ok(c.types == 0 && c.types_masked == 0, "an unknown type is no target");
	rna_record_fini(&rec);
	rna_mask_destroy(m);
}

/* Equal for equal keys, other for another seed, epoch or chunk. */
static void
test_keys(void)
{
	enum { NO_CHUNK = 9 };
	static const struct {
		uint64_t seed, epoch;
		uint32_t chunk;
	} keys[] = {{1, 0, 0}, {1, 0, NO_CHUNK}, {2, 0, 0}, {1, 1, 0}, {1, 0, 1}};
	struct rna_mask_options opts = base_only;
	struct rna_buf bytes[5] = {RNA_BUF_INIT, RNA_BUF_INIT, RNA_BUF_INIT, RNA_BUF_INIT, RNA_BUF_INIT};
	struct rna_record rec;
	struct rna_mask *m;
	const uint8_t *tokens;
	uint32_t chunk[2];
	uint64_t n = 0;
	size_t i;

	rna_record_init(&rec);
	for (i = 0; i < 5; i++) {
		opts.seed = keys[i].seed;
		opts.epoch = keys[i].epoch;
		m = create(&opts, NULL, 0);
		make(&rec, 99, 200, 0, vocab.type_first);
		chunk[0] = keys[i].chunk;
		chunk[1] = 0;
		if ((chunk[0] != NO_CHUNK && rna_record_set_vec(&rec, "chunk", RNA_U32, chunk, 2) != RNA_OK) ||
		    rna_mask_record(m, &rec, NULL) != RNA_OK)
			abort();
		tokens = rna_record_get_vec(&rec, "tokens", RNA_U8, &n);
		if (rna_buf_add(&bytes[i], tokens, n) != RNA_OK)
			abort();
		rna_mask_destroy(m);
	}
	ok(memcmp(bytes[0].data, bytes[1].data, n) == 0, "equal keys, equal masks; a whole RNA is its chunk 0");
	ok(memcmp(bytes[0].data, bytes[2].data, n) && memcmp(bytes[0].data, bytes[3].data, n) &&
		memcmp(bytes[0].data, bytes[4].data, n),
	    "other masks for another seed, epoch or chunk");
	m = create(&base_only, NULL, 0);
	ok(rna_mask_record(m, &rec, NULL) == RNA_EFORMAT, "a masked record is refused");
	rna_mask_destroy(m);
	for (i = 0; i < 5; i++)
		rna_buf_fini(&bytes[i]);
	rna_record_fini(&rec);
}

/* The released code: spans of 5 to 8, never in the last 9 bases, types left alone, motifs with U dead. */
static void
test_paddle(void)
{
	struct rna_mask_options opts = {0.15, {0, 1, 0}, 0.5, 1, 0, 1};
	struct sums s = run(&opts, NULL, 0, 300, 500, 0, 2000), t = run(&opts, NULL, 0, 1, 9, 0, 500), u;
	struct rna_motifs with_u = RNA_MOTIFS_INIT;
	static const uint8_t ugc[] = {3, 2, 1};

	ok(s.tail == 0 && t.masked == 0, "paddle: no span in the last 9 bases");
	ok(s.over_quota == 0 && s.masked * 100 > s.bases * 14, "paddle: 15 %%, never more");
	ok(s.slots_masked == 0, "paddle: types are never masked");
	ok(s.unrestored == 0 && s.special == 0, "paddle: the tokens can be restored");
	opts.mix[1] = 0;
	opts.mix[2] = 1;
	if (rna_motifs_add(&with_u, ugc, 3, 1, NULL) != RNA_OK)
		abort();
	u = run(&opts, &with_u, 1, 300, 500, 0, 200);
	ok(u.masked == 0, "paddle: a motif with U matches nothing, and nothing stands in for it");
	u = run(&opts, &motifs, 1, 300, 500, 0, 500);
	ok(u.masked > 0 && u.over_quota == 0 && u.runs[1] + u.runs[2] == 0, "paddle: whole motifs only");
	opts.mix[2] = 0;
	opts.mix[0] = 1;
	u = run(&opts, NULL, 0, 520, 590, 0, 500);
	ok(u.masked == 77 * u.records, "paddle: at most 77 single bases");
	rna_motifs_fini(&with_u);
}

/* A span begins at any base up to those at the end, the first and the last of them too. */
static void
test_paddle_starts(void)
{
	const struct rna_mask_options opts = {0.15, {0, 1, 0}, 0.5, 1, 0, 1};
	struct rna_mask *m = create(&opts, NULL, 0);
	const uint8_t *tokens;
	struct rna_record rec;
	uint64_t n, i;
	int first = 0, fifth = 0;

	rna_record_init(&rec);
	for (i = 0; i < 1000; i++) {
		make(&rec, i, 60, 0, vocab.type_first);
		if (rna_mask_record(m, &rec, NULL) != RNA_OK)
			abort();
		tokens = rna_record_get_vec(&rec, "tokens", RNA_U8, &n);
		first += tokens[1] == vocab.mask;
		fifth += tokens[5] == vocab.mask;
	}
	ok(first > 10 && fifth > first, "paddle: %d spans begin at the first base, %d hold the fifth", first, fifth);
	rna_record_fini(&rec);
	rna_mask_destroy(m);
}

/* The span lengths 5, 6, 7, 8 of the released code, seen in RNAs with room for one span only. */
static void
test_paddle_lengths(void)
{
	static const double expected[] = {0.48, 0.24, 0.16, 0.12};
	struct rna_mask_options opts = {0.15, {0, 1, 0}, 0, 1, 0, 1};
	struct rna_mask *m = create(&opts, NULL, 0);
	uint64_t rid, n, k, lengths[4] = {0}, spans = 0;
	const uint32_t *pos;
	struct rna_record rec;
	int i, good = 1;

	rna_record_init(&rec);
	for (rid = 1; rid <= 20000; rid++) {
		make(&rec, rid, 57, 0, -1); /* quota 9: a second span fits only where it is cut */
		if (rna_mask_record(m, &rec, NULL) != RNA_OK)
			abort();
		pos = rna_record_get_vec(&rec, "masked", RNA_U32, &n);
		for (k = 1; k < n && pos[k] == pos[k - 1] + 1; k++)
			continue;
		if (k >= 5 && k <= 8 && pos[k - 1] < 48) { /* 48 is where spans are cut */
			lengths[k - 5]++;
			spans++;
		}
	}
	for (i = 0; i < 4; i++)
		diag("length %d: %.4f", i + 5, (double)lengths[i] / (double)spans);
	for (i = 0; i < 4; i++)
		good &= fabs((double)lengths[i] / (double)spans - expected[i]) < 0.06;
	ok(good && spans > 5000, "paddle: span lengths weigh 1, 1/2, 1/3, 1/4");
	rna_record_fini(&rec);
	rna_mask_destroy(m);
}

int
main(void)
{
	uint8_t codes[5];
	int i, j;

	if (rna_vocab_init(&vocab) != RNA_OK)
		abort();
	for (i = 0; i < 200; i++) { /* a fifth of the words of 5 letters */
		for (j = 0; j < 5; j++)
			codes[j] = (uint8_t)((i * 5 + 3) >> 2 * j & 3);
		if (rna_motifs_add(&motifs, codes, 5, 0, NULL) != RNA_OK)
			abort();
	}
	test_promises("base", &base_only, NULL, 0);
	test_promises("subsequence", &spans_only, NULL, 0);
	test_promises("motif", &motifs_only, &motifs, 1);
	test_spans();
	test_motif_hits();
	test_mix();
	test_keys();
	test_paddle();
	test_paddle_starts();
	test_paddle_lengths();
	rna_motifs_fini(&motifs);
	rna_vocab_fini(&vocab);
	return done();
}
