/*
 * train_features.c: rna-train class --from kmer, length, seq, field:NAME: classifiers without a backbone: logistic
 * regression, whose penalty is chosen on the validation RNAs, and the look-up of labels.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stat/logistic.h"
#include "train_class.h"

/* Penalties that are tried with RNAs to validate on, strongest first, until PATIENCE in a row are no better: each fit
 * starts from the one before. */
#define PATIENCE 3
static const double penalties[] = {1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 1e-7};

enum rna_status
train_add_features(struct class_run *c, struct rna_record *rec, struct rna_err *err)
{
	const int first = c->numbers.len == 0;
	enum rna_status s;
	uint64_t key = 0;
	float *x;

	if (first) {
		c->features.kind = (enum rna_feature_kind)(c->r.o->from - TRAIN_FROM_KMER);
		if (c->r.o->field != NULL &&
		    strlcpy(c->features.field, c->r.o->field, sizeof(c->features.field)) >= sizeof(c->features.field))
			return rna_fail(err, RNA_EINVAL, "--from field: the name is too long");
	}
	if (c->features.kind == RNA_FEATURE_SEQ) {
		if ((s = rna_features_key(rec, &key, err)) != RNA_OK)
			return s;
		if (rna_buf_add(&c->numbers, &key, sizeof(key)) != RNA_OK)
			return rna_fail(err, RNA_EMEM, "out of memory");
		return RNA_OK;
	}
	if (first && (s = rna_features_read(&c->features, rec, NULL, err)) != RNA_OK)
		return s;
	if ((x = reallocarray(NULL, c->features.size, sizeof(*x))) == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	s = rna_features_read(&c->features, rec, x, err);
	if (s == RNA_OK && rna_buf_add(&c->numbers, x, c->features.size * sizeof(*x)) != RNA_OK)
		s = rna_fail(err, RNA_EMEM, "out of memory");
	free(x);
	return s;
}

/* Logistic regression. */
struct fit {
	struct rna_logistic train, valid;
	struct rna_logistic_fit *fit; /* of train */
	int32_t *label[2];            /* of train, of valid: -1 where the example is the other's */
	double *weight;               /* of the classes */
	double *mean, *scale;
	double *w, *best; /* [size + 1, classes] */
};

static void
out_of_memory(const struct class_run *c)
{
	tool_die(c->r.t, "out of memory");
}

static void
take_memory(struct class_run *c, struct fit *f)
{
	const size_t n = c->data.n, d = c->features.size, k = json_array_size(c->data.names);

	f->label[0] = calloc(n + 1, sizeof(**f->label));
	f->label[1] = calloc(n + 1, sizeof(**f->label));
	f->weight = calloc(k, sizeof(*f->weight));
	f->mean = calloc(d, sizeof(*f->mean));
	f->scale = calloc(d, sizeof(*f->scale));
	f->w = calloc((d + 1) * k, sizeof(*f->w));
	f->best = calloc((d + 1) * k, sizeof(*f->best));
	if (f->label[0] == NULL || f->label[1] == NULL || f->weight == NULL || f->mean == NULL || f->scale == NULL ||
	    f->w == NULL || f->best == NULL)
		out_of_memory(c);
}

/* Labels on their two sides, and the weights of the classes. */
static void
take_sides(struct class_run *c, struct fit *f)
{
	const size_t k = json_array_size(c->data.names);
	size_t i;

	for (i = 0; i < c->data.n; i++) {
		const struct rna_example *e = &c->data.list[i];

		f->label[0][i] = e->valid ? -1 : e->label;
		f->label[1][i] = e->valid ? e->label : -1;
		f->weight[e->label] += !e->valid;
	}
	for (i = 0; i < k; i++)
		f->weight[i] = f->weight[i] > 0 ? (double)c->data.ntrain / ((double)k * f->weight[i]) : 0;
	f->train = (struct rna_logistic){.n = c->data.n,
	    .dims = c->features.size,
	    .classes = k,
	    .x = (const float *)(const void *)c->numbers.data,
	    .label = f->label[0],
	    .weight = c->r.o->weighted ? f->weight : NULL,
	    .threads = c->r.t->threads};
	f->valid = f->train;
	f->valid.label = f->label[1];
}

/* Each number less its mean, over its deviation, of the examples trained on. */
static void
standardise(struct class_run *c, struct fit *f)
{
	const size_t d = c->features.size;
	float *x = (float *)(void *)c->numbers.data;
	const double n = (double)c->data.ntrain;
	size_t i, j;

	for (i = 0; i < c->data.n; i++)
		for (j = 0; f->label[0][i] >= 0 && j < d; j++)
			f->mean[j] += (double)x[i * d + j] / n;
	for (i = 0; i < c->data.n; i++)
		for (j = 0; f->label[0][i] >= 0 && j < d; j++)
			f->scale[j] += pow((double)x[i * d + j] - f->mean[j], 2) / n;
	for (j = 0; j < d; j++)
		f->scale[j] = f->scale[j] > 1e-20 ? 1 / sqrt(f->scale[j]) : 0;
	for (i = 0; i < c->data.n; i++)
		for (j = 0; j < d; j++)
			x[i * d + j] = (float)(((double)x[i * d + j] - f->mean[j]) * f->scale[j]);
}

static void
log_fit(struct class_run *c, double l2, int steps, const double *score, int best)
{
	struct rna_err err = {.record = RNA_NOREC};
	int bad = fprintf(c->r.table, "%.6g\t%d\t%.6g\t%.6g", l2, steps, score[0], score[1]) < 0;

	if (c->data.nvalid > 0)
		bad |= fprintf(c->r.table, "\t%.6g\t%.6g\t%d\n", score[2], score[3], best) < 0;
	else
		bad |= fputs("\tNA\tNA\tNA\n", c->r.table) < 0;
	if (bad) {
		rna_fail_errno(&err, "the log can't be written");
		train_fail(&c->r, &err);
	}
}

/* Fits with one penalty from f->w on; 1: the best on the validation RNAs so far. */
static int
try(struct class_run *c, struct fit *f, double l2, double *best)
{
	struct rna_err err = {.record = RNA_NOREC};
	double score[4] = {0};
	int steps, is_best;

	if (rna_logistic_run(f->fit, l2, f->w, &steps, &err) != RNA_OK ||
	    rna_logistic_score(&f->train, f->w, &score[0], &score[1], &err) != RNA_OK ||
	    (c->data.nvalid > 0 && rna_logistic_score(&f->valid, f->w, &score[2], &score[3], &err) != RNA_OK))
		train_fail(&c->r, &err);
	is_best = c->data.nvalid == 0 || score[2] < *best;
	*best = is_best ? score[2] : *best;
	log_fit(c, l2, steps, score, is_best);
	return is_best;
}

/* The penalty whose fit has the least loss on the validation RNAs; without such, that of scikit-learn's C = 1.  After a
 * split of one input the fit with it is made anew, of all of it. */
static void
fit(struct class_run *c, struct fit *f)
{
	const size_t bytes = (c->features.size + 1) * f->train.classes * sizeof(*f->w);
	double best = INFINITY, l2 = 1 / (double)c->data.ntrain;
	size_t i, worse = 0;

	if (c->data.nvalid == 0) {
		(void)try(c, f, l2, &best);
		memcpy(f->best, f->w, bytes);
		return;
	}
	for (i = 0; i < sizeof(penalties) / sizeof(*penalties) && worse < PATIENCE; i++) {
		worse++;
		if (!try(c, f, penalties[i], &best))
			continue;
		worse = 0;
		memcpy(f->best, f->w, bytes);
		l2 = penalties[i];
	}
	tool_note(c->r.t, 1, "penalty %g: validation loss %.4f", l2, best);
	if (c->r.o->valid != NULL)
		return;
	for (i = 0; i < c->data.n; i++)
		f->label[0][i] = c->data.list[i].label;
	memcpy(f->w, f->best, bytes);
	best = INFINITY;
	(void)try(c, f, l2 * (double)c->data.ntrain / (double)c->data.n, &best);
	memcpy(f->best, f->w, bytes);
}

/* The weights of the numbers as they come. */
static void
store(const struct class_run *c, const struct fit *f, struct rna_featuremodel *m)
{
	const size_t d = c->features.size, k = f->train.classes;
	double bias, w;
	size_t i, j;

	m->weight = calloc(d * k, sizeof(*m->weight));
	m->bias = calloc(k, sizeof(*m->bias));
	if (m->weight == NULL || m->bias == NULL)
		out_of_memory(c);
	for (i = 0; i < k; i++) {
		bias = f->best[d * k + i];
		for (j = 0; j < d; j++) {
			w = f->best[j * k + i] * f->scale[j];
			m->weight[i * d + j] = (float)w;
			bias -= w * f->mean[j];
		}
		m->bias[i] = (float)bias;
	}
}

static void
regression(struct class_run *c, struct rna_featuremodel *m)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct fit f = {0};

	take_memory(c, &f);
	take_sides(c, &f);
	standardise(c, &f);
	if ((f.fit = rna_logistic_open(&f.train, &err)) == NULL)
		train_fail(&c->r, &err);
	fit(c, &f);
	store(c, &f, m);
	rna_logistic_close(f.fit);
	free(f.label[0]);
	free(f.label[1]);
	free(f.weight);
	free(f.mean);
	free(f.scale);
	free(f.w);
	free(f.best);
}

/* The look-up. */
struct seen {
	uint64_t key;
	int32_t label;
};

static int
by_key(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

static void
table(struct class_run *c, struct rna_featuremodel *m)
{
	const uint64_t *keys = (const uint64_t *)(const void *)c->numbers.data;
	const size_t k = json_array_size(c->data.names);
	struct seen *list = calloc(c->data.ntrain + 1, sizeof(*list));
	size_t i, n = 0;

	m->key = calloc(c->data.ntrain + 1, sizeof(*m->key));
	m->count = calloc((c->data.ntrain + 1) * k, sizeof(*m->count));
	m->bias = calloc(k, sizeof(*m->bias));
	if (list == NULL || m->key == NULL || m->count == NULL || m->bias == NULL)
		out_of_memory(c);
	for (i = 0; i < c->data.n; i++)
		if (!c->data.list[i].valid)
			list[n++] = (struct seen){keys[i], c->data.list[i].label};
	qsort(list, n, sizeof(*list), by_key);
	for (i = 0; i < n; i++) {
		if (i == 0 || list[i].key != list[i - 1].key)
			m->key[m->n++] = list[i].key;
		m->count[(m->n - 1) * k + (size_t)list[i].label]++;
		m->bias[list[i].label]++;
	}
	for (i = 0; i < k; i++) /* a label that was not there: as if half an example had it */
		m->bias[i] = logf(fmaxf(m->bias[i], 0.5f) / (float)n);
	tool_note(c->r.t, 1, "%zu different sequences", m->n);
	free(list);
}

void
train_features(struct class_run *c)
{
	struct rna_featuremodel m = {.features = c->features, .labels = json_incref(c->data.names)};
	struct rna_err err = {.record = RNA_NOREC};

	if (c->features.kind == RNA_FEATURE_SEQ)
		table(c, &m);
	else
		regression(c, &m);
	if (rna_featuremodel_save(&m, c->r.dir, &err) != RNA_OK)
		train_fail(&c->r, &err);
	rna_featuremodel_fini(&m);
}
