/*
 * vote.h: what several records say of one RNA, as one record.
 *
 * Members are the K replicates of a chunk under different types, the chunks of an RNA, or what several models say.
 * With weights w_k (sigma, bases, 1) divided by their sum:
 *
 *	soft		logits = sum w_k q_k			(rule SOFT)
 *	mean		the same with equal weights		(rule MEAN)
 *	max		the largest q_k of each class		(rule MAX)
 *	geometric	logits = sum w_k log p_k		(rule GEOMETRIC)
 *
 * and prob = softmax(logits).  Members with `prob` alone: weighted, plain or geometric mean or largest, divided by the
 * sum.  `cls`, `mean`, `pooled`, `hidden`, `scores`, `lengths` are averaged, with equal weights under MEAN.
 */
#ifndef RNA_VOTE_H
#define RNA_VOTE_H

#include <jansson.h>
#include "stream/record.h"

enum rna_vote_rule { RNA_VOTE_SOFT, RNA_VOTE_MEAN, RNA_VOTE_MAX, RNA_VOTE_GEOMETRIC };

#define RNA_VOTE_FIELDS 8

struct rna_vote {
	enum rna_vote_rule rule;
	struct rna_record out; /* first member, and after rna_vote_end the answer */
	double *sum[RNA_VOTE_FIELDS];
	size_t cap[RNA_VOTE_FIELDS];
	int have[RNA_VOTE_FIELDS]; /* the field is in the members */
	double weight;             /* sum of the weights */
	size_t members;
};

void rna_vote_init(struct rna_vote *v, enum rna_vote_rule rule);
void rna_vote_fini(struct rna_vote *v);
/* Adds a member.  RNA_EFORMAT: it has other fields or shapes than the first, or nothing to vote on. */
enum rna_status
rna_vote_add(struct rna_vote *v, const struct rna_record *rec, double weight, struct rna_err *err) RNA_CHECK;
/*
 * v->out becomes the answer: the first member with the voted fields, and `call` where the names of the classes are
 * given (an array of strings) and logits or prob are of that many classes; else `call` is removed.  The next add begins
 * anew.
 */
enum rna_status rna_vote_end(struct rna_vote *v, const json_t *classes, struct rna_err *err) RNA_CHECK;

#endif
