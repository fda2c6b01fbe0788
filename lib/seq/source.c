/*
 * source.c: records from whatever file the user has: a stream, or sequence text told by its first bytes.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "seq/csv.h"
#include "seq/entry.h"
#include "seq/fasta.h"
#include "seq/rid.h"
#include "seq/source.h"
#include "seq/structure.h"

#define PEEK   65536 /* bytes looked at to tell the format */

struct rna_source {
	struct rna_reader *reader; /* a stream; NULL: text */
	struct rna_input *in;      /* text */
	struct rna_lines lines;
	struct rna_fasta *fasta;
	struct rna_csv *csv;
	const char *const *keep; /* of the CSV */
	size_t nkeep;
	enum rna_format format;
	int raw; /* dot-bracket in which structures may be missing */
	uint64_t number;
	struct rna_entry entry;
	struct rna_rid rid;
	struct rna_buf brackets, scratch;
	struct rna_header header;
	char *name;
};

/* The next line of the bytes at p; NULL at the end.  *n without the line's end. */
static const char *
peek_line(const char **p, const char *end, size_t *n)
{
	const char *line = *p, *nl;

	if (line >= end)
		return NULL;
	nl = memchr(line, '\n', (size_t)(end - line));
	*p = nl != NULL ? nl + 1 : end;
	*n = (size_t)((nl != NULL ? nl : end) - line);
	if (*n > 0 && line[*n - 1] == '\r')
		--*n;
	return line;
}

/*
 * 1 when what follows the header of the first record is a sequence and a structure of its length, and nothing more; or
 * a line of brackets of any length, which is no sequence: the reader of dot-bracket then says what is wrong with it.
 */
static int
looks_like_dbn(const char *p, const char *end)
{
	const char *seq, *line;
	size_t n, n_seq;

	if ((seq = peek_line(&p, end, &n_seq)) == NULL || n_seq == 0 || !isalpha((unsigned char)seq[0]) ||
	    (line = peek_line(&p, end, &n)) == NULL || !rna_structure_is_line(line, n))
		return 0;
	if (memchr(line, '(', n) != NULL)
		return 1;
	if (n < n_seq || (n > n_seq && line[n_seq] != ' ' && line[n_seq] != '\t'))
		return 0;
	return (line = peek_line(&p, end, &n)) == NULL || n == 0 || line[0] == '>' || line[0] == '#';
}

/* 1 when the line holds nothing but letters of nucleotides. */
static int
is_bare_sequence(const char *p, const char *end)
{
	const char *line;
	size_t n, i;

	if ((line = peek_line(&p, end, &n)) == NULL)
		return 0;
	for (i = 0; i < n; i++)
		if (strchr("ACGUTNRYSWKMBDHVacgutnryswkmbdhv", line[i]) == NULL || line[i] == '\0')
			return 0;
	return n > 0;
}

/* Bytes that are none of the formats told by their first bytes: says which --from the file's name speaks for. */
static enum rna_status
fail_unknown(const struct rna_source *s, unsigned char byte, struct rna_err *err)
{
	static const char *const formats[] = {"csv", "bpseq", "ct", "st", "dbn"};
	const char *dot = strrchr(s->name, '.');
	size_t i;

	for (i = 0; dot != NULL && i < sizeof formats / sizeof formats[0]; i++)
		if (strcmp(dot + 1, formats[i]) == 0)
			return rna_fail(
			    err, RNA_EFORMAT, "not told by its first bytes: try rna-tokenize --from %s", formats[i]);
	return rna_fail(err, RNA_EFORMAT,
	    "neither a record stream nor FASTA, FASTQ or dot-bracket (first byte 0x%02x); "
	    "rna-tokenize --from reads csv, bpseq, ct and st",
	    byte);
}

static enum rna_status
detect(struct rna_source *s, struct rna_err *err)
{
	const unsigned char *bytes;
	const char *p, *end, *line;
	enum rna_status st;
	size_t n;

	if ((st = rna_input_peek(s->in, PEEK, &bytes, &n, err)) != RNA_OK)
		return st;
	if (n == 0)
		return rna_fail(err, RNA_EFORMAT, "empty input: no bytes, where even a stream of no records has some");
	p = (const char *)bytes;
	end = p + n;
	if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	while (p < end && isspace((unsigned char)*p))
		p++;
	s->format = RNA_FORMAT_FASTA;
	if (p == end || *p == ';' || *p == '@')
		return RNA_OK;
	if (*p == '>') {
		line = peek_line(&p, end, &n);
		if (line != NULL && looks_like_dbn(p, end))
			s->format = RNA_FORMAT_DBN;
		return RNA_OK;
	}
	if (!is_bare_sequence(p, end))
		return fail_unknown(s, (unsigned char)*p, err);
	s->format = RNA_FORMAT_DBN;
	s->raw = 1;
	return RNA_OK;
}

static enum rna_status
open_text(struct rna_source *s, const struct rna_source_options *opts, struct rna_err *err)
{
	struct rna_csv_options csv = {
	    opts->pair_a, opts->pair_b, opts->reverse, opts->label, RNA_ENTRY_MAX, opts->keep, opts->nkeep};
	enum rna_status st;

	if (opts->max_nt > 0)
		csv.max = opts->max_nt;
	if ((st = rna_header_init(&s->header)) != RNA_OK)
		return rna_fail(err, st, "out of memory");
	s->format = opts->format;
	if (s->format == RNA_FORMAT_AUTO && (st = detect(s, err)) != RNA_OK)
		return st;
	s->lines.in = s->in;
	s->lines.max = csv.max;
	if (s->format == RNA_FORMAT_FASTA && (s->fasta = rna_fasta_create(s->in, csv.max)) == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	if (s->format != RNA_FORMAT_CSV)
		return RNA_OK;
	s->keep = opts->keep;
	s->nkeep = opts->nkeep;
	return (s->csv = rna_csv_open(&s->lines, &csv, err)) != NULL ? RNA_OK : RNA_EFORMAT;
}

struct rna_source *
rna_source_open(struct rna_input *in, const struct rna_source_options *opts, struct rna_err *err)
{
	static const struct rna_source_options none = {.format = RNA_FORMAT_AUTO, .nthreads = 1};
	struct rna_source *s = calloc(1, sizeof *s);

	if (opts == NULL)
		opts = &none;
	if (s == NULL || (s->name = strdup(rna_input_name(in))) == NULL) {
		rna_fail(err, RNA_EMEM, "out of memory");
		rna_input_close(in);
		free(s);
		return NULL;
	}
	rna_rid_init(&s->rid);
	if (rna_input_kind(in) == RNA_INPUT_RILL) {
		if ((s->reader = rna_reader_open(in, opts->nthreads > 0 ? opts->nthreads : 1, err)) == NULL)
			goto fail;
		return s;
	}
	s->in = in;
	if (open_text(s, opts, err) == RNA_OK)
		return s;
fail:
	rna_err_where(err, s->name, RNA_NOREC);
	rna_source_close(s);
	return NULL;
}

int
rna_source_is_stream(const struct rna_source *s)
{
	return s->reader != NULL;
}

const struct rna_header *
rna_source_header(const struct rna_source *s)
{
	return s->reader != NULL ? rna_reader_header(s->reader) : &s->header;
}

const char *
rna_source_name(const struct rna_source *s)
{
	return s->name;
}

static enum rna_status
set_buf(struct rna_record *rec, const char *field, const struct rna_buf *b)
{
	return rna_record_set_str(rec, field, b->len > 0 ? (const char *)b->data : "", b->len);
}

static enum rna_status
set_structure(struct rna_source *s, struct rna_record *rec, struct rna_err *err)
{
	const struct rna_entry *e = &s->entry;
	const struct rna_buf *text = &e->structure;
	enum rna_status st;

	if (text->len == 0 && e->seq.len > 0) {
		rna_buf_reuse(&s->brackets);
		text = &s->brackets;
		st = rna_structure_print((const int32_t *)(const void *)e->pair.data, e->seq.len, &s->brackets, err);
		if (st != RNA_OK)
			return st;
	}
	if ((st = rna_record_set_vec(rec, "pair", RNA_I32, e->pair.data, e->seq.len)) != RNA_OK ||
	    (st = set_buf(rec, "structure", text)) != RNA_OK)
		return rna_fail(err, st, "out of memory");
	return RNA_OK;
}

static enum rna_status
make_record(struct rna_source *s, struct rna_record *rec, struct rna_err *err)
{
	const struct rna_entry *e = &s->entry;
	uint64_t hash, rid = 0;
	struct rna_text_entry t;
	enum rna_status st;

	rna_entry_split(e->head.len > 0 ? (const char *)e->head.data : "", e->head.len, &t);
	rna_record_reuse(rec);
	rec->number = s->number;
	st = rna_rid_hash(&s->scratch, t.name, t.n_name, e->seq.data, e->seq.len, 0, &hash);
	if (st == RNA_OK && e->has_b)
		st = rna_rid_hash(&s->scratch, (const char *)e->name_b.data, e->name_b.len, e->seq_b.data,
		    e->seq_b.len, hash, &hash);
	if (st != RNA_OK || (st = rna_rid_expect(&s->rid, hash)) != RNA_OK ||
	    (st = rna_record_set_u64(rec, "rid", rid)) != RNA_OK ||   /* its place; the value comes last */
	    (st = rna_record_set_str(rec, "name", t.name, t.n_name)) != RNA_OK ||
	    (t.n_desc > 0 && (st = rna_record_set_str(rec, "desc", t.desc, t.n_desc)) != RNA_OK) ||
	    (st = set_buf(rec, "seq", &e->seq)) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	rid = rna_rid_count(&s->rid, hash);
	memcpy(rec->mem.data + rec->fields[0].offset, &rid, sizeof(rid));
	if (e->has_b &&
	    ((st = set_buf(rec, "name_b", &e->name_b)) != RNA_OK || (st = set_buf(rec, "seq_b", &e->seq_b)) != RNA_OK))
		return rna_fail(err, st, "out of memory");
	if ((e->has_label && (st = set_buf(rec, "label", &e->label)) != RNA_OK) ||
	    (e->has_energy && (st = rna_record_set_f32(rec, "energy", e->energy)) != RNA_OK) ||
	    (e->has_ensemble && (st = rna_record_set_f32(rec, "ensemble", e->ensemble)) != RNA_OK))
		return rna_fail(err, st, "out of memory");
	return e->has_pair ? set_structure(s, rec, err) : RNA_OK;
}

/* The columns of a table that are kept. */
static enum rna_status
set_kept(struct rna_source *s, struct rna_record *rec, struct rna_err *err)
{
	enum rna_status st = RNA_OK;
	const char *text;
	size_t i, n;

	for (i = 0; i < s->nkeep && st == RNA_OK; i++) {
		text = rna_csv_kept(s->csv, i, &n);
		st = rna_record_set_str(rec, s->keep[i], text, n);
	}
	return st == RNA_OK ? st : rna_fail(err, st, "out of memory");
}

/* Files of structures often have no name inside: then it is the file's, without its suffixes. */
static enum rna_status
name_by_file(struct rna_source *s)
{
	static const char *const packed[] = {".gz", ".zst", ".bgz"};
	const char *base = strrchr(s->name, '/');
	size_t n, i, k;

	base = base != NULL ? base + 1 : s->name;
	if ((s->format != RNA_FORMAT_BPSEQ && s->format != RNA_FORMAT_CT) || s->entry.head.len > 0 || *base == '(')
		return RNA_OK;
	n = strlen(base);
	for (i = 0; i < 3; i++)
		if (n > (k = strlen(packed[i])) && strcmp(base + n - k, packed[i]) == 0)
			n -= k;
	for (i = n; i > 1; i--)
		if (base[i - 1] == '.')
			break;
	return rna_buf_add(&s->entry.head, base, i > 1 ? i - 1 : n);
}

static enum rna_status
read_text(struct rna_source *s, struct rna_err *err)
{
	switch (s->format) {
	case RNA_FORMAT_CSV:
		return rna_csv_read(s->csv, &s->entry, err);
	case RNA_FORMAT_DBN:
		return rna_structure_file_dbn(&s->lines, s->raw, &s->entry, err);
	case RNA_FORMAT_BPSEQ:
		return rna_structure_file_bpseq(&s->lines, &s->entry, err);
	case RNA_FORMAT_CT:
		return rna_structure_file_ct(&s->lines, &s->entry, err);
	case RNA_FORMAT_ST:
		return rna_structure_file_st(&s->lines, &s->entry, err);
	default:
		return rna_fasta_read(s->fasta, &s->entry, err);
	}
}

enum rna_status
rna_source_read(struct rna_source *s, struct rna_record *rec, struct rna_err *err)
{
	enum rna_status st;

	if (s->reader != NULL) {
		st = rna_reader_read(s->reader, rec, err);
	} else {
		s->number++;
		if ((st = read_text(s, err)) == RNA_OK && (st = name_by_file(s)) == RNA_OK)
			st = make_record(s, rec, err);
		if (st == RNA_OK && s->csv != NULL)
			st = set_kept(s, rec, err);
	}
	if (st != RNA_OK && st != RNA_END && st != RNA_NEXT)
		rna_err_where(err, s->name, s->reader != NULL ? RNA_NOREC : s->number);
	return st;
}

enum rna_status
rna_source_bulk(struct rna_source *s, struct rna_bulk *b, struct rna_err *err)
{
	size_t want = s->fasta != NULL ? rna_bulk_want(b) : 0, n;
	const unsigned char *text;
	enum rna_status st;
	int eof;

	if (want == 0)
		return RNA_NEXT;
	eof = rna_fasta_window(s->fasta, want, &text, &n);
	if ((st = rna_bulk_make(b, text, n, eof, &s->rid)) == RNA_EMEM)
		return rna_fail(err, RNA_EMEM, "out of memory");
	rna_fasta_skip(s->fasta, b->used, b->lines);
	s->number += b->counts.records;
	return st;
}

void
rna_source_close(struct rna_source *s)
{
	if (s == NULL)
		return;
	if (s->reader != NULL)
		rna_reader_close(s->reader);
	else if (s->in != NULL) {
		rna_fasta_destroy(s->fasta);
		rna_csv_close(s->csv);
		rna_input_close(s->in);
		rna_header_fini(&s->header);
	}
	rna_entry_fini(&s->entry);
	rna_rid_fini(&s->rid);
	rna_buf_fini(&s->brackets);
	rna_buf_fini(&s->scratch);
	free(s->name);
	free(s);
}
