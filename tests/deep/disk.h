/*
 * disk.h: what a disk may hold while a program changes a folder: files with the bytes that were synced, names that were
 * synced with their folder, and the changes of names since.  The private half of powerloss.c.
 */
#ifndef RNA_DISK_H
#define RNA_DISK_H

#include "child.h"
#include <dirent.h>
#include <limits.h>
#include "stream/rng.h"

#define NAMES 256
#define FILES 256
#define OPS   64
#define STATES 65536

enum { IS_DIR = -1, GONE = -2 };
enum how { SYNCED, WRITTEN, HALF, ZEROS, NHOW };

/* A file whatever its name: what is surely on the disk. */
struct inode {
	ino_t ino;
	char path[PATH_MAX]; /* where its bytes are now */
	struct child_text synced;
	uint64_t digest[NHOW]; /* of its bytes in a state, as reckon left them */
};

struct name {
	char path[256]; /* within FOLDER */
	int file;       /* number of its inode, IS_DIR or GONE */
};

/* A change of names that its folder was not synced after. */
struct op {
	char gone[256], made[256]; /* "": none */
	int file;                  /* what made becomes */
};

static struct inode files[FILES];
static int nfiles;
static struct name synced[NAMES]; /* names surely on the disk */
static int nsynced;
static struct op ops[OPS];
static int nops;

static char folder[PATH_MAX], scratch[PATH_MAX];
static const char *checker;
static uint64_t *seen;
static size_t nseen;
static unsigned long cases, failures, most;

static int
same_ino(const char *path)
{
	struct stat st;
	int i;

	if (stat(path, &st) != 0)
		return GONE;
	if (S_ISDIR(st.st_mode))
		return IS_DIR;
	for (i = 0; i < nfiles; i++)
		if (files[i].ino == st.st_ino)
			break;
	if (i == FILES)
		errx(2, "too many files");
	if (i == nfiles) {
		nfiles++;
		files[i].ino = st.st_ino;
		files[i].synced = (struct child_text){calloc(1, 1), 0, 1};
	}
	snprintf(files[i].path, sizeof(files[i].path), "%s", path);
	return i;
}

/* The part of path within FOLDER; NULL: outside. */
static const char *
within(const char *path)
{
	size_t n = strlen(folder);

	if (strncmp(path, folder, n) != 0 || (path[n] != '/' && path[n] != '\0'))
		return NULL;
	return path[n] == '/' ? path + n + 1 : path + n;
}

static void
set_name(struct name *list, int *n, const char *path, int file)
{
	int i;

	for (i = 0; i < *n && strcmp(list[i].path, path) != 0; i++)
		;
	if (i == NAMES)
		errx(2, "too many names");
	if (i == *n)
		snprintf(list[(*n)++].path, sizeof(list->path), "%s", path);
	list[i].file = file;
}

static void
apply(struct name *list, int *n, const struct op *o)
{
	if (o->gone[0] != '\0')
		set_name(list, n, o->gone, GONE);
	if (o->made[0] != '\0')
		set_name(list, n, o->made, o->file);
}

/* All that is in FOLDER at the start is on the disk. */
static void
scan(const char *path)
{
	DIR *d = opendir(path);
	char sub[PATH_MAX];
	struct dirent *e;
	int f;

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name) >= (int)sizeof(sub))
			errx(2, "path too long");
		f = same_ino(sub);
		set_name(synced, &nsynced, within(sub), f);
		if (f >= 0)
			child_file(sub, &files[f].synced);
		else
			scan(sub);
	}
	if (d != NULL)
		closedir(d);
}

static void
put(const char *path, const char *data, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	if (fd < 0 || (n > 0 && write(fd, data, n) != (ssize_t)n))
		err(2, "%s", path);
	close(fd);
}

/* The bytes that a file has now; none when its path leads to another by now, and then they are synced. */
static void
read_now(int f, struct child_text *now)
{
	struct stat st;

	now->n = (size_t)-1;
	if (files[f].ino != 0 && stat(files[f].path, &st) == 0 && st.st_ino == files[f].ino)
		child_file(files[f].path, now);
}

/* The bytes of a file in a state; those it has now are in now. */
static void
content(int f, enum how how, struct child_text *now, const char **data, size_t *n)
{
	read_now(f, now);
	if (now->n == (size_t)-1 || how == SYNCED || child_same(now, &files[f].synced)) {
		*data = files[f].synced.data;
		*n = files[f].synced.n;
		return;
	}
	*data = now->data;
	*n = how == HALF ? now->n / 2 : now->n;
	if (how == ZEROS)
		memset(now->data, 0, now->n);
}

/* Digests of what each file may hold now; 1 when some bytes are not synced. */
static int
reckon(void)
{
	static struct child_text now;
	const char *data;
	int f, how, dirty = 0;
	size_t n;

	for (f = 0; f < nfiles; f++) {
		read_now(f, &now);
		if (now.n != (size_t)-1 && !child_same(&now, &files[f].synced))
			dirty = 1;
		for (how = 0; how < NHOW; how++) {
			if (how > 0 && (now.n == (size_t)-1 || child_same(&now, &files[f].synced))) {
				files[f].digest[how] = files[f].digest[SYNCED];
				continue;
			}
			content(f, (enum how)how, &now, &data, &n);
			files[f].digest[how] = rna_hash(data, n, 0);
		}
	}
	return dirty;
}

static uint64_t
hash_state(const struct name *list, int n, enum how how)
{
	uint64_t h = 0, digest;
	int i;

	for (i = 0; i < n; i++) {
		if (list[i].file == GONE)
			continue;
		digest = list[i].file >= 0 ? files[list[i].file].digest[how] : 1;
		/* a sum: the order of names says nothing */
		h += rna_hash(list[i].path, strlen(list[i].path), digest);
	}
	return h;
}

static void
lay_out(const struct name *list, int n, enum how how)
{
	static struct child_text now;
	char path[PATH_MAX], *slash;
	const char *data;
	size_t len;
	int i;

	if (mkdir(scratch, 0777) != 0)
		err(2, "%s", scratch);
	for (i = 0; i < n; i++) /* folders within folders have not been seen */
		if (list[i].file == IS_DIR &&
		    snprintf(path, sizeof(path), "%s/%s", scratch, list[i].path) < PATH_MAX)
			mkdir(path, 0777);
	for (i = 0; i < n; i++) {
		if (list[i].file < 0 || snprintf(path, sizeof(path), "%s/%s", scratch, list[i].path) >= PATH_MAX)
			continue;
		/* a file in a folder that is not there is not there */
		slash = strrchr(path, '/');
		*slash = '\0';
		if (access(path, F_OK) != 0)
			continue;
		*slash = '/';
		content(list[i].file, how, &now, &data, &len);
		put(path, data, len);
	}
}

static void
check_state(const struct name *list, int n, enum how how, const char *when)
{
	char command[2 * PATH_MAX + 64];
	uint64_t h = hash_state(list, n, how);
	size_t i;

	for (i = 0; i < nseen; i++)
		if (seen[i] == h)
			return;
	if (nseen == STATES)
		errx(2, "too many states");
	seen[nseen++] = h;
	if (most > 0 && cases >= most)
		return;
	cases++;
	lay_out(list, n, how);
	snprintf(command, sizeof(command), "%s %s", checker, scratch);
	if (system(command) != 0) {
		failures++;
		printf("before %s: bytes %d, names", when, (int)how);
		for (i = 0; i < (size_t)n; i++)
			if (list[i].file != GONE)
				printf(" %s", list[i].path);
		printf("\n");
		fflush(stdout);
	}
	snprintf(command, sizeof(command), "rm -rf %s", scratch);
	if (system(command) != 0)
		errx(2, "%s", command);
}

/* All states that the disk may be in now. */
static void
check_all(const char *when)
{
	struct name list[NAMES];
	unsigned long mask, all = 1ul << (nops < 7 ? nops : 7), high;
	int i, n, how, old = nops > 7 ? nops - 7 : 0, last = reckon() ? NHOW : SYNCED + 1;

	for (mask = 0; mask < all; mask++) {
		/* of more than seven changes the older ones go together */
		for (high = 0; high < (old > 0 ? 2 : 1); high++) {
			memcpy(list, synced, sizeof(list));
			n = nsynced;
			for (i = 0; i < nops; i++)
				if (i < old ? high : mask >> (i - old) & 1)
					apply(list, &n, &ops[i]);
			for (how = 0; how < last; how++)
				check_state(list, n, (enum how)how, when);
		}
	}
}

static void
add_op(const char *gone, const char *made, int file)
{
	if (nops == OPS)
		errx(2, "too many changes without a sync");
	ops[nops] = (struct op){"", "", file};
	if (gone != NULL)
		snprintf(ops[nops].gone, sizeof(ops[nops].gone), "%s", gone);
	if (made != NULL)
		snprintf(ops[nops].made, sizeof(ops[nops].made), "%s", made);
	nops++;
}

static int
in_folder(const char *path, const char *dir)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash != NULL ? (size_t)(slash - path) : 0;

	return path[0] != '\0' && strlen(dir) == n && strncmp(path, dir, n) == 0;
}

/* A folder was synced: changes of its names are on the disk. */
static void
sync_names(const char *dir)
{
	int i, k = 0;

	for (i = 0; i < nops; i++) {
		if (in_folder(ops[i].gone, dir) || in_folder(ops[i].made, dir))
			apply(synced, &nsynced, &ops[i]);
		else
			ops[k++] = ops[i];
	}
	nops = k;
}

/* The path that a call names, from the root of all. */
static const char *
named(pid_t pid, int dirfd, unsigned long long at, char *dst, size_t size)
{
	char text[PATH_MAX], base[PATH_MAX] = "";

	trace_string(pid, at, text, sizeof(text));
	if (text[0] != '/') {
		if (dirfd != AT_FDCWD)
			trace_fd_path(pid, dirfd, base, sizeof(base));
		else if (getcwd(base, sizeof(base)) == NULL)
			err(2, "getcwd");
	}
	if (snprintf(dst, size, "%s%s%s", base, base[0] != '\0' ? "/" : "", text) >= (int)size)
		errx(2, "path too long");
	return within(dst);
}

#endif
