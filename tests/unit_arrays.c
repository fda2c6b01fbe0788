/*
 * unit_arrays.c: fields of records as one NumPy array or as tensors of a safetensors file: names, shapes and values.
 */
#include "nn/safetensors.h"
#include "seq/npy.h"
#include "seq/tensors.h"
#include "stream/outfile.h"
#include "stream_util.h"
#include "tap.h"

#define RECORDS 40

/* Field "same" is [2,3] in all, "ragged" [i], "some" only in odd ones, "half" bf16 [2], "text" no number. */
static void
make(struct rna_record *rec, int i)
{
	float same[6], ragged[RECORDS];
	uint64_t dims[2] = {2, 3};
	uint16_t half[2] = {0x3f80, (uint16_t)(0x4000 + i)};
	int k;

	for (k = 0; k < 6; k++)
		same[k] = (float)(10 * i + k);
	for (k = 0; k < i; k++)
		ragged[k] = (float)k;
	rna_record_reuse(rec);
	must(rna_record_set(rec, "same", RNA_F32, 2, dims, same));
	must(rna_record_set_vec(rec, "ragged", RNA_F32, ragged, (uint64_t)i));
	if (i % 2)
		must(rna_record_set_u64(rec, "some", (uint64_t)i));
	must(rna_record_set_vec(rec, "half", RNA_BF16, half, 2));
	must(rna_record_set_str(rec, "text", "words", 5));
}

static struct rna_outfile *
begin(void)
{
	struct rna_err e;
	struct rna_outfile *out = rna_outfile_open(util_path("arrays"), &e);

	if (out == NULL)
		errx(1, "%s", e.text);
	return out;
}

/* The array of a field of n records, its header text in head; the status of the first that was refused. */
static enum rna_status
array(const char *field, int n, char *head, size_t size, struct rna_buf *data, struct rna_err *e)
{
	struct rna_outfile *out = begin();
	struct rna_npy *npy = rna_npy_open(rna_outfile_fp(out), field, e);
	struct rna_buf all = RNA_BUF_INIT;
	struct rna_record rec;
	enum rna_status st = RNA_OK;
	size_t len;
	int i;

	rna_record_init(&rec);
	for (i = 0; i < n && st == RNA_OK; i++) {
		make(&rec, i + (n < 3 ? 1 : 0));
		st = rna_npy_add(npy, &rec, e);
	}
	rna_record_fini(&rec);
	if (st != RNA_OK) {
		rna_npy_abort(npy);
		rna_outfile_abort(out);
		return st;
	}
	must(rna_npy_close(npy, e));
	must(rna_outfile_close(out, e));
	util_get(util_path("arrays"), &all);
	len = all.data[8] | (size_t)all.data[9] << 8;
	ok(memcmp(all.data, "\x93NUMPY\1\0", 8) == 0 && (len + 10) % 64 == 0 && all.data[9 + len] == '\n',
	    "%s: an array", field);
	snprintf(head, size, "%.*s", (int)len, (char *)all.data + 10);
	head[strcspn(head, "}") + 1] = '\0';
	data->len = 0;
	make_bytes(data, all.data + 10 + len, all.len - 10 - len);
	rna_buf_fini(&all);
	return RNA_OK;
}

static void
test_npy(void)
{
	struct rna_buf b = RNA_BUF_INIT;
	struct rna_err e = {.record = RNA_NOREC};
	char head[512] = "";
	float x[6], want;
	int i, k, good = 1;

	must(array("same", RECORDS, head, sizeof(head), &b, &e));
	ok(strcmp(head, "{'descr': '<f4', 'fortran_order': False, 'shape': (40, 2, 3), }") == 0, "%s", head);
	for (i = 0; i < RECORDS; i++) {
		memcpy(x, b.data + (size_t)i * sizeof(x), sizeof(x));
		for (k = 0; k < 6; k++)
			good &= x[k] == (float)(10 * i + k);
	}
	ok(good && b.len == RECORDS * sizeof(x), "its values");
	must(array("half", RECORDS, head, sizeof(head), &b, &e));
	ok(strcmp(head, "{'descr': '<f4', 'fortran_order': False, 'shape': (40, 2), }") == 0, "%s", head);
	for (i = 0, good = 1; i < RECORDS; i++) {
		memcpy(x, b.data + (size_t)i * 8, 8);
		want = 2 * (1 + (float)i / 128);
		good &= x[0] == 1 && x[1] == want;
	}
	ok(good && b.len == RECORDS * 8, "bf16 as f32");
	must(array("some", 1, head, sizeof(head), &b, &e));
	ok(strcmp(head, "{'descr': '<u8', 'fortran_order': False, 'shape': (1,), }") == 0 && b.len == 8 &&
		b.data[0] == 1,
	    "%s", head);
	must(array("none", 0, head, sizeof(head), &b, &e));
	ok(strcmp(head, "{'descr': '<f4', 'fortran_order': False, 'shape': (0,), }") == 0 && b.len == 0, "%s", head);
	ok(array("text", 3, head, sizeof(head), &b, &e) == RNA_EFORMAT && strstr(e.text, "is text") != NULL, "%s",
	    e.text);
	ok(array("gone", 3, head, sizeof(head), &b, &e) == RNA_EFORMAT && strcmp(e.text, "no field gone") == 0, "%s",
	    e.text);
	ok(array("ragged", 3, head, sizeof(head), &b, &e) == RNA_EFORMAT &&
		strstr(e.text, "has shape [1] here, [0] in the records before") != NULL,
	    "%s", e.text);
	ok(!util_exists(util_path("arrays.part")), "nothing is left of what was refused");
	rna_buf_fini(&b);
}

static void
test_tensors(void)
{
	char *fields[] = {(char[]){"some"}, (char[]){"gone"}};
	struct rna_outfile *out = begin();
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_safetensors s;
	struct rna_tensors t;
	struct rna_record rec;
	const struct rna_tensor *x;
	char name[32];
	float v[240], w[RECORDS];
	int i, k, good = 1;

	rna_record_init(&rec);
	rna_tensors_init(&t, NULL, 0);
	for (i = 0; i < RECORDS; i++) {
		make(&rec, i);
		must(rna_tensors_add(&t, &rec, &e));
	}
	must(rna_tensors_write(&t, rna_outfile_fp(out), &e));
	must(rna_outfile_close(out, &e));
	rna_tensors_fini(&t);
	must(rna_safetensors_open(&s, util_path("arrays"), &e));
	ok(s.n == 2 + RECORDS + RECORDS / 2, "%zu tensors", s.n);
	x = rna_safetensors_find(&s, "same");
	ok(x != NULL && x->ndim == 3 && x->dims[0] == RECORDS && x->dims[1] == 2 && x->dims[2] == 3,
	    "one of all records");
	must(rna_safetensors_read(x, 0, 240, v));
	for (i = 0; i < 240; i++)
		good &= v[i] == (float)(10 * (i / 6) + i % 6);
	ok(good, "its values");
	x = rna_safetensors_find(&s, "half");
	ok(x != NULL && strcmp(x->dtype, "BF16") == 0 && x->ndim == 2 && x->dims[1] == 2, "bf16 stays");
	for (i = 0, good = 1; i < RECORDS; i++) {
		snprintf(name, sizeof(name), "ragged.%d", i);
		x = rna_safetensors_find(&s, name);
		good &= x != NULL && x->ndim == 1 && x->dims[0] == (uint64_t)i &&
		        rna_safetensors_read(x, 0, (uint64_t)i, w) == RNA_OK;
		for (k = 0; good && k < i; k++)
			good &= w[k] == (float)k;
		snprintf(name, sizeof(name), "some.%d", i);
		x = rna_safetensors_find(&s, name);
		good &= (x != NULL) == (i % 2 == 1) && (x == NULL || (x->ndim == 0 && x->data[0] == i));
	}
	ok(good, "one for each record where shapes differ or records lack it");
	ok(strcmp(json_string_value(json_object_get(s.metadata, "records")), "40") == 0, "the number of records");
	rna_safetensors_close(&s);
	/* chosen fields */
	rna_tensors_init(&t, fields, 1);
	make(&rec, 1);
	must(rna_tensors_add(&t, &rec, &e));
	out = begin();
	must(rna_tensors_write(&t, rna_outfile_fp(out), &e));
	must(rna_outfile_close(out, &e));
	rna_tensors_fini(&t);
	must(rna_safetensors_open(&s, util_path("arrays"), &e));
	ok(s.n == 1 && strcmp(s.list[0].name, "some") == 0, "the chosen one alone");
	rna_safetensors_close(&s);
	rna_tensors_init(&t, fields, 2);
	must(rna_tensors_add(&t, &rec, &e));
	out = begin();
	ok(rna_tensors_write(&t, rna_outfile_fp(out), &e) == RNA_EFORMAT && strstr(e.text, "gone") != NULL, "%s",
	    e.text);
	rna_outfile_abort(out);
	rna_tensors_fini(&t);
	/* another type of number than before */
	rna_tensors_init(&t, NULL, 0);
	must(rna_tensors_add(&t, &rec, &e));
	must(rna_record_set_u8(&rec, "some", 1));
	ok(rna_tensors_add(&t, &rec, &e) == RNA_EFORMAT && strstr(e.text, "some") != NULL, "%s", e.text);
	rna_tensors_fini(&t);
	rna_record_fini(&rec);
}

int
main(void)
{
	test_npy();
	test_tensors();
	util_clean();
	return done();
}
