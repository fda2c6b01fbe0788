/*
 * mfe_device.h: the structures of least energy of many RNAs at once, on a device that folds (kernels/rk_fold.h).
 * Energies and structures are those of rna_mfe_fold, to the bit.
 */
#ifndef RNA_MFE_DEVICE_H
#define RNA_MFE_DEVICE_H

#include <stddef.h>
#include <stdint.h>
#include "fold/energy.h"
#include "rk.h"
#include "stream/status.h"

struct rna_mfe_device;

/*
 * rk is the caller's and outlives it; of e a copy is taken.  max_span as in struct rna_fold_options.  NULL: err says
 * why; RNA_EDEVICE when the device does not fold.
 */
struct rna_mfe_device *
rna_mfe_device_create(struct rk *rk, const struct rna_energy *e, int max_span, struct rna_err *err);
void rna_mfe_device_destroy(struct rna_mfe_device *d);
size_t rna_mfe_device_longest(const struct rna_mfe_device *d); /* nt that it takes */

/* A batch: RNAs are added, folded together, and asked for by their numbers 0, 1, ... until the next reset. */
void rna_mfe_device_reset(struct rna_mfe_device *d);
enum rna_status
rna_mfe_device_add(struct rna_mfe_device *d, const char *letters, size_t n, struct rna_err *err) RNA_CHECK;
enum rna_status rna_mfe_device_fold(struct rna_mfe_device *d, struct rna_err *err) RNA_CHECK;
/* Partners (0-based within the RNA, or -1) of its n bases; *energy in dcal/mol.  Owned by d. */
const int16_t *rna_mfe_device_answer(const struct rna_mfe_device *d, size_t i, int *energy);

#endif
