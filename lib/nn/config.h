/*
 * config.h: config.json of a model directory (Hugging Face layout; formats/model.md).
 */
#ifndef RNA_CONFIG_H
#define RNA_CONFIG_H

#include <jansson.h>
#include "nn/configfile.h"
#include "rk.h"
#include "seq/frame.h"
#include "stream/status.h"

/*
 * What a class head reads: tanh of a linear map of [CLS], as BertForSequenceClassification, or [CLS] itself, or the
 * mean over the bases, plain or weighted by attention, or what a net over all tokens of a pair says (interact.h).
 */
enum rna_class_from { RNA_CLASS_POOLED, RNA_CLASS_CLS, RNA_CLASS_MEAN, RNA_CLASS_ATTENTION, RNA_CLASS_INTERACTION };
/* What the LSTM of that net takes for time. */
enum rna_class_axis { RNA_AXIS_POSITIONS, RNA_AXIS_CHANNELS };
/* How the chunks of an RNA become one answer: mean of their logits by bases, attention over their vectors, an MLP
 * behind the mean of the logits. */
enum rna_class_chunks { RNA_CHUNKS_MEAN, RNA_CHUNKS_ATTENTION, RNA_CHUNKS_MLP };
/* Where the type replicates of STACK come from: none are made; a model of its own in the folder types/; the model. */
enum rna_class_typer { RNA_TYPER_NONE, RNA_TYPER_FROZEN, RNA_TYPER_SHARED };

#define RNA_CLASSES_MAX 4096

struct rna_config {
	int vocab_size, hidden, layers, heads, ffn, positions, segments;
	enum rk_act act; /* hidden_act */
	float eps;       /* layer_norm_eps */
	float hidden_dropout, attention_dropout;
	float init_range;    /* initializer_range */
	int init_local;      /* 1: a new model starts as init_local.h says; not kept in config.json */
	enum rk_act mlm_act; /* of the MLM head, and its epsilon: as act and eps but in odd exports */
	float mlm_eps;
	int pooler, mlm; /* whether the model has those parts */
	int untied;      /* the MLM head has a decoder matrix of its own */
	int type_head;   /* 1: a linear map from [CLS] to the type tokens (the type loss of rna-train) */
	/* the class head (class_labels.c): names of the classes in order, an array of strings; NULL: no head */
	json_t *labels;
	int class_from; /* enum rna_class_from */
	int class_mlp;  /* 1: a hidden layer between */
	int class_chunks; /* enum rna_class_chunks */
	int class_typer;  /* enum rna_class_typer; when there is one: */
	int class_types;  /* K, and the probability below which a type is left out */
	double class_floor;
	int pairs;      /* 1: it was trained on pairs of sequences */
	int class_axis; /* of the interaction head: enum rna_class_axis; */
	int class_lm;   /* 1: it reads the language model beside the tokens; */
	float class_dropout;
	/* rill's own keys, under "rill"; an imported model: plain frame, max = positions limited by its file */
	enum rna_frame frame;
	int max;      /* tokens that the model takes, specials included */
	json_t *json; /* the whole object as read; unknown keys are written back */
};

/* name: tiny, small or base. */
enum rna_status rna_config_preset(struct rna_config *c, const char *name, struct rna_err *err) RNA_CHECK;
enum rna_status rna_config_load(struct rna_config *c, const char *path, struct rna_err *err) RNA_CHECK;
enum rna_status rna_config_save(const struct rna_config *c, const char *path, struct rna_err *err) RNA_CHECK;
/* The id that rna_configfile_mark gives what config.json would say. */
enum rna_status rna_config_id(const struct rna_config *c, char id[RNA_CONFIG_ID], struct rna_err *err) RNA_CHECK;
/* Ranges; heads divide hidden. */
enum rna_status rna_config_check(const struct rna_config *c, struct rna_err *err) RNA_CHECK;
enum rna_status rna_config_copy(struct rna_config *dst, const struct rna_config *src) RNA_CHECK;
void rna_config_fini(struct rna_config *c);

/* Number of classes; 0: no class head. */
int rna_config_classes(const struct rna_config *c);
/* Reads the head's keys of c->json into labels and class_*; without a class head labels is NULL. */
enum rna_status rna_config_read_labels(struct rna_config *c, struct rna_err *err) RNA_CHECK;
/* Puts the head's keys into o; 1 on failure. */
int rna_config_put_labels(json_t *o, const struct rna_config *c);

#endif
