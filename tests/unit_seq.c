/*
 * unit_seq.c: vocabularies, types, framing and structures.
 *
 * 1. Vocabularies   2. Types   3. Framing   4. Structures
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "seq/frame.h"
#include "seq/frame_private.h"
#include "seq/structure.h"
#include "seq/types.h"
#include "stream/rng.h"
#include "tap.h"

static char path[] = "/tmp/unit_seq.XXXXXX";

static void
spill_str(const char *text)
{
	FILE *fp = fopen(path, "wb");

	if (fp == NULL || fputs(text, fp) == EOF || fclose(fp) != 0) {
		perror(path);
		exit(2);
	}
}

/* 1. Vocabularies */

static void
default_vocabulary(void)
{
	struct rna_vocab v, file;
	struct rna_err err;
	int i, same;

	ok(rna_vocab_init(&v) == RNA_OK && v.n == 39, "the default vocabulary has 39 tokens");
	ok(rna_vocab_load(&file, "formats/vocab.txt", &err) == RNA_OK, "formats/vocab.txt is read");
	for (same = v.n == file.n, i = 0; same && i < v.n; i++)
		same = strcmp(v.token[i], file.token[i]) == 0;
	ok(same, "formats/vocab.txt is the vocabulary compiled in");
	ok(strcmp(v.digest, file.digest) == 0 && strcmp(file.name, "rnaernie-39") == 0, "by digest and name");
	ok(strcmp(v.digest, "cd3869a2a49cb0016df0dbe753eeed63bb9fe77423e2bbe7c0228f6bbe6e6ccf") == 0,
	    "the digest is sha256sum's");
	ok(v.pad == 0 && v.unk == 1 && v.cls == 2 && v.sep == 3 && v.mid == 3 && v.mask == 4 && v.ind == 6,
	    "specials have RNAErnie's ids");
	ok(v.type_first == 7 && v.ntypes == 28, "28 types from 7");
	ok(v.base[0] == 35 && v.base[1] == 37 && v.base[2] == 38 && v.base[3] == 36, "A C G U are 35 37 38 36");
	ok(v.id['U'] == 36 && v.id['t'] == 36 && v.id['u'] == 36 && v.known['u'],
	    "T and U, upper and lower, are one base");
	ok(v.id['N'] == 1 && !v.known['N'] && v.id['-'] == 1 && v.id[0] == 1, "other letters are [UNK]");
	ok(v.is_base[35] && v.is_acgu[38] && !v.is_base[1] && !v.is_base[7], "bases are the four letters");
	rna_vocab_fini(&file);
	rna_vocab_fini(&v);
}

static void
other_vocabularies(void)
{
	static const char *const refused[][2] = {
	    {"[UNK]\n[CLS]\n[SEP]\nA\nC\nG\n", "no token for the base U"},
	    {"[CLS]\n[SEP]\nA\nC\nG\nU\n", "no [UNK]"},
	    {"[UNK]\n[SEP]\nA\nC\nG\nU\n", "no [CLS]"},
	    {"[UNK]\n[CLS]\nA\nC\nG\nU\n", "no [SEP]"},
	    {"[UNK]\n[CLS]\n[SEP]\nA\nC\nG\nU\nA\n", "token A stands on lines 4 and 8"},
	    {"[UNK]\n[CLS]\n\n[SEP]\nA\nC\nG\nU\n", "line 3 is empty"},
	    {"[UNK]\n[CLS]\n[SEP]\nA\nC\nG\nU\nB C\n", "byte 0x20"},
	    {"[UNK]\n[CLS]\n[SEP]\n[IND]\ntRNA\nA\nC\nG\nU\nrRNA\n", "not on neighbouring lines"},
	};
	struct rna_vocab v;
	struct rna_err err;
	char many[3000];
	size_t i, at = 0;

	spill_str("<pad>\n<cls>\n<eos>\n<unk>\n<mask>\n<null>\nA\nC\nG\nU\nN\nR\nI\n-\n");
	ok(rna_vocab_load(&v, path, &err) == RNA_OK && v.cls == 1 && v.sep == 2 && v.mid == 2 && v.unk == 3 &&
		v.mask == 4 && v.ind == -1 && v.ntypes == 0,
	    "multimolecule's spellings");
	ok(v.id['t'] == 9 && v.known['n'] && v.is_base[10] && !v.is_acgu[10] && !v.is_base[13] && v.id['-'] == 13,
	    "N and - have tokens there");
	ok(strcmp(v.name, "custom-14") == 0, "its name tells its size");
	rna_vocab_fini(&v);
	spill_str("[PAD]\n[UNK]\n[CLS]\n[EOS]\n[SEP]\n[MASK]\nA\nU\nC\nG\nN");
	ok(rna_vocab_load(&v, path, &err) == RNA_OK && v.sep == 3 && v.mid == 4,
	    "RNAErnie2 ends with [EOS], [SEP] between");
	rna_vocab_fini(&v);
	spill_str("[UNK]\n[CLS]\n[SEP]\n[IND]\n<new>\nA\ntRNA\nrRNA\nC\nG\nU\n[new]\n");
	ok(rna_vocab_load(&v, path, &err) == RNA_OK && v.type_first == 6 && v.ntypes == 2,
	    "tokens in brackets of either kind are no types");
	rna_vocab_fini(&v);
	for (i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		rna_err_clear(&err);
		spill_str(refused[i][0]);
		ok(rna_vocab_load(&v, path, &err) == RNA_EFORMAT && strstr(err.text, refused[i][1]) != NULL,
		    "refused: %s", refused[i][1]);
	}
	for (i = 0; i < 257; i++)
		at += (size_t)snprintf(many + at, sizeof many - at, "k%zu\n", i);
	spill_str(many);
	ok(rna_vocab_load(&v, path, &err) == RNA_EFORMAT && strstr(err.text, "256") != NULL, "refused: 257 tokens");
	ok(rna_vocab_load(&v, "no/such/file", &err) == RNA_EIO, "a missing file is an error");
}

/* 2. Types */

static void
types(void)
{
	static const char *const cases[][2] = {
	    /* description, type */
	    {"tRNA", "tRNA"},
	    {"lnc_RNA and more", "lncRNA"},
	    {"PRE-MIRNA", "premiRNA"},
	    {"pc", NULL},
	    {"", NULL},
	    {"rRNA from 13 species", "rRNA"},
	    {"RNase_MRP_RNA from 1 species", "RNaseMRPRNA"},
	    {"strange words from 3 species", NULL},
	    {"ncrna chromosome:GRCh38:1 gene:ENSG1 gene_biotype:miRNA transcript_biotype:snoRNA", "snoRNA"},
	    {"ncrna chromosome:GRCh38:1 gene:ENSG1 gene_biotype:lincRNA", "lncRNA"},
	    {"ncrna chromosome:GRCh38:1 gene_biotype:Mt_tRNA", "tRNA"},
	    {"Homo sapiens (human) Homo_sapiens piRNA piR-hsa-1169534", "piRNA"},
	    {"Homo sapiens RNA, Ro60-associated Y4 (RNY4)", "YRNA"},
	    {"Bacillus subtilis SAM riboswitch", NULL},
	    {"Escherichia coli 16S ribosomal RNA", "rRNA"},
	    {"5S_rRNA", "rRNA"},
	    {"CD-box", "snoRNA"},
	    {"Intron_gpI", "autocatalyticallysplicedintron"},
	    {"hsa-mir-21 stem-loop", "precursorRNA"},
	    {"Mus musculus small nucleolar RNA, C/D box 3", "snoRNA"},
	    {"Homo sapiens some other thing", NULL},
	    {"Homo sapiens ncRNA tRNA-like", "tRNA"},
	    {"Zea mays non-coding RNA", "ncRNA"},
	};
	struct rna_vocab v;
	size_t i;
	int t;

	if (rna_vocab_init(&v) != RNA_OK)
		exit(2);
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		t = rna_types_from_header(&v, "x", 1, cases[i][0], strlen(cases[i][0]));
		ok(cases[i][1] == NULL ? t == -1 : t >= 0 && strcmp(v.token[t], cases[i][1]) == 0,
		    "type of \"%s\" is %s", cases[i][0], cases[i][1] != NULL ? cases[i][1] : "unknown");
	}
	t = rna_types_from_header(&v, "ENST1.1|ENSG1.1|MIR1|miRNA|", 27, NULL, 0);
	ok(t >= 0 && strcmp(v.token[t], "miRNA") == 0, "GENCODE's name holds the type");
	for (i = 0; i < (size_t)v.ntypes; i++)
		if (rna_vocab_type(&v, v.token[7 + i], strlen(v.token[7 + i])) != (int)(7 + i))
			break;
	ok(i == 28, "every type is found by its own name");
	rna_vocab_fini(&v);
}

static int
voted(const struct rna_types *t, const struct rna_vocab *v, const char *name, const char *want)
{
	int type = rna_types_vote(t, v, name, strlen(name));

	return want == NULL ? type == -1 : type >= 0 && strcmp(v->token[type], want) == 0;
}

static void
id_mapping(void)
{
	struct rna_vocab v;
	struct rna_types t;
	struct rna_err err;
	FILE *fp;
	int i, good = 1;
	char name[32];

	if (rna_vocab_init(&v) != RNA_OK)
		exit(2);
	spill_str("URS0000000001\tENA\tX:rRNA\t77133\trRNA\t\nURS0000000001\tSILVA\tY\t77133\trRNA\tg\n"
		  "URS0000000001\tENA\tZ\t9606\ttRNA\t\nURS00000000AB\tENA\tX\t9606\tother\t\nURS00000000AB\tX\tY\t1\tp"
		  "re_miRNA\t\n"
		  "URS00000000AC\tX\tY\t1\tno such thing\t\nURS00000000AD\tX\tY\t1\tncRNA");
	ok(rna_types_load(&t, &v, path, &err) == RNA_OK && t.rows == 7 && t.unknown == 1, "id_mapping is read");
	ok(voted(&t, &v, "URS0000000001", "rRNA") && voted(&t, &v, "URS0000000001_9606", "rRNA") &&
		voted(&t, &v, "URS0000000001/9606", "rRNA"),
	    "most rows win, whatever follows the URS");
	ok(voted(&t, &v, "URS00000000AB_1", "premiRNA"), "of equal votes the telling type wins");
	ok(voted(&t, &v, "urs00000000ad", "ncRNA"), "a row may end at the type");
	ok(voted(&t, &v, "URS00000000AC", NULL) && voted(&t, &v, "URS00000000FF", NULL) && voted(&t, &v, "x", NULL) &&
		voted(&t, &v, "URS0000000001A", NULL),
	    "other names have none");
	rna_types_fini(&t);
	spill_str("not a table\n");
	ok(rna_types_load(&t, &v, path, &err) == RNA_EFORMAT && err.record == 1, "another table is refused");
	if ((fp = fopen(path, "w")) == NULL)
		exit(2);
	for (i = 1; i <= 20000; i++)
		fprintf(fp, "URS%010X\tX\tY\t1\t%s\tg\n", i * 977, v.token[7 + i % 28]);
	fclose(fp);
	ok(rna_types_load(&t, &v, path, &err) == RNA_OK, "a table of 20000 rows");
	for (i = 1; i <= 20000 && good; i++) {
		snprintf(name, sizeof name, "URS%010X", i * 977);
		good = voted(&t, &v, name, v.token[7 + i % 28]);
	}
	ok(good, "gives each its type");
	rna_types_fini(&t);
	rna_vocab_fini(&v);
}

/* 3. Framing */

/* All chunks of n bases under f are what formats/fields.md says.  Returns 0 and tells when not. */
static int
chunks_hold(const struct rna_vocab *v, const struct rna_framing *f, const struct rna_record *rec, uint64_t n)
{
	uint32_t c, nchunks = rna_frame_chunks(f, n), first, nb;
	uint64_t room = f->max - rna_frame_specials(f->frame), nt = 0, covered = 0, two;
	struct rna_frame_counts counts = {0};
	struct rna_record out;
	size_t ns;
	int good = 1;

	rna_record_init(&out);
	for (c = 0; c < nchunks && good; c++) {
		const uint8_t *t;
		const uint32_t *chunk;
		const char *s, *whole = rna_record_get_str(rec, "seq", &ns);
		uint64_t offset = 0;
		uint8_t last = 1;

		if (rna_frame_record(f, v, rec, 9, c, &out, &counts) != RNA_OK)
			return 0;
		t = rna_record_get_vec(&out, "tokens", RNA_U8, &nt);
		nb = rna_frame_bases(v, t, nt, &first);
		s = rna_record_get_str(&out, "seq", &ns);
		if ((chunk = rna_record_get_vec(&out, "chunk", RNA_U32, &two)) != NULL)
			offset = chunk[1];
		rna_record_get_u8(&out, "last", &last);
		good = nt <= f->max && nb == ns && first == 1 && memcmp(s, whole + offset, ns) == 0 &&
		       (chunk != NULL) == (nchunks > 1) && (chunk == NULL || chunk[0] == c) &&
		       last == (c + 1 == nchunks) && offset + (c > 0 ? f->overlap : 0) == covered &&
		       (c + 1 == nchunks || ns == room) &&
		       rna_frame_slot(v, t, nt) == (f->frame == RNA_FRAME_TYPE ? (int64_t)nt - 2 : -1);
		covered = offset + ns;
	}
	rna_record_fini(&out);
	return good && covered == n && counts.records == 1 && counts.nt == n && counts.unknown == 0 &&
	       counts.chunked == (nchunks > 1) &&
	       (nchunks == 1 || covered - (uint64_t)f->overlap > (nchunks - 1) * (room - f->overlap));
}

static void
chunk_arithmetic(void)
{
	struct rna_framing f = {RNA_FRAME_PLAIN, RNA_LONG_CHUNK, 0, 0};
	struct rna_record rec;
	struct rna_vocab v;
	struct rna_rng rng;
	char seq[200];
	uint32_t n, specials, room, typed, good = 1;

	if (rna_vocab_init(&v) != RNA_OK)
		exit(2);
	rna_record_init(&rec);
	rna_rng_init(&rng, 1);
	for (n = 0; n < sizeof seq; n++)
		seq[n] = "ACGU"[rna_rng_below(&rng, 4)];
	for (typed = 0; typed < 2; typed++)
		for (room = 1; room <= 24; room++)
			for (f.overlap = 0; f.overlap < room; f.overlap++)
				for (n = 0; n < sizeof seq && good; n += n < 60 ? 1 : 13) {
					f.frame = typed ? RNA_FRAME_TYPE : RNA_FRAME_PLAIN;
					specials = rna_frame_specials(f.frame);
					f.max = room + specials;
					if (rna_record_set_str(&rec, "seq", seq, n) != RNA_OK)
						exit(2);
					good = (uint32_t)chunks_hold(&v, &f, &rec, n);
					if (!good)
						diag("n %u room %u overlap %u typed %u", n, room, f.overlap, typed);
				}
	ok(good, "chunks cover every base, share the overlap asked for, are full but the last, and never too long");
	rna_record_fini(&rec);
	rna_vocab_fini(&v);
}

static int
tokens_are(const struct rna_record *rec, const char *field, const char *want)
{
	uint64_t n, i;
	const uint8_t *t = rna_record_get_vec(rec, field, RNA_U8, &n);
	char text[256] = "", word[8];

	for (i = 0; t != NULL && i < n; i++) {
		snprintf(word, sizeof word, "%s%d", i > 0 ? " " : "", t[i]);
		strncat(text, word, sizeof text - strlen(text) - 1);
	}
	if (strcmp(text, want) != 0)
		diag("%s: %s, not %s", field, text, want);
	return t != NULL && strcmp(text, want) == 0;
}

static void
frames(void)
{
	static const int32_t pair[] = {8, 7, 6, -1, -1, -1, 2, 1, 0};
	struct rna_framing f = {RNA_FRAME_TYPE, RNA_LONG_KEEP, 0, 0};
	struct rna_frame_counts n = {0};
	struct rna_record rec, out;
	struct rna_vocab v;
	const int32_t *p;
	const char *s;
	uint8_t letters[5];
	uint32_t first;
	uint64_t np;
	size_t ns;
	int fits, k;

	if (rna_vocab_init(&v) != RNA_OK)
		exit(2);
	rna_record_init(&rec);
	rna_record_init(&out);
	if (rna_record_set_str(&rec, "seq", "acgTUN", 6) != RNA_OK)
		exit(2);
	ok(rna_frame_record(&f, &v, &rec, -1, 0, &out, &n) == RNA_OK &&
		tokens_are(&out, "tokens", "2 35 37 38 36 36 1 6 4 3"),
	    "an unknown type is [MASK] in the slot");
	ok(rna_frame_letters(&v, "AJ!CG", 5, 0, letters) == 2 && rna_frame_letters(&v, "AJ!CG", 5, 2, letters) == 1,
	    "letters that the vocabulary has not are counted but for those shared with the chunk before");
	v.id['N'] = v.base[0]; /* as if it had a token */
	v.known['N'] = 1;
	ok(rna_frame_letters(&v, "ACNG", 4, 0, letters) == 0 && letters[2] == v.base[0], "other letters with a token");
	for (k = 0; k < 5; k++)
		letters[k] = v.base[k % 4];
	ok(rna_frame_bases(&v, letters, 4, &first) == 4 && first == 0, "tokens without a frame end where they end");
	ok(n.untyped == 1 && n.unknown == 1 && rna_record_find(&out, "type") == NULL,
	    "and is counted, as is the unknown letter");
	f.policy = RNA_LONG_TRUNCATE;
	f.max = 7;
	ok(rna_frame_record(&f, &v, &rec, 31, 0, &out, &n) == RNA_OK &&
		tokens_are(&out, "tokens", "2 35 37 38 6 31 3") && n.truncated == 1 && n.truncated_nt == 3,
	    "truncation keeps the frame");
	f.policy = RNA_LONG_DROP;
	ok(rna_frame_record(&f, &v, &rec, 31, 0, &out, &n) == RNA_END && n.dropped == 1 && n.dropped_nt == 6,
	    "dropping");
	f = (struct rna_framing){RNA_FRAME_PLAIN, RNA_LONG_CHUNK, 9, 2};
	if (rna_record_set_str(&rec, "seq", "GGGAAACCC", 9) != RNA_OK ||
	    rna_record_set_vec(&rec, "pair", RNA_I32, pair, 9) != RNA_OK ||
	    rna_record_set_str(&rec, "structure", "(((...)))", 9) != RNA_OK)
		exit(2);
	ok(rna_frame_record(&f, &v, &rec, -1, 1, &out, NULL) == RNA_OK, "second chunk, bases 5 to 8");
	p = rna_record_get_vec(&out, "pair", RNA_I32, &np);
	s = rna_record_get_str(&out, "structure", &ns);
	ok(np == 4 && p[0] == -1 && p[3] == -1 && ns == 4 && memcmp(s, "....", 4) == 0, "partners outside it are gone");
	f.max = 10;
	if (rna_frame_record(&f, &v, &rec, -1, 0, &out, NULL) != RNA_OK)
		exit(2);
	p = rna_record_get_vec(&out, "pair", RNA_I32, &np);
	s = rna_record_get_str(&out, "structure", &ns);
	ok(np == 8 && p[1] == 7 && p[0] == -1 && memcmp(s, ".((...))", 8) == 0, "partners inside it stay");
	rna_record_reuse(&rec);
	if (rna_record_set_str(&rec, "seq", "ACGU", 4) != RNA_OK ||
	    rna_record_set_str(&rec, "seq_b", "GGG", 3) != RNA_OK)
		exit(2);
	f = (struct rna_framing){RNA_FRAME_TYPE, RNA_LONG_TRUNCATE, 10, 0};
	ok(rna_frame_count(&f, &rec, &fits) == 1 && !fits, "a pair of 7 in a typed frame of 10 tokens does not fit");
	ok(rna_frame_record(&f, &v, &rec, 9, 0, &out, NULL) == RNA_OK &&
		tokens_are(&out, "tokens", "2 35 37 38 3 38 38 6 9 3") &&
		tokens_are(&out, "segment", "0 0 0 0 0 1 1 1 1 1"),
	    "the longer sequence is cut first, then the second");
	rna_record_fini(&rec);
	rna_record_fini(&out);
	rna_vocab_fini(&v);
}

/* 4. Structures */

/* Pairs of opening and closing k-th brackets never cross because a stack reads them; that reading must give pair back.
 */
static int
round_trip(const int32_t *pair, size_t n, struct rna_err *err)
{
	struct rna_buf text = RNA_BUF_INIT, back = RNA_BUF_INIT;
	int good;

	good = rna_structure_print(pair, n, &text, err) == RNA_OK && text.len == n &&
	       rna_structure_parse(n > 0 ? (const char *)text.data : "", n, &back, err) == RNA_OK &&
	       back.len == n * sizeof *pair && (n == 0 || memcmp(back.data, pair, back.len) == 0);
	rna_buf_fini(&text);
	rna_buf_fini(&back);
	return good;
}

static void
structures(void)
{
	static const struct {
		const char *text, *what;
	} bad[] = {
	    {"((.)", "'(' at position 1 is never closed"},
	    {"(.))", "')' at position 4 closes nothing"},
	    {"([)", "'[' at position 2 is never closed"},
	    {"..&..", "'&' at position 3"},
	    {"..a", "'a' at position 3 closes nothing"},
	    {"..\x01", "byte 0x01 at position 3"},
	    {"..|", "'|' at position 3"},
	};
	struct rna_buf b = RNA_BUF_INIT;
	struct rna_err err;
	struct rna_rng rng;
	int32_t pair[300];
	int i, j, k, n, good = 1, tried = 0;

	for (i = 0; i < (int)(sizeof bad / sizeof bad[0]); i++) {
		rna_buf_reuse(&b);
		ok(rna_structure_parse(bad[i].text, strlen(bad[i].text), &b, &err) == RNA_EFORMAT &&
			strstr(err.text, bad[i].what) != NULL,
		    "refused: %s", bad[i].what);
	}
	rna_buf_reuse(&b);
	ok(rna_structure_parse("(A[.)a]x_-,:~", 13, &b, &err) == RNA_OK && ((int32_t *)(void *)b.data)[1] == 5 &&
		((int32_t *)(void *)b.data)[7] == -1,
	    "layers, and what is unpaired");
	rna_rng_init(&rng, 7);
	for (k = 0; k < 2000 && good; k++) {
		n = (int)rna_rng_below(&rng, 300);
		for (i = 0; i < n; i++)
			pair[i] = -1;
		for (i = 0; i < n / (2 + (int)rna_rng_below(&rng, 20)); i++) {
			int a = (int)rna_rng_below(&rng, (uint32_t)n), z = (int)rna_rng_below(&rng, (uint32_t)n);

			if (a != z && pair[a] < 0 && pair[z] < 0) {
				pair[a] = z;
				pair[z] = a;
			}
		}
		err.text[0] = '\0';
		good = round_trip(pair, (size_t)n, &err) || strstr(err.text, "crosses all of 30") != NULL;
		tried += err.text[0] == '\0';
	}
	ok(good && tried > 1500, "random structures come back from their brackets (%d)", tried);
	for (j = 0; j < 60; j++)
		pair[j] = (j + 30) % 60;
	ok(round_trip(pair, 60, &err), "30 pairs that all cross take 30 layers");
	for (j = 0; j < 62; j++)
		pair[j] = (j + 31) % 62;
	ok(!round_trip(pair, 62, &err) && strstr(err.text, "crosses all of 30") != NULL, "31 are refused");
	pair[0] = 2, pair[1] = -1, pair[2] = 1;
	rna_buf_reuse(&b);
	ok(rna_structure_print(pair, 3, &b, &err) == RNA_EINVAL, "partners that are not mutual are refused");
	rna_buf_reuse(&b);
	ok(rna_structure_parse("[[[.((.]]].))", 13, &b, &err) == RNA_OK, "a pseudoknot");
	memcpy(pair, b.data, b.len);
	rna_buf_reuse(&b);
	ok(rna_structure_print(pair, 13, &b, &err) == RNA_OK && memcmp(b.data, "(((.[[.))).]]", 13) == 0,
	    "the longest stem goes into the first layer");
	rna_buf_fini(&b);
}

int
main(void)
{
	int fd = mkstemp(path);

	if (fd < 0)
		return 2;
	close(fd);
	default_vocabulary();
	other_vocabularies();
	types();
	id_mapping();
	chunk_arithmetic();
	frames();
	structures();
	unlink(path);
	return done();
}
