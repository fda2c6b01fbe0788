/*
 * predict_answer.c: from logits to probabilities, the name of the class and the runners-up.
 */
#include <math.h>
#include <string.h>

#include "predict.h"

/* prob = softmax of logits; the index of the largest. */
static size_t
softmax(const float *z, float *p, size_t n)
{
	double sum = 0;
	size_t i, best = 0;

	for (i = 1; i < n; i++)
		best = z[i] > z[best] ? i : best;
	for (i = 0; i < n; i++)
		sum += exp((double)z[i] - (double)z[best]);
	for (i = 0; i < n; i++)
		p[i] = (float)(exp((double)z[i] - (double)z[best]) / sum);
	return best;
}

/* top, top_p: the classes by falling probability, the earlier of equal ones first. */
static enum rna_status
add_top(struct rna_record *rec, const float *p, size_t n, size_t top, struct rna_err *err)
{
	int32_t class[RNA_CLASSES_MAX];
	float share[RNA_CLASSES_MAX] = {0};
	size_t i, k, have = 0;

	for (i = 0; i < n; i++) {
		for (k = have < top ? have++ : top; k > 0 && p[i] > share[k - 1]; k--) {
			if (k < top) {
				class[k] = class[k - 1];
				share[k] = share[k - 1];
			}
		}
		if (k < top) {
			class[k] = (int32_t)i;
			share[k] = p[i];
		}
	}
	if (rna_record_set_vec(rec, "top", RNA_I32, class, top) != RNA_OK ||
	    rna_record_set_vec(rec, "top_p", RNA_F32, share, top) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	return RNA_OK;
}

enum rna_status
predict_answer(struct rna_record *rec, const float *logits, const json_t *classes, size_t top, struct rna_err *err)
{
	size_t n = json_array_size(classes), best;
	float p[RNA_CLASSES_MAX];
	const char *name;

	best = softmax(logits, p, n);
	name = json_string_value(json_array_get(classes, best));
	if (rna_record_set_vec(rec, "logits", RNA_F32, logits, n) != RNA_OK ||
	    rna_record_set_vec(rec, "prob", RNA_F32, p, n) != RNA_OK ||
	    rna_record_set_str(rec, "call", name, strlen(name)) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	return top > 0 ? add_top(rec, p, n, top < n ? top : n, err) : RNA_OK;
}
