/*
 * view_rename.c: rna-view -O safetensors --names multimolecule: the weights of a model folder under the names that
 * multimolecule gives them.  Values, types and tensors that are not the backbone's stay as they are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nn/names.h"
#include "nn/safetensors.h"
#include "seq/spool.h"
#include "view_private.h"

/* The tensors of s under their new names, which are kept in names. */
static enum rna_status
rename_all(
    const struct rna_safetensors *s, struct rna_tensor_out *out, char (*names)[RNA_NAMES_SIZE], struct rna_err *err)
{
	char stock[RNA_NAMES_SIZE];
	enum rna_naming naming;
	enum rna_status st = rna_names_detect(s, &naming, err);
	const char *name;
	size_t i;

	for (i = 0; i < s->n && st == RNA_OK; i++) {
		const struct rna_tensor *t = &s->list[i];

		name = rna_names_stock(naming, t->name, stock);
		out[i].name = t->name;
		if (name != NULL && strcmp(name, "?") != 0)
			out[i].name = rna_names_file(RNA_NAMES_MULTIMOLECULE, name, names[i]);
		out[i].dtype = t->dtype;
		out[i].ndim = t->ndim;
		memcpy(out[i].dims, t->dims, sizeof(out[i].dims));
		out[i].data = t->data;
	}
	return st;
}

/* The library writes safetensors by rename; on the way to fp they pass through a temporary folder. */
static void
write_to(struct view *v, const struct rna_tensor_out *out, size_t n, const json_t *metadata, FILE *fp)
{
	const char *tmp = getenv("TMPDIR");
	struct rna_err err = {.record = RNA_NOREC};
	char dir[2048], path[2112];
	enum rna_status st;
	FILE *in = NULL;

	snprintf(dir, sizeof(dir), "%s/rill-XXXXXX", tmp != NULL && *tmp != '\0' ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL)
		tool_die(v->t, "can't create a temporary folder %s: %s", dir, strerror(errno));
	snprintf(path, sizeof(path), "%s/model.safetensors", dir);
	st = rna_safetensors_write(path, out, n, metadata, NULL, NULL, &err);
	if (st == RNA_OK && (in = fopen(path, "r")) == NULL)
		st = rna_fail_errno(&err, "%s", path);
	unlink(path);
	rmdir(dir);
	if (st == RNA_OK)
		st = rna_spool_copy(in, fp, &err);
	if (in != NULL)
		fclose(in);
	if (st != RNA_OK)
		tool_die_err(v->t, &err);
}

static enum rna_status
open_weights(struct rna_safetensors *s, const char *path, struct rna_err *err)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? rna_safetensors_open_dir(s, path, err)
	                                                   : rna_safetensors_open(s, path, err);
}

int
view_rename(struct view *v)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_safetensors s = {.n = 0};
	struct rna_tensor_out *out;
	char(*names)[RNA_NAMES_SIZE], *path;
	FILE *fp;

	if (v->t->nfiles != 1 || strcmp(v->t->files[0], "-") == 0)
		tool_usage(v->t, "--names: needs one model folder, or one model.safetensors");
	view_refuse_terminal(v);
	path = tool_model_path(v->t, v->t->files[0]);
	if (open_weights(&s, path, &err) != RNA_OK)
		tool_die_err(v->t, &err);
	out = calloc(s.n + 1, sizeof(*out));
	names = calloc(s.n + 1, sizeof(*names));
	if (out == NULL || names == NULL)
		tool_die(v->t, "out of memory");
	if (rename_all(&s, out, names, &err) != RNA_OK)
		tool_die(v->t, "%s: %s", path, err.text);
	fp = tool_text_open(v->t);
	write_to(v, out, s.n, s.metadata, fp);
	tool_text_close(v->t);
	rna_safetensors_close(&s);
	free(out);
	free(names);
	free(path);
	return TOOL_DONE;
}
