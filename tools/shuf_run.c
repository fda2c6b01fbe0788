/*
 * shuf_run.c: the work of rna-shuf.
 */
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "shuf_run.h"

/* A failure about the record at hand. */
static void
die_record(const struct shuf_run *r, struct rna_err *err)
{
	rna_err_where(err, r->in.source != NULL ? rna_source_name(r->in.source) : "", r->rec.number);
	tool_die_err(r->tool, err);
}

/* A further stream may follow when its tokens mean the same. */
static void
check_header(const struct shuf_run *r)
{
	const struct rna_header *h = tool_in_header(&r->in);

	if (strcmp(rna_header_vocab_digest(h), rna_header_vocab_digest(&r->header)) != 0)
		tool_die(r->tool, "%s: tokens of vocabulary '%s' after those of '%s'; shuffle them apart",
		    r->in.source != NULL ? rna_source_name(r->in.source) : "", rna_header_vocab_name(h),
		    rna_header_vocab_name(&r->header));
}

/* The next record of all inputs as one stream; 0 at the end. */
static int
next_record(struct shuf_run *r)
{
	enum rna_status s;

	while ((s = tool_in_read(&r->in, &r->rec)) == RNA_NEXT)
		check_header(r);
	return s == RNA_OK;
}

static int
side(struct shuf_run *r)
{
	struct rna_err err = {.record = RNA_NOREC};
	int where = 0;

	if (r->opts->split > 0 && rna_split_side(&r->split, &r->rec, &where, &err) != RNA_OK)
		die_record(r, &err);
	return where;
}

static void
count(struct shuf_run *r, int where)
{
	uint64_t n = 0;

	(void)rna_record_get_vec(&r->rec, "tokens", RNA_U8, &n);
	r->totals[where].records++;
	r->totals[where].tokens += n;
}

static void
write_header(struct shuf_run *r, int where, int known)
{
	struct shuf_totals t = {RNA_TOTAL_UNKNOWN, RNA_TOTAL_UNKNOWN};

	if (known)
		t = r->totals[where];
	if (rna_header_vocab_digest(&r->header)[0] == '\0')
		t.tokens = RNA_TOTAL_UNKNOWN;
	if (rna_header_set_totals(&r->header, t.records, t.tokens) != RNA_OK)
		tool_die(r->tool, "out of memory");
	tool_out_header(r->out[where], &r->header, NULL, known);
}

/* Reads all shuffled records in order; write 0: only counts them. */
static void
drain(struct shuf_run *r, int write)
{
	struct rna_err err = {.record = RNA_NOREC};
	enum rna_status s;
	uint64_t units = 0;
	int first, where;

	while ((s = rna_shuffle_read(r->shuffle, &r->rec, &first, &err)) == RNA_OK) {
		units += (uint64_t)first;
		if (r->opts->sample > 0 && units > r->opts->sample)
			return;
		where = write ? side(r) : 0;
		if (write)
			tool_out_write(r->out[where], &r->rec);
		else
			count(r, where);
	}
	if (s != RNA_END)
		tool_die_err(r->tool, &err);
}

/* The same where nothing of a record has to be known: as it is. */
static void
drain_encoded(struct shuf_run *r)
{
	struct rna_err err = {.record = RNA_NOREC};
	const void *data;
	enum rna_status s;
	uint64_t units = 0;
	size_t n;
	int first;

	while ((s = rna_shuffle_read_encoded(r->shuffle, &data, &n, &first, &err)) == RNA_OK) {
		units += (uint64_t)first;
		if (r->opts->sample > 0 && units > r->opts->sample)
			return;
		tool_out_write_encoded(r->out[0], data, n);
	}
	if (s != RNA_END)
		tool_die_err(r->tool, &err);
}

/* What reading and writing take, in bytes: frames of up to 1 MiB on either side, and zstd's tables for each thread. */
static uint64_t
stream_memory(const struct tool *t)
{
	uint64_t each = t->level < 9 ? 3 : t->level < 13 ? 16 : 24;

	return (4 + each * (uint64_t)t->threads) << 20;
}

void
shuf_shuffle(struct shuf_run *r)
{
	uint64_t streams = stream_memory(r->tool);
	uint64_t most = r->opts->mem - r->opts->mem / 4;
	uint64_t mem = r->opts->mem - (streams < most ? streams : most);
	struct rna_shuffle_options so = {r->tool->seed, mem, NULL, r->opts->sample > 0};
	struct rna_err err = {.record = RNA_NOREC};

	if (so.mem < RNA_SHUFFLE_MEM_MIN)
		so.mem = RNA_SHUFFLE_MEM_MIN;
#ifdef M_MMAP_THRESHOLD
	/* what is large goes back to the system when it is freed; by itself glibc raises the threshold up to 32 MiB */
	(void)mallopt(M_MMAP_THRESHOLD, 256 << 10);
#endif
	if ((r->shuffle = rna_shuffle_create(&so, &err)) == NULL)
		tool_die_err(r->tool, &err);
	while (next_record(r)) {
		if (r->opts->sample == 0)
			count(r, side(r));
		if (rna_shuffle_add(r->shuffle, &r->rec, &err) != RNA_OK)
			die_record(r, &err);
	}
	if (r->opts->sample > 0) {
		drain(r, 0);
		rna_shuffle_rewind(r->shuffle);
	}
	write_header(r, 0, 1);
	if (r->out[1] != NULL)
		write_header(r, 1, 1);
	rna_split_reuse(&r->split);
	if (r->opts->split > 0)
		drain(r, 1);
	else
		drain_encoded(r);
	tool_note(
	    r->tool, 1, "%.1f MiB went through temporary files", (double)rna_shuffle_spilled(r->shuffle) / (1 << 20));
	rna_shuffle_destroy(r->shuffle);
}

void
shuf_shard(struct shuf_run *r)
{
	uint64_t unit;

	write_header(r, 0, 0);
	while (next_record(r)) {
		if (rna_split_unit(&r->split, &r->rec, &unit) != RNA_OK)
			tool_die(r->tool, "out of memory");
		if (unit % r->opts->shards != r->opts->shard)
			continue;
		tool_out_write(r->out[0], &r->rec);
		count(r, 0);
	}
}
