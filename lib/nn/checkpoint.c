/*
 * checkpoint.c: checkpoints of a training, written so that a kill at any moment leaves a whole one.
 *
 * 1. Folders   2. State   3. Writing   4. Loading
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nn/checkpoint.h"
#include "nn/replace.h"

#define PREFIX "checkpoint-"
#define TEMPORARY ".checkpoint.tmp" /* being written, or being removed */

static const char *const published[] = {"config.json", "vocab.txt", "model.safetensors", NULL};

/* 1. Folders */

static enum rna_status
join(char *dst, size_t n, const char *dir, const char *name, struct rna_err *err)
{
	if (snprintf(dst, n, "%s/%s", dir, name) >= (int)n)
		return rna_fail(err, RNA_EINVAL, "the path of the model directory is too long");
	return RNA_OK;
}

enum rna_status
rna_checkpoint_path(const char *dir, int64_t step, char *dst, size_t n, struct rna_err *err)
{
	char name[64];

	snprintf(name, sizeof(name), PREFIX "%lld", (long long)step);
	return join(dst, n, dir, name, err);
}

/* Step of a folder's name, or -1. */
static int64_t
step_of(const char *name)
{
	const char *digits = name + strlen(PREFIX);
	char *end;
	long long n;

	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || !isdigit((unsigned char)*digits) ||
	    (*digits == '0' && digits[1] != '\0'))
		return -1;
	errno = 0;
	n = strtoll(digits, &end, 10);
	return *end == '\0' && errno == 0 ? n : -1;
}

/* The largest step below `below`, or -1.  A folder that cannot be read is not taken for an empty one. */
static enum rna_status
newest_below(const char *dir, int64_t below, int64_t *newest, struct rna_err *err)
{
	struct dirent *e;
	int64_t step;
	DIR *d;

	*newest = -1;
	if ((d = opendir(dir)) == NULL)
		return errno == ENOENT ? RNA_OK : rna_fail_errno(err, "%s", dir);
	for (errno = 0; (e = readdir(d)) != NULL; errno = 0) {
		if ((step = step_of(e->d_name)) > *newest && step < below)
			*newest = step;
	}
	if (errno != 0) {
		rna_fail_errno(err, "%s", dir);
		closedir(d);
		return RNA_EIO;
	}
	closedir(d);
	return RNA_OK;
}

enum rna_status
rna_checkpoint_newest(const char *dir, int64_t *newest, struct rna_err *err)
{
	return newest_below(dir, INT64_MAX, newest, err);
}

static enum rna_status
sync_dir(const char *dir, struct rna_err *err)
{
	enum rna_status s = RNA_OK;
	int fd;

	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return rna_fail_errno(err, "%s", dir);
	/* a file system that can't sync folders says EINVAL */
	if (fsync(fd) != 0 && errno != EINVAL)
		s = rna_fail_errno(err, "%s", dir);
	close(fd);
	return s;
}

/* Removes the temporary folder, if there is one. */
static enum rna_status
remove_temporary(const char *dir, struct rna_err *err)
{
	char tmp[PATH_MAX], path[PATH_MAX];
	struct dirent *e;
	enum rna_status s;
	DIR *d;

	if ((s = join(tmp, sizeof(tmp), dir, TEMPORARY, err)) != RNA_OK)
		return s;
	if ((d = opendir(tmp)) == NULL)
		return errno == ENOENT ? RNA_OK : rna_fail_errno(err, "%s", tmp);
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if ((s = join(path, sizeof(path), tmp, e->d_name, err)) == RNA_OK && unlink(path) != 0)
			s = rna_fail_errno(err, "%s", path);
		if (s != RNA_OK)
			break;
	}
	closedir(d);
	if (s == RNA_OK && rmdir(tmp) != 0)
		s = rna_fail_errno(err, "%s", tmp);
	return s;
}

/* A folder that is being removed no longer has the name of a checkpoint. */
static enum rna_status
remove_checkpoint(const char *dir, int64_t step, struct rna_err *err)
{
	char path[PATH_MAX], tmp[PATH_MAX];
	enum rna_status s;

	if ((s = rna_checkpoint_path(dir, step, path, sizeof(path), err)) != RNA_OK ||
	    (s = join(tmp, sizeof(tmp), dir, TEMPORARY, err)) != RNA_OK)
		return s;
	if (rename(path, tmp) != 0)
		return rna_fail_errno(err, "%s", path);
	return remove_temporary(dir, err);
}

enum rna_status
rna_checkpoint_clear(const char *dir, struct rna_err *err)
{
	enum rna_status s = remove_temporary(dir, err);
	int64_t step;

	while (s == RNA_OK && (s = rna_checkpoint_newest(dir, &step, err)) == RNA_OK && step >= 0)
		s = remove_checkpoint(dir, step, err);
	return s;
}

/* 2. State */

enum rna_status
rna_checkpoint_put_state(const char *folder, json_t *state, struct rna_err *err)
{
	struct rna_replace file;
	char path[PATH_MAX];
	enum rna_status s;

	if (state == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	if ((s = join(path, sizeof(path), folder, "trainer_state.json", err)) == RNA_OK &&
	    (s = rna_replace_open(&file, path, err)) == RNA_OK) {
		if (json_dumpf(state, file.fp, JSON_INDENT(2)) != 0 || fputc('\n', file.fp) == EOF) {
			s = rna_fail_errno(err, "%s", path);
			rna_replace_abort(&file);
		} else
			s = rna_replace_commit(&file, err);
	}
	json_decref(state);
	return s;
}

static json_t *
state_of(const struct rna_trainer *tr)
{
	const struct rna_train_state *st = &tr->state;
	char hash[24];

	snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)st->hash);
	return json_pack("{s:I s:I s:I s:s s:s s:o}", "step", (json_int_t)st->step, "records", (json_int_t)st->records,
	    "tokens", (json_int_t)st->tokens, "hash", hash, "arithmetic", rk_name(tr->model->rk), "options",
	    rna_trainer_json(tr));
}

/* The first option that differs, or NULL. */
static const char *
differing(json_t *was, json_t *is)
{
	const char *key;
	json_t *value, *other;

	json_object_foreach(is, key, value)
	{
		other = json_object_get(was, key);
		if (!json_equal(value, other) && !(json_is_number(value) && json_is_number(other) &&
						     json_number_value(value) == json_number_value(other)))
			return key;
	}
	return NULL;
}

enum rna_status
rna_checkpoint_compare(json_t *was, json_t *is, struct rna_err *err)
{
	enum rna_status s = RNA_OK;
	char *a, *b;
	const char *key;

	if ((key = differing(was, is)) != NULL) {
		a = json_dumps(json_object_get(was, key), JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
		b = json_dumps(json_object_get(is, key), JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
		s = rna_fail(err, RNA_EINVAL,
		    "the run to continue had %s %s, now it is %s; continue with the same options, "
		    "or begin a new run from this model with -m",
		    key, a != NULL ? a : "none", b != NULL ? b : "none");
		free(a);
		free(b);
	}
	return s;
}

static enum rna_status
same_options(const struct rna_trainer *tr, json_t *was, struct rna_err *err)
{
	json_t *is = rna_trainer_json(tr);
	enum rna_status s;

	s = is != NULL ? rna_checkpoint_compare(was, is, err) : rna_fail(err, RNA_EMEM, "out of memory");
	json_decref(is);
	return s;
}

static enum rna_status
load_state(struct rna_trainer *tr, const char *path, int *moved, struct rna_err *err)
{
	json_int_t step, records, tokens;
	const char *hash, *arithmetic;
	struct rna_train_state st;
	json_t *json, *options;
	enum rna_status s;
	json_error_t je;
	char *end;

	if ((json = json_load_file(path, JSON_REJECT_DUPLICATES, &je)) == NULL)
		return rna_fail(err, RNA_EFORMAT, "%s: not readable as JSON", path);
	if (json_unpack(json, "{s:I s:I s:I s:s s:s s:o}", "step", &step, "records", &records, "tokens", &tokens,
		"hash", &hash, "arithmetic", &arithmetic, "options", &options) != 0 ||
	    step < 0 || records < 0 || tokens < 0 || !json_is_object(options)) {
		json_decref(json);
		return rna_fail(err, RNA_EFORMAT, "%s: not the state of a training", path);
	}
	if ((s = same_options(tr, options, err)) == RNA_OK) {
		st = (struct rna_train_state){step, (uint64_t)records, (uint64_t)tokens, strtoull(hash, &end, 16)};
		*moved = strcmp(arithmetic, rk_name(tr->model->rk)) != 0;
		rna_trainer_resume(tr, &st);
	}
	json_decref(json);
	return s;
}

/* 3. Writing */

/* For file systems without hard links. */
static enum rna_status
copy_file(const char *from, const char *to, struct rna_err *err)
{
	enum rna_status s = RNA_OK;
	char block[65536];
	ssize_t n = 0;
	int in, out;

	if ((in = open(from, O_RDONLY | O_CLOEXEC)) < 0)
		return rna_fail_errno(err, "%s", from);
	if ((out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) < 0) {
		s = rna_fail_errno(err, "%s", to);
		close(in);
		return s;
	}
	while ((n = read(in, block, sizeof(block))) > 0 && write(out, block, (size_t)n) == n)
		continue;
	if (n != 0 || fsync(out) != 0)
		s = rna_fail_errno(err, "%s", to);
	if (close(out) != 0 && s == RNA_OK)
		s = rna_fail_errno(err, "%s", to);
	close(in);
	return s;
}

/* dir/name becomes folder/name in one step. */
static enum rna_status
publish_file(const char *dir, const char *folder, const char *name, struct rna_err *err)
{
	char from[PATH_MAX], tmp[PATH_MAX], to[PATH_MAX], hidden[64];
	enum rna_status s;

	snprintf(hidden, sizeof(hidden), ".%s.tmp", name);
	if ((s = join(from, sizeof(from), folder, name, err)) != RNA_OK ||
	    (s = join(tmp, sizeof(tmp), dir, hidden, err)) != RNA_OK ||
	    (s = join(to, sizeof(to), dir, name, err)) != RNA_OK)
		return s;
	unlink(tmp);
	if (link(from, tmp) != 0 && (s = copy_file(from, tmp, err)) != RNA_OK) {
		unlink(tmp);
		return s;
	}
	/* two names of one file: rename would leave both */
	if (rename(tmp, to) != 0)
		return rna_fail_errno(err, "%s", to);
	unlink(tmp);
	return RNA_OK;
}

enum rna_status
rna_checkpoint_publish(const char *dir, int64_t step, struct rna_err *err)
{
	const char *const *name;
	char folder[PATH_MAX];
	enum rna_status s;

	if ((s = rna_checkpoint_path(dir, step, folder, sizeof(folder), err)) != RNA_OK)
		return s;
	for (name = published; *name != NULL; name++) {
		/* weights last: where they are, the rest is, also after a power cut */
		if (name[1] == NULL && (s = sync_dir(dir, err)) != RNA_OK)
			return s;
		if ((s = publish_file(dir, folder, *name, err)) != RNA_OK)
			return s;
	}
	return sync_dir(dir, err);
}

static enum rna_status
fill(const char *folder, void *arg, struct rna_err *err)
{
	struct rna_trainer *tr = arg;
	char path[PATH_MAX];
	enum rna_status s;

	if ((s = rna_model_save(tr->model, folder, err)) != RNA_OK ||
	    (s = join(path, sizeof(path), folder, "optimizer.safetensors", err)) != RNA_OK ||
	    (s = rna_optimizer_save(&tr->optimizer, path, err)) != RNA_OK)
		return s;
	return rna_checkpoint_put_state(folder, state_of(tr), err);
}

/* Each file is synced by what writes it. */
static enum rna_status
write_folder(const char *tmp, rna_checkpoint_fill *with, void *arg, struct rna_err *err)
{
	enum rna_status s;

	if (mkdir(tmp, 0777) != 0)
		return rna_fail_errno(err, "%s", tmp);
	if ((s = with(tmp, arg, err)) != RNA_OK)
		return s;
	return sync_dir(tmp, err);
}

/* A checkpoint's folder under its name. */
static enum rna_status
put_folder(const char *dir, int64_t step, rna_checkpoint_fill *with, void *arg, struct rna_err *err)
{
	char tmp[PATH_MAX], path[PATH_MAX];
	enum rna_status s;

	if ((s = remove_temporary(dir, err)) != RNA_OK || (s = join(tmp, sizeof(tmp), dir, TEMPORARY, err)) != RNA_OK ||
	    (s = rna_checkpoint_path(dir, step, path, sizeof(path), err)) != RNA_OK)
		return s;
	if ((s = write_folder(tmp, with, arg, err)) != RNA_OK) {
		/* the first failure is the one to report */
		if (remove_temporary(dir, NULL) != RNA_OK)
			return s;
		return s;
	}
	if (rename(tmp, path) != 0)
		return rna_fail_errno(err, "%s", path);
	return sync_dir(dir, err);
}

/* Removes all but the newest `keep`. */
static enum rna_status
prune(const char *dir, int keep, struct rna_err *err)
{
	int64_t step = INT64_MAX;
	enum rna_status s;

	while ((s = newest_below(dir, step, &step, err)) == RNA_OK && step >= 0) {
		if (keep-- > 0)
			continue;
		if ((s = remove_checkpoint(dir, step, err)) != RNA_OK)
			return s;
	}
	return s;
}

enum rna_status
rna_checkpoint_write(const char *dir, struct rna_trainer *tr, int keep, struct rna_err *err)
{
	enum rna_status s;

	if ((s = rna_trainer_check(tr, err)) != RNA_OK ||
	    (s = put_folder(dir, tr->state.step, fill, tr, err)) != RNA_OK ||
	    (s = rna_checkpoint_publish(dir, tr->state.step, err)) != RNA_OK)
		return s;
	return prune(dir, keep, err);
}

enum rna_status
rna_checkpoint_make(const char *dir, int64_t step, rna_checkpoint_fill *with, void *arg, int keep, struct rna_err *err)
{
	enum rna_status s = put_folder(dir, step, with, arg, err);

	return s != RNA_OK ? s : prune(dir, keep, err);
}

/* 4. Loading */

enum rna_status
rna_checkpoint_load(const char *dir, int64_t step, struct rna_trainer *tr, int *moved, struct rna_err *err)
{
	char folder[PATH_MAX], path[PATH_MAX];
	enum rna_status s;

	if ((s = rna_checkpoint_path(dir, step, folder, sizeof(folder), err)) != RNA_OK ||
	    (s = join(path, sizeof(path), folder, "trainer_state.json", err)) != RNA_OK ||
	    (s = load_state(tr, path, moved, err)) != RNA_OK ||
	    (s = join(path, sizeof(path), folder, "optimizer.safetensors", err)) != RNA_OK)
		return s;
	return rna_optimizer_load(&tr->optimizer, path, err);
}
