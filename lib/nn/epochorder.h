/*
 * epochorder.h: the order in which an epoch visits its examples.
 */
#ifndef RNA_EPOCHORDER_H
#define RNA_EPOCHORDER_H

#include <stddef.h>
#include <stdint.h>
#include "stream/status.h"

/*
 * Sorts order[n] by key(arg, order[i]), equal keys by the index itself, so that the order depends on what the keys
 * depend on (seed, epoch, rid) and not on the order before.  RNA_EMEM leaves it as it was.
 */
enum rna_status rna_epoch_order(size_t *order, size_t n, uint64_t (*key)(const void *arg, size_t index),
    const void *arg, struct rna_err *err) RNA_CHECK;

#endif
