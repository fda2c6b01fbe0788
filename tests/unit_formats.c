/*
 * unit_formats.c: odd files of every text format: what is read of them, or the sentence that refuses them.
 */
#include <stdlib.h>
#include <string.h>
#include "seq/annotate.h"
#include "seq/source.h"
#include "seq/structure.h"
#include "seq/types.h"
#include "stream_util.h"
#include "tap.h"

static void
put_field(struct rna_buf *out, const struct rna_record *rec, const char *name, const char *before)
{
	size_t n;
	const char *s = rna_record_get_str(rec, name, &n);

	if (s == NULL)
		return;
	must(rna_buf_str(out, before));
	must(rna_buf_add(out, s, n));
}

static void
put_number(struct rna_buf *out, const struct rna_record *rec, const char *name, const char *before)
{
	uint64_t n;
	const struct rna_field *f = rna_record_find(rec, name);

	(void)n;
	if (f != NULL)
		must(rna_buf_printf(out, "%s%g", before, (double)*(const float *)rna_record_data(rec, f)));
}

/* "name (desc) seq structure =label ~name_b:seq_b E=energy e=ensemble +kept"; records apart by "; ". */
static void
render(const char *path, const struct rna_source_options *opts, struct rna_buf *out)
{
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_input *in = rna_input_open(path, &e);
	struct rna_source *s = in != NULL ? rna_source_open(in, opts, &e) : NULL;
	struct rna_record rec;
	enum rna_status st = s != NULL ? RNA_OK : e.status;
	size_t i;

	rna_record_init(&rec);
	while (s != NULL && (st = rna_source_read(s, &rec, &e)) == RNA_OK) {
		put_field(out, &rec, "name", out->len > 0 ? "; " : "");
		put_field(out, &rec, "desc", " / ");
		put_field(out, &rec, "seq", " ");
		put_field(out, &rec, "structure", " ");
		put_field(out, &rec, "label", " =");
		put_field(out, &rec, "name_b", " ~");
		put_field(out, &rec, "seq_b", ":");
		put_number(out, &rec, "energy", " E=");
		put_number(out, &rec, "ensemble", " e=");
		for (i = 0; i < opts->nkeep; i++)
			put_field(out, &rec, opts->keep[i], " +");
	}
	if (st != RNA_OK && st != RNA_END)
		must(rna_buf_printf(out, "%s!%s", out->len > 0 ? "; " : "", e.text));
	must(rna_buf_add(out, "", 1));
	rna_record_fini(&rec);
	rna_source_close(s);
}

static const char *const kept[] = {"extra"};

#define CSV .format = RNA_FORMAT_CSV, .nthreads = 1
#define PAIRS CSV, .pair_a = "a_seq", .pair_b = "b_seq"
#define DBN .format = RNA_FORMAT_DBN, .nthreads = 1
#define BPSEQ .format = RNA_FORMAT_BPSEQ, .nthreads = 1
#define CT .format = RNA_FORMAT_CT, .nthreads = 1
#define ST .format = RNA_FORMAT_ST, .nthreads = 1
#define ANY .nthreads = 1
#define TEN .nthreads = 1, .max_nt = 10

static const struct {
	struct rna_source_options opts;
	const char *text, *want;
} odd[] = {
    /* tables */
    {{CSV}, "name,seq\na,ACGU\n\n  \nb,\n", "a ACGU; b "},
    {{CSV}, "\n \nSeq\nACGU\n", " ACGU"},
    {{CSV}, "\t \n  seq,name\n", "!no column seq; there are:   seq, name"},
    {{CSV}, "id\tSEQUENCE\tseq\nx\tAC\tGG\n", "x AC"},
    {{CSV}, "seq_id,seq,Label\r\nx,AC,1\r\n", " AC =1"},
    {{CSV}, "name,seq,label\n\"a, \"\"b\"\"\",\"AC\",\"two\nlines\"\n", "a, / \"b\" AC =two\nlines"},
    {{CSV}, "name,seq\n\"\",AC\nq\"uote,AC\n", " AC; q\"uote AC"},
    {{CSV, .label = "kind"}, "name,seq,kind,label\na,AC,k,l\n", "a AC =k"},
    {{CSV, .label = "kind"}, "name,seq\na,AC\n", "!no column kind; there are: name, seq"},
    {{CSV, .label = "kind"}, "name,seq,kind\na,AC,k\nb,AC,\n", "a AC =k; !line 3: no label: the column kind is empty"},
    {{CSV}, "name,seq,label\na,AC,\n", "a AC"},
    {{CSV, .keep = kept, .nkeep = 1}, "name,seq,extra\na,AC,\"x,y\"\nb,GG,\n", "a AC +x,y; b GG +"},
    {{CSV, .keep = kept, .nkeep = 1}, "name,seq\na,AC\n", "!no column extra; there are: name, seq"},
    {{CSV}, "", "!no header line"},
    {{CSV}, " \n", "!no header line"},
    {{CSV}, "name,letters\na,AC\n", "!no column seq; there are: name, letters"},
    {{CSV}, "n,letters\na,AC\n", "!no column seq; there are: n, letters"},
    {{CSV}, "name,a_column_whose_name_is_rather_longer_than_forty_letters\na,AC\n",
	"!no column seq; there are: name, a_column_whose_name_is_rather_longer_tha"},
    {{CSV}, "name,seq\na\n", "!line 2: 1 fields, the header line has 2"},
    {{CSV}, "name,seq\na,AC,\n", "!line 2: 3 fields, the header line has 2"},
    {{CSV}, "name,seq\na,AC,x\n", "!line 2: 3 fields, the header line has 2"},
    {{CSV}, "name,seq\n\"a\"b,AC\n", "!line 2: a letter follows the closing quote of field 1"},
    {{CSV}, "name,seq\na,\"AC\n\nGG", "!line 2: a quote is never closed"},
    {{CSV}, "name,\"seq\nx", "!line 1: a quote is never closed"},
    {{CSV}, "name,seq\na,A\001\n", "!line 2: byte 0x01 after 1 letters of the sequence"},
    {{CSV, .max_nt = 3}, "name,seq\na,ACG\nb,ACGU\n", "a ACG; !line 3: the sequence is longer than 3 letters"},
    {{PAIRS}, "a_seq,b_seq\nACGU,GGC\n", " ACGU ~:GGC"},
    {{PAIRS}, "a_name,a_seq,b_id,b_seq\nx,ACGU,y,GGC\n", "x ACGU ~y:GGC"},
    {{PAIRS, .reverse = "a_seq"}, "a_seq,b_seq\nACGU,GGC\n", " UGCA ~:GGC"},
    {{PAIRS, .reverse = "b_seq"}, "a_seq,b_seq\nACGU,GGC\n", " ACGU ~:CGG"},
    {{PAIRS, .reverse = "other"}, "a_seq,b_seq,other\nA,C,x\n",
	"!column other is to be reversed, but no sequences are taken from it"},
    {{PAIRS, .reverse = "none"}, "a_seq,b_seq\nA,C\n", "!no column none; there are: a_seq, b_seq"},
    {{PAIRS}, "a_seq,c_seq\nA,C\n", "!no column b_seq; there are: a_seq, c_seq"},
    {{PAIRS}, "a_seq,b_seq\nA,\001\n", "!line 2: byte 0x01 after 0 letters of the sequence"},
    /* dot-bracket */
    {{DBN}, ">a b\nGGAAACC\n((...)) ( -1.50)\n\n>c\nACGU\n.... [-2e-1]\n",
	"a / b GGAAACC ((...)) E=-1.5; c ACGU .... e=-0.2"},
    {{DBN}, "#Name: x\n# more\n; more\nGGAAACC\n((...)) (no number)\n", "x GGAAACC ((...))"},
    {{DBN}, "GGAAACC\n((...)) text\nAC\n.. (1e999)\nGG\n.. (--1)\n", " GGAAACC ((...));  AC ..;  GG .."},
    {{DBN}, ">a\nGGAA\nACC\n((..\n.))\n>b\nA\n. (\n", "a GGAAACC ((...)); b A ."},
    {{DBN}, ">a\nAC\n..\n#Name: b\nGG\n..\n", "a AC ..; b GG .."},
    {{DBN}, ">a\n>b\nA\n.\n", "!line 1: a name without a sequence"},
    {{DBN}, ">a\n", "!a name without a sequence"},
    {{DBN}, ">a\nACGU\n", "!the structure has 0 characters, the sequence 4 letters"},
    {{DBN}, ">a\nACGU\n...\n", "!the structure has 3 characters, the sequence 4 letters"},
    {{DBN}, ">a\n....\nACGU\n", "!the structure has 0 characters, the sequence 8 letters"},
    {{DBN}, ">a\nACGU\n....\n....\n", "!line 4: a second structure; one a sequence is read"},
    {{DBN}, ">a\nAC&GU\n..&..\n", "!'&' at position 3 joins two strands; only single strands are read"},
    {{DBN}, ">a\nACGU\n(..\001\n", "!line 3: byte 0x01 after 7 letters of the sequence"},
    {{DBN}, "A\n.\nC\n.\n", " A .;  C ."},
    {{DBN}, " \t\n A C\n..\n", " AC .."},
    {{DBN}, "", ""},
    /* bpseq */
    {{BPSEQ}, "# a name\n1 G 3\n2 A 0\n3 C 1\n\n1 A 0\n2 C 0\n", "a / name GAC (.); in AC .."},
    {{BPSEQ}, "Filename: x.bpseq\n1 A 0\nFilename: y\n1 C 0\n", "x A .; y C ."},
    {{BPSEQ}, "# one\n# two\nOrganism: z\n  # three\n1 A 0\n", "one A ."},
    {{BPSEQ}, "#Filename: .bpseq\n1 A 0\n", ".bpseq A ."},
    {{BPSEQ}, "Filename: a .b\n1 A 0\n", "a / .b A ."},
    {{BPSEQ}, "1 A\n", "!line 1: a bpseq line is a position, a letter and a partner"},
    {{BPSEQ}, "2 A 0\n", "!line 1: position 2 after position 0"},
    {{BPSEQ}, "1 AA 0\n", "!line 1: the second column is not one letter"},
    {{BPSEQ}, "1 A x\n", "!line 1: the partner is not a position"},
    {{BPSEQ}, "1 A 99999999999\n", "!line 1: the partner is not a position"},
    {{BPSEQ}, "1 A 2147483647\n", "!line 1: the partner is not a position"},
    {{BPSEQ}, "1 A 2\n", "!position 1 pairs with 2, past the end at 1"},
    {{BPSEQ}, "1 A 1\n", "!position 1 pairs with itself"},
    {{BPSEQ}, "1 A 2\n2 C 3\n3 G 2\n", "!position 1 pairs with 2, but 2 pairs with 3"},
    {{BPSEQ}, "# name\n", "!a header without bases"},
    {{BPSEQ}, "\n", ""},
    {{BPSEQ, .max_nt = 1}, "1 A 0\n2 C 0\n", "!line 2: the sequence is longer than 1 letters"},
    /* ct */
    {{CT}, "2 a name\n1 G 0 2 0 1\n2 C 1 0 0 2\n", "a / name GC .."},
    {{CT}, "2\tENERGY = -3.4  x\n1 G 0 2 2 1\n2 C 1 0 1 2\n1 dG=-1 y\n1 A 0 0 0 1\n", "x GC () E=-3.4; y A . E=-1"},
    {{CT}, "1 energy = much\n1 A 0 0 0 1\n", "energy / = much A ."},
    {{CT}, "1 energy =\n1 A 0 0 0 1\n", "energy / = A ."},
    {{CT}, "1 dG\n1 A 0 0 0 1\n", "dG A ."},
    {{CT}, "1 ENERGY = 1e999 z\n1 A 0 0 0 1\n", "ENERGY / = 1e999 z A ."},
    {{CT}, "# comment\n\nFilename: f\nOther: g\n1\n1 A 0 0 0 1\n", "f A ."},
    {{CT}, "1 a name\nthat goes on\n\n1 A 0 0 0 1\n", "a / name that goes on A ."},
    {{CT}, "1\n1 A 0 0 0 1\n", "in A ."},
    {{BPSEQ}, "0 A\n", "!line 1: a bpseq line is a position, a letter and a partner"},
    {{BPSEQ}, "0 A 0\n", "!line 1: position 0 after position 0"},
    {{CT}, "words alone\n", "!line 1: a ct structure begins with its length"},
    {{CT}, "2 a\n1 A 0 2 0 1\n", "!the file ends after 1 of 2 bases"},
    {{CT}, "2 a\n1 A 0 2 0 1\n2 C\n",
	"!line 3: a ct line has six columns: position, letter, before, after, partner, number"},
    {{CT}, "2 a\n1 A 0 2 0 1\n3 C 1 0 0 2\n", "!line 3: position 3 after position 1"},
    {{CT}, "1 a\n1 A 0 0 -1 1\n", "!line 2: the partner is not a position"},
    {{CT}, "1 a\n1 A 0 0 7 1\n", "!position 1 pairs with 7, past the end at 1"},
    {{CT}, "0 nothing\n", "nothing  "},
    {{CT}, "", ""},
    /* bpRNA */
    {{ST}, "#Name: a\n#Length: 4\n\nGAAC\n(..)\nSHHS\nNNNN\nS1 ...\n#Name: b\nA\n.\n", "a GAAC (..); b A ."},
    {{ST}, "GAAC\n(..) (-1)\n", " GAAC (..) E=-1"},
    {{ST}, "#Name: a\nGAAC\n", "!no sequence and structure after the header lines"},
    {{ST}, "#Name: a\n", "!no sequence and structure after the header lines"},
    {{ST}, "#Name: a\nGAAC\n(..\n", "!the structure has 3 characters, the sequence 4 letters"},
    {{ST}, "#Name: a\nG\001\n", "!line 2: byte 0x01 after 1 letters of the sequence"},
    {{ST}, "# only a comment\n", ""},
    /* what the first bytes tell */
    {{ANY}, ">a\nGGAAACC\n((...)) (-1.00)\n", "a GGAAACC ((...)) E=-1"},
    {{ANY}, ">a\nACGU\n....\n", "a ACGU ...."},
    {{ANY}, ">a\nACGU\n....\n>b\nA\n.\n", "a ACGU ....; b A ."},
    {{ANY}, ">a\r\nACGU\r\n.... x\r\n", "a ACGU ...."},
    {{ANY}, ">a\nACGU\n...\n", "a ACGU..."},
    {{ANY}, ">a\nACGU\n....-\n", "a ACGU....-"},
    {{ANY}, ">a\nACGU\n....\nACGU\n", "a ACGU....ACGU"},
    {{ANY}, ">a\n-A\n--\n", "a -A--"},
    {{ANY}, ">a\n", "a "},
    {{ANY}, "\n\n>a\nA\n", "a A"},
    {{ANY}, "\xef\xbb\xbf>a\nA\n", "a A"},
    {{ANY}, "ACGU\nGG\n", " ACGU;  GG"},
    {{ANY}, "ACGU\n(..)\nGG\n", " ACGU (..);  GG"},
    {{ANY}, "ACGU", " ACGU"},
    {{ANY}, "@a\nACGU\n+\nIIII\n", "a ACGU"},
    {{ANY}, ";old\nACGU\n", "!line 2: a record begins with '>' (FASTA) or '@' (FASTQ), not with byte 0x41"},
    {{ANY}, "", "!empty input: no bytes, where even a stream of no records has some"},
    {{ANY}, "hello world\n",
	"!neither a record stream nor FASTA, FASTQ or dot-bracket (first byte 0x68); rna-tokenize --from reads csv, "
	"bpseq, ct "
	"and st"},
    {{TEN}, ">a\nACGUACGUAC\n>b\nACGUACGUACG\n", "a ACGUACGUAC; !line 4: the sequence is longer than 10 letters"},
};

/* A file of that name and text is read as `want` says. */
static void
check(const char *name, const struct rna_source_options *opts, const char *text, const char *want)
{
	struct rna_buf out = RNA_BUF_INIT;
	int good;

	util_put(util_path(name), text, strlen(text));
	render(util_path(name), opts, &out);
	good = strcmp((const char *)out.data, want) == 0;
	ok(good, "%s: %.*s", name, (int)strcspn(want, "\n"), want);
	if (!good)
		diag("%s\n# got:  %s\n# want: %s", text, (const char *)out.data, want);
	rna_buf_fini(&out);
}

static void
test_odd(void)
{
	size_t i;

	for (i = 0; i < sizeof(odd) / sizeof(*odd); i++)
		check("in.txt", &odd[i].opts, odd[i].text, odd[i].want);
}

/* A file whose name says what its first bytes do not; names of files stand in for names within. */
static void
test_names(void)
{
	static const struct {
		const char *file;
		struct rna_source_options opts;
		const char *text, *want;
	} named[] = {
	    {"t.csv", {ANY}, "name,x\n", "!not told by its first bytes: try rna-tokenize --from csv"},
	    {"t.st", {ANY}, "!\n", "!not told by its first bytes: try rna-tokenize --from st"},
	    {"t.dbn", {ANY}, "((..\n", "!not told by its first bytes: try rna-tokenize --from dbn"},
	    {"x.y.ct.gz", {CT}, "1\n1 A 0 0 0 1\n", "x.y A ."},
	    {".bpseq", {BPSEQ}, "1 A 0\n", ".bpseq A ."},
	    {"x.bpseq.zst", {BPSEQ}, "1 A 0\n1 C 0\n", "x A .; x C ."},
	};
	size_t i;

	for (i = 0; i < sizeof(named) / sizeof(*named); i++)
		check(named[i].file, &named[i].opts, named[i].text, named[i].want);
	unlink(util_path(".bpseq"));
}

/* Types by what header lines say. */
static void
test_types(void)
{
	static const struct {
		const char *name, *desc, *type;
	} heads[] = {
	    {"a", "tRNA of something", "tRNA"},
	    {"a", "x transcript_biotype:lincRNA more", "lncRNA"},
	    {"a", "x gene_biotype:Mt_tRNA", "tRNA"},
	    {"a", "rRNA from 13 species", "rRNA"},
	    {"a", "snoRNA from species", "snoRNA"},
	    {"a", "unheard from 3 species", NULL},
	    {"a", "Homo sapiens 5S ribosomal RNA", "rRNA"},
	    {"a", "Homo sapiens microRNA 21", "miRNA"},
	    {"ENST1|x|snRNA|", "", "snRNA"},
	    {"ENST1|x|y|", "", NULL},
	    {"a", "(pre_miRNA), of", "premiRNA"},
	    {"a", "a 5S_rRNA, partial", "rRNA"},
	    {"a", "some ncRNA", "ncRNA"},
	    {"a", "nothing known", NULL},
	    {"a", "", NULL},
	    {"a", "tRNA and rRNA", "tRNA"},
	    {"a", "tRNA\tgene", "tRNA"},
	    {"a", "x gene_biotype:tRNA\trRNA", "tRNA"},
	    {"a", "unheard from 3", NULL},
	    {"a", "unheard from 3 kingdoms", NULL},
	    {"a", "an unpre-miRNA and tRNA", "tRNA"}, /* a phrase is whole words */
	    {"a", "of pre-miRNAs, tRNA", "tRNA"},
	    {"a", "of pre-miRNA, tRNA", "premiRNA"},
	    {"a", "pre-miRNA, tRNA", "premiRNA"},
	};
	struct rna_vocab v;
	size_t i;
	int id;

	must(rna_vocab_init(&v));
	for (i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
		id = rna_types_from_header(
		    &v, heads[i].name, strlen(heads[i].name), heads[i].desc, strlen(heads[i].desc));
		ok(heads[i].type == NULL ? id == -1 : id >= 0 && strcmp(v.token[id], heads[i].type) == 0, "%s %s: %s",
		    heads[i].name, heads[i].desc, id < 0 ? "none" : v.token[id]);
	}
	rna_vocab_fini(&v);
}

/* Tables of id_mapping: what is a row, and what the rows of one RNA come to. */
static void
test_type_tables(void)
{
	static const struct {
		const char *row;
		int good;
	} rows[] = {
	    {"URS0000000001\tDB\tid\t9606\ttRNA\tgene\n", 1},
	    {"urs00000000aB\tDB\tid\t9606\trRNA\n\n", 1},
	    {"URS0000000001\tDB\tid\t9606\tunheard\tgene\n", 1},
	    {"URS0000000001\tDB\tid\t9606\n", 0},
	    {"URS000000000g\tDB\tid\t9606\ttRNA\tgene\n", 0},
	    {"URS00000000012\tDB\tid\t9606\ttRNA\tgene\n", 0},
	    {"XRS0000000001\tDB\tid\t9606\ttRNA\tgene\n", 0},
	    {"URS\n", 0},
	};
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_types t = {0};
	struct rna_vocab v;
	char big[200];
	size_t i;
	int id, votes = 0;
	FILE *f;

	must(rna_vocab_init(&v));
	ok(rna_types_vote(&t, &v, "URS0000000001", 13) == -1, "a table without rows");
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		util_put(util_path("rows"), rows[i].row, strlen(rows[i].row));
		ok((rna_types_load(&t, &v, util_path("rows"), &e) == RNA_OK) == rows[i].good, "row %zu", i);
		rna_types_fini(&t);
	}
	/* enough rows for the table to grow; the most votes win, then the telling type, then the lower id */
	f = fopen(util_path("rows"), "w");
	for (i = 3; i < 9003; i++)
		votes += fprintf(f, "URS%010zX\tX\ta\t1\t%s\tg\n", i / 3,
			     i % 3 == 2 ? "rRNA"
			     : i < 3000 ? "tRNA"
					: "ncRNA") > 0;
	fputs("URS00000003E9\tX\ta\t1\trRNA\tg\n", f);
	fputs("URS00000FFFF0\tX\ta\t1\ttRNA\tg\nURS00000FFFF0\tX\ta\t1\trRNA\tg\n", f);
	fputs("URS00000FFFF1\tX\ta\t1\trRNA\tg\nURS00000FFFF1\tX\ta\t1\ttRNA\tg\n", f);
	votes += fclose(f) == 0;
	ok(votes == 9001 && rna_types_load(&t, &v, util_path("rows"), &e) == RNA_OK && t.rows == 9005, "9005 rows");
	id = rna_vocab_find(&v, "rRNA") < rna_vocab_find(&v, "tRNA") ? rna_vocab_find(&v, "rRNA")
	                                                             : rna_vocab_find(&v, "tRNA");
	ok(rna_types_vote(&t, &v, "URS00000FFFF0", 13) == id && rna_types_vote(&t, &v, "URS00000FFFF1", 13) == id,
	    "of as many votes for two telling types the lower id, in any order");
	id = rna_types_vote(&t, &v, "URS0000000005_9606", 18);
	ok(id >= 0 && strcmp(v.token[id], "tRNA") == 0, "two votes of three");
	id = rna_types_vote(&t, &v, "URS00000003E9/1", 15);
	ok(id >= 0 && strcmp(v.token[id], "rRNA") == 0, "of as many votes the telling type");
	ok(rna_types_vote(&t, &v, "URS0000FFFFFF", 13) == -1 && rna_types_vote(&t, &v, "other", 5) == -1,
	    "a name that is none");
	rna_types_fini(&t);
	snprintf(big, sizeof(big), "%s", util_path("nothing"));
	ok(rna_types_load(&t, &v, big, &e) == RNA_EIO, "no table");
	rna_vocab_fini(&v);
}

static void
test_structures(void)
{
	static const struct {
		const char *s, *says;
	} bad[] = {{"(", "position 1"}, {")", "position 1"}, {"([)]x)", "position 6"}, {"A", "position 1"},
	    {"a", "position 1"}, {"(*)", "position 2"}, {"..&..", "position 3"}, {"\xff", "position 1"}};
	static const struct {
		const char *s, *says;
	} orders[] = {{"(.[.).]", "(.[.).]"}, {"[.(.].)", "(.[.).]"}, {"(.[[.).]]", "[.((.].))"},
	    {"((.[.)).]", "((.[.)).]"}, {"(.[.{.).].}", "(.[.{.).].}"}, {"<.{{.[[[.>.}}.]]]", "{.[[.(((.}.]].)))"},
	    {"(.[.).](.[.).]", "(.[.).](.[.).]"}, {"(.[.).]((.[.)).]", "(.[.).]((.[.)).]"}};
	static const int32_t lopsided[] = {1, -1}, outside[] = {7, -1}, own[] = {0, -1};
	struct rna_buf b = RNA_BUF_INIT, out = RNA_BUF_INIT;
	struct rna_err e = {.record = RNA_NOREC};
	int32_t knots[62];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		b.len = 0;
		ok(rna_structure_parse(bad[i].s, strlen(bad[i].s), &b, &e) == RNA_EFORMAT &&
			strstr(e.text, bad[i].says) != NULL,
		    "%s: %s", bad[i].s, e.text);
	}
	b.len = 0;
	ok(rna_structure_parse("([{<Aa>}])x-,:_~", 16, &b, &e) == RNA_OK, "all kinds of brackets");
	ok(rna_structure_print(lopsided, 2, &out, &e) == RNA_EINVAL &&
		rna_structure_print(outside, 2, &out, &e) == RNA_EINVAL &&
		rna_structure_print(own, 2, &out, &e) == RNA_EINVAL,
	    "pairs that are none");
	/* the longer stem first, of equal ones the left one */
	for (i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
		b.len = out.len = 0;
		must(rna_structure_parse(orders[i].s, strlen(orders[i].s), &b, &e));
		must(rna_structure_print((const int32_t *)(const void *)b.data, strlen(orders[i].s), &out, &e));
		ok(out.len == strlen(orders[i].says) && memcmp(out.data, orders[i].says, out.len) == 0, "%s: %.*s",
		    orders[i].s, (int)out.len, (char *)out.data);
	}
	for (i = 0; i < 62; i++)
		knots[i] = (int32_t)(i < 31 ? i + 31 : i - 31);
	ok(rna_structure_print(knots, 62, &out, &e) == RNA_EFORMAT, "31 pairs that all cross: %s", e.text);
	for (i = 0; i < 60; i++)
		knots[i] = (int32_t)(i < 30 ? i + 30 : i - 30);
	out.len = 0;
	ok(rna_structure_print(knots, 60, &out, &e) == RNA_OK &&
		memcmp(out.data, "([{<ABCDEFGHIJKLMNOPQRSTUVWXYZ)]}>abc", 37) == 0,
	    "30 are written");
	rna_buf_fini(&b);
	rna_buf_fini(&out);
}

int
main(void)
{
	test_odd();
	test_names();
	test_types();
	test_type_tables();
	test_structures();
	util_clean();
	return done();
}
