/*
 * names.h: what the tensors of a model file are called: stock BERT, multimolecule (two prefixes), and exports without a
 * prefix.  Inside rill everything is told by the stock BERT name (formats/model.md has the table).
 */
#ifndef RNA_NAMES_H
#define RNA_NAMES_H

#include <stddef.h>
#include "nn/safetensors.h"
#include "stream/status.h"

enum rna_naming {
	RNA_NAMES_BERT,          /* bert.encoder.layer.0.output.LayerNorm.weight, cls.predictions.* */
	RNA_NAMES_MULTIMOLECULE, /* model.encoder.layer.0.output.layer_norm.weight, lm_head.* */
	RNA_NAMES_RNAERNIE,      /* as multimolecule, with the prefix it had before: rnaernie. */
	RNA_NAMES_PLAIN,         /* stock names without "bert." */
	RNA_NAMES_PLAIN_MULTIMOLECULE
};

#define RNA_NAMES_SIZE 160 /* bytes of a name that is known, NUL included */

/* Which names a file has; a file with names of two kinds is an error that tells two of them. */
enum rna_status
rna_names_detect(const struct rna_safetensors *s, enum rna_naming *naming, struct rna_err *err) RNA_CHECK;
/* The stock BERT name of a tensor, or NULL when rill has no use for it (heads of other tasks, buffers). */
const char *rna_names_stock(enum rna_naming naming, const char *key, char dst[RNA_NAMES_SIZE]);
/* The other way: what a stock BERT name is called in naming.  Names that are not of the backbone or MLM head stay. */
const char *rna_names_file(enum rna_naming naming, const char *stock, char dst[RNA_NAMES_SIZE]);

#endif
