/*
 * configfile.h: config.json of a model's folder, and the id that ties it to the weights.
 *
 * The files of a model are replaced one after the other, and a power cut between them must not join those of two
 * models: both keep the same id, as rill.id.
 */
#ifndef RNA_CONFIGFILE_H
#define RNA_CONFIGFILE_H

#include <jansson.h>
#include "stream/status.h"

#define RNA_CONFIG_ID 17

/* The JSON object in path (keys once, 16 MiB at most), which the caller lets go of.  NULL and err on failure. */
json_t *rna_configfile_load(const char *path, struct rna_err *err);
/* A number with the fewest digits that give the float back: 0.1, not 0.10000000149.  NULL: no memory. */
json_t *rna_configfile_real(float x);
/* Sets rill.id of o, an object: 16 hexadecimal digits, of all that it says but the id. */
enum rna_status rna_configfile_mark(json_t *o, char id[RNA_CONFIG_ID], struct rna_err *err) RNA_CHECK;
/* Takes the place of path, durably. */
enum rna_status rna_configfile_save(const json_t *o, const char *path, struct rna_err *err) RNA_CHECK;
/* RNA_EFORMAT: the weights' metadata have another id than o.  Where one has none (other programs'), nothing is said. */
enum rna_status rna_configfile_compare(const json_t *o, const json_t *metadata, struct rna_err *err) RNA_CHECK;

#endif
