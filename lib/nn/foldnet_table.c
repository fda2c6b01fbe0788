/*
 * foldnet_table.c: names and shapes of the parameters of a folding network (formats/model.md).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fold/neural.h"
#include "nn/foldnet_private.h"

const struct foldnet_length foldnet_lengths[FOLDNET_LENGTHS] = {
    {"hairpin", "score_hairpin_length", 31, RNA_LENGTH_HAIRPIN},
    {"bulge", "score_bulge_length", 31, RNA_LENGTH_BULGE},
    {"internal", "score_internal_length", 31, RNA_LENGTH_INTERIOR},
    {"explicit", "score_internal_explicit", 25, RNA_LENGTH_EXPLICIT},
    {"symmetry", "score_internal_symmetry", 16, RNA_LENGTH_SYMMETRY},
    {"asymmetry", "score_internal_asymmetry", 29, RNA_LENGTH_ASYMMETRY},
    {"helix", "score_helix_length", 31, RNA_LENGTH_HELIX},
};

/* What is being listed. */
struct list {
	struct foldnet_param *p;
	size_t n;
};

static void
add(struct list *l, const char *own, const char *published, const char *part, enum foldnet_kind kind, int fan_in,
    int ndim, const int *dims)
{
	struct foldnet_param *p = &l->p[l->n++];

	snprintf(p->name, sizeof(p->name), "fold.%s%s", own, part);
	snprintf(p->published, sizeof(p->published), "zuker.%s%s", published, part);
	p->kind = kind;
	p->fan_in = fan_in;
	p->ndim = ndim;
	memcpy(p->dims, dims, (size_t)ndim * sizeof(*dims));
}

/* weight [n, k, width ...] of as many dimensions as ndim, and bias [n]. */
static void
linear(struct list *l, const char *own, const char *published, int n, int k, int width, int ndim)
{
	const int dims[4] = {n, k, width, width}, fan_in = k * (ndim > 2 ? width : 1) * (ndim > 3 ? width : 1);

	add(l, own, published, ".weight", FOLDNET_WEIGHT, fan_in, ndim, dims);
	add(l, own, published, ".bias", FOLDNET_BIAS, fan_in, 1, dims);
}

static void
norm(struct list *l, const char *own, const char *published, int n)
{
	add(l, own, published, ".weight", FOLDNET_GAMMA, 0, 1, &n);
	add(l, own, published, ".bias", FOLDNET_BETA, 0, 1, &n);
}

static void
convolutions(struct list *l, const struct rna_foldnet_config *c)
{
	char own[32], published[48];

	for (int i = 0; i < c->convs; i++) {
		snprintf(own, sizeof(own), "conv.%d", i);
		snprintf(published, sizeof(published), "net.encoder.conv.net.%d.0", i);
		linear(l, own, published, c->filters, i ? c->filters : c->embed + c->inner, c->width[i], 3);
		snprintf(own, sizeof(own), "conv.%d.norm", i);
		snprintf(published, sizeof(published), "net.encoder.conv.net.%d.2", i);
		norm(l, own, published, c->filters);
	}
}

static void
recurrence(struct list *l, const struct rna_foldnet_config *c)
{
	static const char *const ways[] = {"", "_reverse"};
	const int h = c->lstm_units;
	char part[32];

	for (int i = 0; i < c->lstm_layers; i++)
		for (int d = 0; d < 2; d++) {
			const int ih[2] = {4 * h, i ? 2 * h : c->filters}, hh[2] = {4 * h, h};

			snprintf(part, sizeof(part), ".weight_ih_l%d%s", i, ways[d]);
			add(l, "lstm", "net.encoder.lstm", part, FOLDNET_WEIGHT, h, 2, ih);
			snprintf(part, sizeof(part), ".weight_hh_l%d%s", i, ways[d]);
			add(l, "lstm", "net.encoder.lstm", part, FOLDNET_WEIGHT, h, 2, hh);
			snprintf(part, sizeof(part), ".bias_ih_l%d%s", i, ways[d]);
			add(l, "lstm", "net.encoder.lstm", part, FOLDNET_BIAS, h, 1, hh);
			snprintf(part, sizeof(part), ".bias_hh_l%d%s", i, ways[d]);
			add(l, "lstm", "net.encoder.lstm", part, FOLDNET_BIAS, h, 1, hh);
		}
	norm(l, "lstm_norm", "net.encoder.lstm_ln", 2 * h);
}

static void
attention(struct list *l, int h)
{
	const int in[2] = {3 * h, h}, out[2] = {h, h};

	add(l, "attention", "net.encoder.att", ".in_proj_weight", FOLDNET_XAVIER, 4 * h, 2, in);
	add(l, "attention", "net.encoder.att", ".in_proj_bias", FOLDNET_ZERO, 0, 1, in);
	add(l, "attention.out_proj", "net.encoder.att.out_proj", ".weight", FOLDNET_WEIGHT, h, 2, out);
	add(l, "attention.out_proj", "net.encoder.att.out_proj", ".bias", FOLDNET_ZERO, 0, 1, out);
}

static void
pairs(struct list *l, const struct rna_foldnet_config *c)
{
	const int h = 2 * c->lstm_units;
	char own[32], published[48];

	for (int i = 0; i < c->pair_convs; i++) {
		snprintf(own, sizeof(own), "pair.%d", i);
		snprintf(published, sizeof(published), "net.fc_paired.conv.%d.0", i);
		linear(l, own, published, h, h, c->pair_width[i], 4);
		snprintf(own, sizeof(own), "pair.%d.norm", i);
		snprintf(published, sizeof(published), "net.fc_paired.conv.%d.1", i);
		norm(l, own, published, h);
	}
	linear(l, "head.0", "net.fc_paired.fc.0", c->hidden, h, 1, 2);
	norm(l, "head.norm", "net.fc_paired.fc.1", c->hidden);
	linear(l, "head.1", "net.fc_paired.fc.4", 3, c->hidden, 1, 2);
}

struct foldnet_param *
foldnet_table(const struct rna_foldnet_config *c, size_t *n)
{
	const int embedding[2] = {6, c->embed};
	char own[32], published[64];
	struct list l = {calloc(4 * (size_t)(c->convs + c->pair_convs) + 8 * (size_t)c->lstm_layers + 40,
			     sizeof(struct foldnet_param)),
	    0};

	if (!l.p)
		return NULL;
	add(&l, "embedding", "net.embedding.embedding", ".weight", FOLDNET_EMBEDDING, 0, 2, embedding);
	if (c->features) {
		linear(&l, "features.0", "net.features.0", c->inner, c->features, 1, 2);
		linear(&l, "features.1", "net.features.1", c->inner, c->inner, 1, 2);
	}
	convolutions(&l, c);
	recurrence(&l, c);
	attention(&l, 2 * c->lstm_units);
	pairs(&l, c);
	for (int i = 0; i < FOLDNET_LENGTHS; i++) {
		snprintf(own, sizeof(own), "length.%s", foldnet_lengths[i].name);
		snprintf(published, sizeof(published), "fc_length.%s.net.0", foldnet_lengths[i].published);
		linear(&l, own, published, 1, foldnet_lengths[i].entries, 1, 2);
	}
	*n = l.n;
	return l.p;
}
