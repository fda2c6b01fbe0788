/*
 * schedule.c: learning-rate schedules as functions of the step alone, so that a resumed run needs no state for them.
 */
#include <math.h>

#include "nn/schedule.h"

#define WARMUP_SHARE 0.05 /* of the steps */
#define DECAY_SHARE  0.05 /* last part of RNA_SCHEDULE_PAPER */

int64_t
rna_schedule_warmup(int64_t total)
{
	return llround(WARMUP_SHARE * (double)total);
}

/* 1 at step `from`, 0 at the last step and past it. */
static double
left(const struct rna_schedule *s, int64_t from, int64_t step)
{
	if (step >= s->total)
		return 0;
	if (step <= from)
		return 1;
	return 1 - (double)(step - from) / (double)(s->total - from);
}

double
rna_schedule_lr(const struct rna_schedule *s, int64_t step)
{
	double range = s->lr - s->min_lr;
	int64_t from;

	if (step < s->warmup)
		return s->lr * (double)step / (double)s->warmup;
	switch (s->kind) {
	case RNA_SCHEDULE_PAPER:
		from = s->total - llround(DECAY_SHARE * (double)s->total);
		if (from < s->warmup)
			from = s->warmup;
		return from < s->total ? s->min_lr + range * left(s, from, step) : s->lr;
	case RNA_SCHEDULE_LINEAR:
		return s->min_lr + range * left(s, s->warmup, step);
	case RNA_SCHEDULE_COSINE:
		return s->min_lr + range * (1 - cos(M_PI * left(s, s->warmup, step))) / 2;
	case RNA_SCHEDULE_CONSTANT:
		break;
	}
	return s->lr;
}
