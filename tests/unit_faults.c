/*
 * unit_faults.c: lib/stream and lib/seq when memory ends or a call fails, at every one of them; the readers of files
 * are in unit_faults_source.c.
 */
#include "faults.h"
#include "seq/folded.h"
#include "seq/frame.h"
#include "seq/kmer.h"
#include "seq/kmervec.h"
#include "seq/layout.h"
#include "seq/mask.h"
#include "seq/motif.h"
#include "seq/mutate.h"
#include "seq/npy.h"
#include "seq/picture.h"
#include "seq/rid.h"
#include "seq/structure.h"
#include "seq/tensors.h"
#include "seq/text.h"
#include "seq/types.h"
#include "stream/outfile.h"
#include "stream/shuffle.h"
#include "stream/split.h"
#include "stream_util.h"

#if FAULTS
static uint64_t
hash_file(const char *path)
{
	enum fault_kind kind = fault.kind;
	struct rna_buf b = RNA_BUF_INIT;
	uint64_t h;

	fault.kind = FAULT_NONE;
	util_get(path, &b);
	h = rna_hash(b.data, b.len, 0);
	rna_buf_fini(&b);
	fault.kind = kind;
	return h;
}

struct many {
	struct rna_record rec[4];
};

static struct many many; /* made once, of every kind of field */

static void
make_many(void)
{
	static const char seq[] = "GGGGAAAACCCCAUGC", structure[] = "((((....))))....";
	static const float values[6] = {0.5f, -1, 2, 3, 4, 5};
	static const float p[2] = {0.75f, 0.25f};
	int32_t pair[16];
	int32_t ij[4] = {0, 11, 1, 10};
	uint64_t dims[2] = {2, 3}, two[2] = {2, 2};
	int i, k;

	for (i = 0; i < 4; i++) {
		struct rna_record *r = &many.rec[i];

		rna_record_init(r);
		for (k = 0; k < 16; k++)
			pair[k] = k < 12 && (k < 4 || k > 7) ? 11 - k : -1;
		must(rna_record_set_u64(r, "rid", (uint64_t)(i / 2 + 1)));
		must(rna_record_set_str(r, "name", "a name", 6));
		must(rna_record_set_str(r, "desc", "tRNA of it label=x", 18));
		must(rna_record_set_str(r, "seq", seq, 16));
		must(rna_record_set_str(r, "structure", structure, 16));
		must(rna_record_set_vec(r, "pair", RNA_I32, pair, 16));
		must(rna_record_set_u8(r, "type", 10));
		must(rna_record_set_f32(r, "energy", -1.5f));
		must(rna_record_set(r, "value", RNA_F32, 2, dims, values));
		must(rna_record_set(r, "bpp_ij", RNA_I32, 2, two, ij));
		must(rna_record_set_vec(r, "bpp_p", RNA_F32, p, 2));
	}
}

static enum rna_status
write_stream(const void *arg, uint64_t *digest, struct rna_err *err)
{
	const struct rna_writer_options opts = {*(const int *)arg, 1};
	struct rna_writer *w = rna_writer_open(util_path("out"), &opts, err);
	char *args[] = {(char[]){"--rate"}, (char[]){"1"}};
	struct rna_header h = {NULL};
	enum rna_status st;
	int k;

	if (w == NULL)
		return err->status;
	TRY(mem(rna_header_init(&h), err));
	TRY(mem(rna_header_set_vocab(&h, "v", "00"), err));
	TRY(mem(rna_header_set_totals(&h, 4, 5), err));
	TRY(mem(rna_header_set_totals(&h, 4, RNA_TOTAL_UNKNOWN), err));
	TRY(mem(rna_header_add_provenance(&h, "rna-x", "1", 2, args, NULL), err));
	for (k = 0; k < 2; k++) {
		TRY(rna_writer_header(w, &h, err));
		for (int i = 0; i < 4; i++)
			TRY(rna_writer_write(w, &many.rec[i], err));
	}
	rna_header_fini(&h);
	st = rna_writer_close(w, err);
	if (st == RNA_OK)
		*digest = hash_file(util_path("out"));
	else if (util_exists(util_path("out.part")) ||
		 (util_exists(util_path("out")) && strstr(err->text, "complete") == NULL))
		return rna_fail(err, RNA_EINVAL, "a file\nis left");
	return st;
out:
	rna_header_fini(&h);
	rna_writer_abort(w, 0);
	return st;
}

static void
remove_out(const void *arg)
{
	(void)arg;
	unlink(util_path("out"));
	unlink(util_path("out.part"));
}

/* A run that was killed after two streams and a frame. */
static void
leave_part(const void *arg)
{
	struct rna_writer *w;
	struct rna_header h;
	int i, k;

	remove_out(arg);
	w = util_open(util_path("out"), 1, 1);
	must(rna_header_init(&h));
	for (k = 0; k < 3; k++) {
		must(rna_writer_header(w, &h, NULL));
		for (i = 0; i < (k < 2 ? 2 : RNA_FRAME_RECORDS + 1); i++)
			must(rna_writer_write(w, &many.rec[3], NULL));
	}
	rna_header_fini(&h);
	rna_writer_abort(w, 1);
}

static enum rna_status
resume_stream(const void *arg, uint64_t *digest, struct rna_err *err)
{
	const struct rna_writer_options opts = {1, 1};
	uint64_t streams = 0, records = 0;
	struct rna_header h = {NULL};
	int complete = 0;
	struct rna_writer *w = rna_writer_resume(util_path("out"), &opts, &h, &streams, &records, &complete, err);
	enum rna_status st = RNA_OK;

	(void)arg;
	if (w == NULL)
		return err->status;
	*digest = streams * 1000 + records;
	if (records > 0)
		TRY(rna_writer_write(w, &many.rec[0], err));
	else
		TRY(rna_writer_header(w, &h, err));
out:
	rna_header_fini(&h);
	rna_writer_abort(w, st == RNA_OK);
	return st;
}

static enum rna_status
print_records(const void *arg, uint64_t *digest, struct rna_err *err)
{
	char *fields[] = {(char[]){"value"}, (char[]){"type"}, (char[]){"name"}, (char[]){"none"}};
	const int *how = arg; /* format, whether fields are chosen */
	struct rna_text_options opts = {(enum rna_text)how[0], NULL, how[1] ? fields : NULL, how[1] ? 4 : 0};
	struct rna_buf b = RNA_BUF_INIT;
	struct rna_vocab v;
	enum rna_status st;

	if ((st = mem(rna_vocab_init(&v), err)) != RNA_OK)
		return st;
	opts.vocab = &v;
	if (opts.format == RNA_TEXT_TSV)
		TRY(mem(rna_text_tsv_head(&opts, &many.rec[0], &b), err));
	for (int i = 0; i < 4; i++)
		TRY(mem(rna_text_record(&opts, &many.rec[i], &b, err), err));
	*digest = rna_hash(b.data, b.len, 0);
out:
	rna_buf_fini(&b);
	rna_vocab_fini(&v);
	return st;
}

static enum rna_status
draw_records(const void *arg, uint64_t *digest, struct rna_err *err)
{
	struct rna_pictures p = {0};
	struct rna_buf b = RNA_BUF_INIT;
	enum rna_status st;

	for (int i = 0; i < 2; i++)
		TRY(mem(rna_pictures_add(&p, *(const enum rna_picture *)arg, &many.rec[i], err), err));
	TRY(mem(rna_pictures_write(&p, &b, err), err));
	*digest = rna_hash(b.data, b.len, 0);
out:
	rna_pictures_fini(&p);
	rna_buf_fini(&b);
	return st;
}

/* An array, or the tensors of all numeric fields, in a file. */
static enum rna_status
write_arrays(const void *arg, uint64_t *digest, struct rna_err *err)
{
	const char *field = arg;
	struct rna_outfile *out = rna_outfile_open(util_path("out"), err);
	struct rna_npy *npy = NULL;
	struct rna_tensors t;
	enum rna_status st;
	int i;

	if (out == NULL)
		return err->status;
	rna_tensors_init(&t, NULL, 0);
	if (field != NULL && (npy = rna_npy_open(rna_outfile_fp(out), field, err)) == NULL) {
		st = err->status;
		goto out;
	}
	for (i = 0; i < 4; i++)
		TRY(npy != NULL ? rna_npy_add(npy, &many.rec[i], err) : rna_tensors_add(&t, &many.rec[i], err));
	if (npy != NULL) {
		st = rna_npy_close(npy, err);
		npy = NULL;
	} else {
		st = rna_tensors_write(&t, rna_outfile_fp(out), err);
	}
out:
	rna_npy_abort(npy);
	rna_tensors_fini(&t);
	if (st == RNA_OK)
		st = rna_outfile_close(out, err);
	else
		rna_outfile_abort(out);
	if (st == RNA_OK)
		*digest = hash_file(util_path("out"));
	return st;
}

static enum rna_status
shuffle_records(const void *arg, uint64_t *digest, struct rna_err *err)
{
	struct rna_shuffle_options opts = {1, RNA_SHUFFLE_MEM_MIN, NULL, 1};
	struct rna_shuffle *s = rna_shuffle_create(&opts, err);
	struct rna_record rec;
	struct rna_split sp;
	enum rna_status st = RNA_OK;
	int pass, first, side;
	uint64_t i, big[16384] = {0}, dims[1] = {16384};

	if (s == NULL)
		return err->status;
	rna_record_init(&rec);
	rna_split_init(&sp, 1, 0.5, "seq");
	for (i = 0; i < *(const uint64_t *)arg; i++) {
		TRY(mem(rna_record_copy(&rec, &many.rec[0]), err));
		TRY(mem(rna_record_set_u64(&rec, "rid", i * 0x9e3779b97f4a7c15), err));
		TRY(mem(rna_record_set(&rec, "big", RNA_U64, 1, dims, big), err));
		TRY(rna_shuffle_add(s, &rec, err));
	}
	for (pass = 0; pass < 2; pass++) {
		rna_split_reuse(&sp);
		while ((st = rna_shuffle_read(s, &rec, &first, err)) == RNA_OK) {
			TRY(mem(rna_split_side(&sp, &rec, &side, err), err));
			if (!rna_record_get_u64(&rec, "rid", &i))
				abort();
			*digest = *digest * 31 + i + (uint64_t)side;
		}
		if (st != RNA_END)
			break;
		rna_shuffle_rewind(s);
	}
out:
	rna_record_fini(&rec);
	rna_split_fini(&sp);
	rna_shuffle_destroy(s);
	return st == RNA_END ? RNA_OK : st;
}

/* Motifs from a file and from counts, an automaton of them, and masks by them. */
static enum rna_status
mask_by_motifs(const void *arg, uint64_t *digest, struct rna_err *err)
{
	struct rna_mask_options opts = {0.5, {1, 1, 1}, 0.5, 1, 0, *(const int *)arg};
	struct rna_framing framing = {RNA_FRAME_TYPE, RNA_LONG_CHUNK, 12, 2};
	struct rna_motifs list = {0};
	struct rna_kmers km = {0};
	struct rna_mask *m = NULL;
	struct rna_record rec;
	struct rna_buf b = RNA_BUF_INIT;
	struct rna_vocab v;
	uint64_t hits;
	enum rna_status st;

	if ((st = mem(rna_vocab_init(&v), err)) != RNA_OK)
		return st;
	rna_record_init(&rec);
	TRY(mem(rna_motifs_load(&list, util_path("motifs"), NULL, err), err));
	TRY(rna_kmers_init(&km, 3, 5, err));
	rna_kmers_add(&km, (const uint8_t *)"\0\1\2\3\0\1\2\3\0\0", 10);
	TRY(mem(rna_kmers_top(&km, 3, &list, &hits), err));
	st = RNA_EMEM;
	if ((m = rna_mask_create(&opts, &list, 1, err)) == NULL)
		goto out;
	TRY(rna_mask_vocab(m, &v, err));
	for (uint32_t c = 0; c < 3; c++) {
		TRY(mem(rna_frame_record(&framing, &v, &many.rec[0], 9, c, &rec, NULL), err));
		TRY(mem(rna_mask_record(m, &rec, err), err));
		TRY(mem(rna_kmervec_add(&rec, 2, err), err));
		TRY(mem(rna_mutate(&many.rec[1], 1, c + 1, 0.5, &rec, err), err));
		b.len = 0;
		TRY(mem(rna_record_encode(&rec, &b), err));
		*digest = rna_hash(b.data, b.len, *digest);
	}
out:
	rna_mask_destroy(m);
	rna_kmers_fini(&km);
	rna_motifs_fini(&list);
	rna_record_fini(&rec);
	rna_buf_fini(&b);
	rna_vocab_fini(&v);
	return st;
}

static enum rna_status
load_tables(const void *arg, uint64_t *digest, struct rna_err *err)
{
	struct rna_framing f = {0};
	struct rna_vocab v, w = {0};
	struct rna_types t = {0};
	enum rna_status st;

	(void)arg;
	if ((st = mem(rna_vocab_load(&v, util_root("formats/vocab.txt"), err), err)) != RNA_OK)
		return st;
	TRY(mem(rna_vocab_copy(&w, &v), err));
	TRY(mem(rna_types_load(&t, &v, util_path("mapping"), err), err));
	TRY(mem(rna_frame_config(&f, util_root("formats/golden/model-tiny/config.json"), err), err));
	*digest = (uint64_t)rna_types_vote(&t, &v, "URS0000000001", 13) * 1000 + f.max;
out:
	rna_types_fini(&t);
	rna_vocab_fini(&v);
	rna_vocab_fini(&w);
	return st;
}

int
main(void)
{
	static const int levels[] = {0, 3};
	static const uint64_t few = 3, lots = 24;
	static const enum rna_picture pictures[] = {RNA_PICTURE_STRUCTURE, RNA_PICTURE_DOTPLOT};
	static const int yes = 1, no = 0;
	char name[80];
	size_t i;

	json_set_alloc_funcs(fault_json, free);
	make_many();
	fault.json = 1;
	fault_try("a stream written by zstd's fastest", write_stream, &levels[0], remove_out);
	fault_try("a stream written", write_stream, &levels[1], remove_out);
	fault.json = 0;
	fault_try("a stream gone on with", resume_stream, NULL, leave_part);
	for (int f = RNA_TEXT_PLAIN; f <= RNA_TEXT_CT; f++) {
		for (int chosen = 0; chosen < 2; chosen++) {
			snprintf(name, sizeof(name), "text format %d%s", f, chosen ? ", fields chosen" : "");
			fault_try(name, print_records, (const int[]){f, chosen}, NULL);
		}
	}
	for (i = 0; i < 2; i++)
		fault_try(i ? "a dot plot" : "a drawing", draw_records, &pictures[i], NULL);
	fault.forgiven = 1; /* libbsd's funopen leaves its own where fopencookie gets no memory */
	fault_try("npy", write_arrays, "value", remove_out);
	fault.json = 1;
	fault_try("safetensors of records", write_arrays, NULL, remove_out);
	fault.json = 0;
	fault_try("records shuffled in memory", shuffle_records, &few, NULL);
	fault_try("records shuffled on disk", shuffle_records, &lots, NULL);
	util_put(util_path("motifs"), "# list\nACGU\nGGG\nUUUU\n", 21);
	util_put(util_path("mapping"), "URS0000000001\tX\ta\t1\ttRNA\tg\nURS0000000002\tX\ta\t1\trRNA\tg\n", 54);
	fault_try("masks", mask_by_motifs, &no, NULL);
	fault_try("masks by Paddle's rule", mask_by_motifs, &yes, NULL);
	fault_try("vocabulary, types, framing", load_tables, NULL, NULL);
	for (i = 0; i < 4; i++)
		rna_record_fini(&many.rec[i]);
	util_clean();
	return done();
}
#endif
