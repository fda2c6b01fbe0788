/*
 * classmetrics.h: how good classifications are.  Definitions are scikit-learn's.
 */
#ifndef RNA_CLASSMETRICS_H
#define RNA_CLASSMETRICS_H

#include "stat/classset.h"

/*
 * Over all classes.  Precision, recall and F1 are over the classes that occur as label or call, a division by 0 counts
 * as 0; balanced accuracy over those that occur as label.  AUC and AUPRC (average precision) are those of each class
 * against the rest, over the classes that have records on both sides; of two classes, those of the second alone.  Ties
 * count half in AUC and are one threshold in AUPRC.  Brier: mean of sum (p - y)^2 over the classes; of two classes,
 * over the second.  ECE: bins of equal width of the largest probability, (lo, hi]; sum of |accuracy - mean probability|
 * weighted by the share of records.
 */
enum rna_class_metric {
	RNA_CLASS_ACCURACY,
	RNA_CLASS_BALANCED_ACCURACY,
	RNA_CLASS_MACRO_PRECISION,
	RNA_CLASS_MACRO_RECALL,
	RNA_CLASS_MACRO_F1,
	RNA_CLASS_WEIGHTED_PRECISION,
	RNA_CLASS_WEIGHTED_RECALL,
	RNA_CLASS_WEIGHTED_F1,
	RNA_CLASS_MCC,
	RNA_CLASS_AUC_MACRO,
	RNA_CLASS_AUC_WEIGHTED,
	RNA_CLASS_AUPRC_MACRO,
	RNA_CLASS_AUPRC_WEIGHTED,
	RNA_CLASS_BRIER,
	RNA_CLASS_ECE,
	RNA_CLASS_NMETRICS
};

/* Of one class against the rest. */
enum rna_class_part {
	RNA_CLASS_PRECISION,
	RNA_CLASS_RECALL,
	RNA_CLASS_F1,
	RNA_CLASS_AUC,
	RNA_CLASS_AUPRC,
	RNA_CLASS_NPARTS
};

struct rna_classmetrics {
	const struct rna_classset *set;
	int bins;
	uint32_t *order;   /* [nclasses][n]: records by falling probability of the class */
	double *confusion; /* [nclasses][nclasses]: truth, call; of the last measure */
	double *bin;       /* [bins][3]: records, hits, sum of probabilities */
};

extern const char *const rna_class_metric_name[RNA_CLASS_NMETRICS];
extern const char *const rna_class_part_name[RNA_CLASS_NPARTS];

/* set has been finished and must outlive m.  RNA_EMEM. */
enum rna_status rna_classmetrics_init(struct rna_classmetrics *m, const struct rna_classset *set, int bins) RNA_CHECK;
void rna_classmetrics_fini(struct rna_classmetrics *m);
/* Number of values: the metrics, then the parts of each class. */
size_t rna_classmetrics_count(const struct rna_classmetrics *m);
/*
 * All values with record i taken w[i] times (a measure of rna_resample; arg is the struct).  NaN: not defined, or it
 * needs probabilities that the set does not have.
 */
void rna_classmetrics_measure(const double *w, void *arg, double *values);

#endif
