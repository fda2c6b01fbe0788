/*
 * trainplan.c: steps of a number of passes, limits of a stream, time of a step.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nn/trainplan.h"
#include "seq/mask.h"
#include "seq/source.h"

struct lengths {
	uint32_t *list; /* tokens of each record, in order */
	size_t n, cap;
};

static int
add_length(struct lengths *l, uint64_t n)
{
	uint32_t *list;
	size_t cap;

	if (l->n == l->cap) {
		cap = l->cap > 0 ? 2 * l->cap : 4096;
		if ((list = reallocarray(l->list, cap, sizeof(*list))) == NULL)
			return -1;
		l->list = list;
		l->cap = cap;
	}
	l->list[l->n++] = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
	return 0;
}

static enum rna_status
read_lengths(const char *path, struct lengths *l, struct rna_err *err)
{
	struct rna_source_options opts = {.nthreads = 1};
	struct rna_source *source;
	struct rna_record rec;
	struct rna_input *in;
	enum rna_status s;
	uint64_t n;

	if ((in = rna_input_open(path, err)) == NULL || (source = rna_source_open(in, &opts, err)) == NULL)
		return err->status;
	rna_record_init(&rec);
	while ((s = rna_source_read(source, &rec, err)) == RNA_OK || s == RNA_NEXT) {
		if (s == RNA_NEXT)
			continue;
		n = 0;
		rna_record_get_vec(&rec, "tokens", RNA_U8, &n);
		if (add_length(l, n) != 0) {
			s = rna_fail(err, RNA_EMEM, "out of memory");
			break;
		}
	}
	if (s != RNA_END)
		rna_err_where(err, path, RNA_NOREC);
	rna_record_fini(&rec);
	rna_source_close(source);
	return s == RNA_END ? RNA_OK : s;
}

enum rna_status
rna_train_count(char *const *files, int nfiles, uint64_t batch_tokens, uint64_t passes, struct rna_train_count *count,
    struct rna_err *err)
{
	struct lengths l = {NULL, 0, 0};
	enum rna_status s = RNA_OK;
	uint64_t pass, filled = 0;
	size_t i;
	int f;

	memset(count, 0, sizeof(*count));
	for (f = 0; f < nfiles && s == RNA_OK; f++)
		s = read_lengths(files[f], &l, err);
	for (i = 0; i < l.n; i++)
		count->tokens += l.list[i];
	count->records = l.n;
	for (pass = 0; s == RNA_OK && l.n > 0 && pass < passes; pass++) {
		for (i = 0; i < l.n; i++) {
			if (count->steps == 0 || filled + l.list[i] > batch_tokens) {
				count->steps++;
				filled = 0;
			}
			filled += l.list[i];
		}
	}
	free(l.list);
	return s;
}

/* The value after an option in a provenance entry's args, or NULL. */
static const char *
arg_value(const json_t *entry, const char *name)
{
	const json_t *args = json_object_get(entry, "args");
	const char *word;
	size_t i;

	for (i = 0; i + 1 < json_array_size(args); i++) {
		word = json_string_value(json_array_get(args, i));
		if (word != NULL && strcmp(word, name) == 0)
			return json_string_value(json_array_get(args, i + 1));
	}
	return NULL;
}

int
rna_train_stream_max(const struct rna_header *h)
{
	const json_t *list = json_object_get(h->json, "provenance"), *entry, *max;
	const char *tool, *value;
	long long n = 0;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		entry = json_array_get(list, i);
		tool = json_string_value(json_object_get(entry, "tool"));
		if (tool == NULL || strcmp(tool, "rna-tokenize") != 0)
			continue;
		if ((max = json_object_get(entry, "max")) != NULL)
			n = json_integer_value(max);
		else if ((value = arg_value(entry, "--max")) != NULL)
			n = strtoll(value, NULL, 10);
	}
	return n > 0 && n <= INT32_MAX ? (int)n : 0;
}

double
rna_train_stream_masked(const struct rna_header *h)
{
	const json_t *list = json_object_get(h->json, "provenance"), *entry;
	const char *tool, *value;
	double share = 1;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		entry = json_array_get(list, i);
		tool = json_string_value(json_object_get(entry, "tool"));
		if (tool == NULL || strcmp(tool, "rna-mask") != 0)
			continue;
		value = arg_value(entry, "--rate");
		share = value != NULL ? strtod(value, NULL) : RNA_MASK_RATE;
	}
	return share > 0 && share < 1 ? share : 1;
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

enum rna_status
rna_train_calibrate(struct rna_trainer *tr, double seconds, double *per_step, struct rna_err *err)
{
	enum rna_status s;
	double begin;
	int n = 0;

	/* the first run touches the memory */
	if ((s = rna_trainer_try(tr, err)) != RNA_OK)
		return s;
	begin = now();
	do {
		if ((s = rna_trainer_try(tr, err)) != RNA_OK)
			return s;
		n++;
	} while (now() - begin < seconds);
	*per_step = (now() - begin) / n;
	return RNA_OK;
}
