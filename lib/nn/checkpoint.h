/*
 * checkpoint.h: checkpoint-STEP/ in a model directory: a model by itself (config.json, vocab.txt, model.safetensors),
 * plus optimizer.safetensors (Adam's m and v) and trainer_state.json (step, records used and their running hash,
 * options).
 *
 * A checkpoint is made as a temporary folder, synced, and renamed: a folder of that name is whole.  Then the files of
 * the model directory itself become those of the checkpoint, each by link and rename.  So the directory can be loaded
 * at every moment, and a run killed at any moment continues from what is there.
 */
#ifndef RNA_CHECKPOINT_H
#define RNA_CHECKPOINT_H

#include <jansson.h>
#include "nn/trainer.h"

/* Step of the newest checkpoint in dir; -1 when there is none, or no dir. */
enum rna_status rna_checkpoint_newest(const char *dir, int64_t *newest, struct rna_err *err) RNA_CHECK;
/* Folder of a checkpoint into dst (n bytes). */
enum rna_status rna_checkpoint_path(const char *dir, int64_t step, char *dst, size_t n, struct rna_err *err) RNA_CHECK;
/*
 * Writes the checkpoint of tr's step, publishes it, removes all but the newest `keep`.  RNA_EINVAL, and nothing is
 * written: a step that went into the weights was not finite.
 */
enum rna_status rna_checkpoint_write(const char *dir, struct rna_trainer *tr, int keep, struct rna_err *err) RNA_CHECK;
/*
 * For a training of another kind: checkpoint-STEP, whole or not at all, with what fill puts into folder, which syncs
 * its files; then all but the newest `keep` are removed.  The files of dir itself stay as they are.
 */
typedef enum rna_status rna_checkpoint_fill(const char *folder, void *arg, struct rna_err *err);
enum rna_status rna_checkpoint_make(
    const char *dir, int64_t step, rna_checkpoint_fill *fill, void *arg, int keep, struct rna_err *err) RNA_CHECK;
/* Writes trainer_state.json into folder; state is given up.  NULL: no memory. */
enum rna_status rna_checkpoint_put_state(const char *folder, json_t *state, struct rna_err *err) RNA_CHECK;
/* RNA_EINVAL: an option of `is` has another value in `was`. */
enum rna_status rna_checkpoint_compare(json_t *was, json_t *is, struct rna_err *err) RNA_CHECK;
/* Makes the files of dir those of the checkpoint. */
enum rna_status rna_checkpoint_publish(const char *dir, int64_t step, struct rna_err *err) RNA_CHECK;
/*
 * Continues a trainer, whose model was opened from the checkpoint's folder: m, v, step, records to pass over.
 * RNA_EINVAL when an option differs that the result depends on.  *moved = 1: it was written with other arithmetic
 * (another CPU level or device), so the run goes on but not to the same bits.
 */
enum rna_status
rna_checkpoint_load(const char *dir, int64_t step, struct rna_trainer *tr, int *moved, struct rna_err *err) RNA_CHECK;
/* Removes every checkpoint of dir, and what killed runs left of unfinished ones. */
enum rna_status rna_checkpoint_clear(const char *dir, struct rna_err *err) RNA_CHECK;

#endif
