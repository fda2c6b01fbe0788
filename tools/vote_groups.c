/*
 * vote_groups.c: rna-vote by group and by chunk: members stand next to each other; one group is in memory.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "stat/seen.h"
#include "vote_private.h"

/* The group at hand. */
struct run {
	struct tool *t;
	enum vote_by by;
	struct rna_vote vote;
	struct rna_seen seen; /* groups of this stream */
	json_t *classes;      /* of the stream at hand; its header goes before its last group does */
	uint64_t id, groups;
	size_t members, replicates; /* of the group; of the stream's first group */
	double weight;
	int ended;          /* its last chunk was read */
	struct rna_buf seq; /* its letters, chunks put together */
};

static enum rna_status
group_of(const struct run *r, const struct rna_record *rec, uint64_t *id, struct rna_err *err)
{
	if (r->by == VOTE_BY_GROUP) {
		if (!rna_record_get_u64(rec, "group", id))
			return rna_fail(
			    err, RNA_EFORMAT, "no group; make replicates with rna-embed --types, or say --by chunk");
		return RNA_OK;
	}
	if (rna_record_find(rec, "group") != NULL)
		return rna_fail(err, RNA_EFORMAT, "is a replicate; vote --by group before --by chunk");
	if (!rna_record_get_u64(rec, "rid", id))
		return rna_fail(err, RNA_EFORMAT, "no rid");
	return RNA_OK;
}

/* Weight of a replicate: its sigma. */
static enum rna_status
replicate_weight(const struct rna_record *rec, double *w, struct rna_err *err)
{
	const struct rna_field *f = rna_record_find(rec, "sigma");

	if (f == NULL || f->dtype != RNA_F32 || f->count != 1)
		return rna_fail(err, RNA_EFORMAT, "no sigma (f32), the weight of a replicate");
	*w = (double)*(const float *)rna_record_data(rec, f);
	return RNA_OK;
}

/* Weight of a chunk, its bases; its letters are put behind those of the chunks before. */
static enum rna_status
take_chunk(struct run *r, const struct rna_record *rec, double *w, struct rna_err *err)
{
	uint32_t whole[2] = {0, 0};
	const uint32_t *chunk = whole;
	uint8_t last = 1;
	const char *seq;
	uint64_t two;
	size_t n = 0;

	if (rna_record_find(rec, "chunk") != NULL) {
		if ((chunk = rna_record_get_vec(rec, "chunk", RNA_U32, &two)) == NULL || two != 2 ||
		    !rna_record_get_u8(rec, "last", &last))
			return rna_fail(err, RNA_EFORMAT, "no chunk (u32 [2]) with last (u8)");
	}
	if (chunk[0] != r->members || r->ended)
		return rna_fail(err, RNA_EFORMAT,
		    "chunk %" PRIu32 " where %zu was due: a chunk is missing or comes twice", chunk[0], r->members);
	r->ended = last;
	if ((seq = rna_record_get_str(rec, "seq", &n)) == NULL)
		return rna_fail(err, RNA_EFORMAT, "no seq, whose length is the weight of a chunk");
	if (chunk[1] > r->seq.len || r->seq.len - chunk[1] > n)
		return rna_fail(
		    err, RNA_EFORMAT, "chunk %" PRIu32 " does not go on where the one before ends", chunk[0]);
	*w = (double)n;
	n -= r->seq.len - chunk[1];
	if (rna_buf_add(&r->seq, seq + (r->seq.len - chunk[1]), n) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	return RNA_OK;
}

static enum rna_status
add(struct run *r, const struct rna_record *rec, struct rna_err *err)
{
	enum rna_status s;
	double w = 0;

	s = r->by == VOTE_BY_GROUP ? replicate_weight(rec, &w, err) : take_chunk(r, rec, &w, err);
	if (s == RNA_OK)
		s = rna_vote_add(&r->vote, rec, w, err);
	r->weight += w;
	r->members++;
	return s;
}

/* What only the members had. */
static enum rna_status
clean(struct run *r, struct rna_err *err)
{
	static const char *const of_replicates[] = {"group", "sigma", NULL};
	static const char *const of_chunks[] = {
	    "chunk", "last", "tokens", "segment", "masked", "target", "hidden", "pair", "structure", NULL};
	const char *const *name = r->by == VOTE_BY_GROUP ? of_replicates : of_chunks;

	if (r->by == VOTE_BY_CHUNK && rna_record_find(&r->vote.out, "chunk") == NULL)
		return RNA_OK; /* a whole RNA */
	for (; *name != NULL; name++)
		rna_record_remove(&r->vote.out, *name);
	if (r->by == VOTE_BY_CHUNK &&
	    rna_record_set_str(&r->vote.out, "seq", (const char *)r->seq.data, r->seq.len) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	return RNA_OK;
}

/* The group at hand is over: it is whole, and its answer goes out. */
static enum rna_status
finish(struct run *r, struct tool_out *out, struct rna_err *err)
{
	enum rna_status s;

	if (r->members == 0)
		return RNA_OK;
	if (r->by == VOTE_BY_CHUNK && !r->ended)
		return rna_fail(err, RNA_EFORMAT, "ends an RNA without its last chunk, which is missing");
	if (r->replicates == 0)
		r->replicates = r->members;
	if (r->by == VOTE_BY_GROUP && r->members != r->replicates)
		return rna_fail(err, RNA_EFORMAT,
		    "ends a group of %zu, and there were %zu before: a replicate is missing", r->members,
		    r->replicates);
	if (r->by == VOTE_BY_GROUP && fabs(r->weight - 1) > 1e-3)
		return rna_fail(err, RNA_EFORMAT,
		    "ends a group whose sigma add up to %.4g, not 1: a replicate is missing", r->weight);
	if ((s = rna_vote_end(&r->vote, r->classes, err)) != RNA_OK || (s = clean(r, err)) != RNA_OK)
		return s;
	tool_out_write(out, &r->vote.out);
	r->groups++;
	r->members = 0;
	return RNA_OK;
}

/* A record, which goes on with the group at hand or ends it. */
static enum rna_status
take(struct run *r, struct tool_out *out, const struct rna_record *rec, struct rna_err *err, int *late)
{
	enum rna_status s;
	uint64_t id = 0;
	int was;

	*late = 0;
	if ((s = group_of(r, rec, &id, err)) != RNA_OK)
		return s;
	if (r->members == 0 || id != r->id) {
		*late = 1;
		if ((s = finish(r, out, err)) != RNA_OK)
			return s;
		*late = 0;
		if (rna_seen_add(&r->seen, id, &was) != RNA_OK)
			return rna_fail(err, RNA_EMEM, "out of memory");
		if (was)
			return rna_fail(err, RNA_EFORMAT, "its group was complete before; members must stand together");
		r->id = id;
		r->weight = 0;
		r->ended = 0;
		rna_buf_reuse(&r->seq);
	}
	return add(r, rec, err);
}

static void
begin_stream(struct run *r, struct tool_in *in, struct tool_out *out)
{
	tool_out_header(out, tool_in_header(in), NULL, 0);
	json_decref(r->classes);
	r->classes = json_incref(json_object_get(tool_in_header(in)->json, "classes"));
	r->replicates = 0;
	rna_seen_fini(&r->seen);
}

/* file: kept by the caller, because the source is closed at its end. */
static void
die(const struct run *r, struct rna_err *err, const char *file, uint64_t record)
{
	rna_err_where(err, file, record);
	tool_die_err(r->t, err);
}

void
vote_groups(struct tool *t, enum vote_by by, enum rna_vote_rule rule)
{
	struct run r = {.t = t, .by = by};
	struct rna_err err = {.record = RNA_NOREC};
	char file[sizeof(err.file)] = "";
	struct rna_record rec;
	struct tool_out *out;
	struct tool_in in;
	enum rna_status s;
	int late = 0;

	rna_record_init(&rec);
	rna_vote_init(&r.vote, rule);
	out = tool_out_open(t);
	tool_in_open(&in, t, NULL);
	begin_stream(&r, &in, out);
	strlcpy(file, rna_source_name(in.source), sizeof(file));
	while ((s = tool_in_read(&in, &rec)) != RNA_END) {
		if (s == RNA_NEXT) {
			if (finish(&r, out, &err) != RNA_OK)
				die(&r, &err, file, in.records);
			begin_stream(&r, &in, out);
			strlcpy(file, rna_source_name(in.source), sizeof(file));
		} else if (take(&r, out, &rec, &err, &late) != RNA_OK)
			die(&r, &err, file, in.records - (uint64_t)late);
	}
	if (finish(&r, out, &err) != RNA_OK)
		die(&r, &err, file, in.records);
	tool_out_close(out);
	tool_summary(t, "%" PRIu64 " records in, %" PRIu64 " out", in.records, r.groups);
	tool_in_close(&in);
	json_decref(r.classes);
	rna_record_fini(&rec);
	rna_vote_fini(&r.vote);
	rna_seen_fini(&r.seen);
	rna_buf_fini(&r.seq);
}
