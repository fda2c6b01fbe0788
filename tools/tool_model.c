/*
 * tool_model.c: the folder of a model: a path, a name in the Hugging Face cache on disk, or the model that comes with
 * rill.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool.h"

/* First line of a small file without its end, or -1. */
static int
first_line(const char *path, char *dst, size_t n)
{
	FILE *fp = fopen(path, "r");
	char *line;

	if (fp == NULL)
		return -1;
	line = fgets(dst, (int)n, fp);
	fclose(fp);
	if (line == NULL)
		return -1;
	dst[strcspn(dst, "\r\n")] = '\0';
	return 0;
}

static void
cache_root(char *dst, size_t n)
{
	const char *hub = getenv("HF_HUB_CACHE"), *hf = getenv("HF_HOME"), *home = getenv("HOME");

	if (hub != NULL && *hub != '\0')
		snprintf(dst, n, "%s", hub);
	else if (hf != NULL && *hf != '\0')
		snprintf(dst, n, "%s/hub", hf);
	else
		snprintf(dst, n, "%s/.cache/huggingface/hub", home != NULL ? home : "");
}

/*
 * The model that comes with rill: beside the installed programs (bin/../share/rill/models/tiny), or in the tree they
 * were built in (build/bin/../../pipelines/models/tiny).
 */
static char *
default_model(const struct tool *t)
{
	static const char *const places[] = {"../share/rill/models/tiny", "../../pipelines/models/tiny"};
	char program[2048], path[4096], *dir;
	struct stat st;
	ssize_t n;
	size_t i;

	if ((n = readlink("/proc/self/exe", program, sizeof(program) - 1)) <= 0)
		n = 0;
	program[n] = '\0';
	if (strrchr(program, '/') != NULL)
		*strrchr(program, '/') = '\0';
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", program, places[i]);
		if (stat(path, &st) != 0)
			continue;
		if ((dir = strdup(path)) == NULL)
			tool_die(t, "out of memory");
		tool_note(t, 1, "no -m: the model that comes with rill");
		return dir;
	}
	tool_usage(t, "-m is missing: the folder of a model, or org/name; the one that comes with rill is not there");
}

/* org/name and nothing else: one slash, none of the characters that make a path. */
static int
is_repository(const char *name)
{
	const char *slash = strchr(name, '/');

	return slash != NULL && slash != name && slash[1] != '\0' && strchr(slash + 1, '/') == NULL && name[0] != '.' &&
	       strstr(name, "..") == NULL;
}

char *
tool_model_path(const struct tool *t, const char *name)
{
	char root[2048], path[4096], commit[128];
	const char *slash;
	struct stat st;
	char *dir = NULL;

	if (name == NULL)
		return default_model(t);
	slash = strchr(name, '/');
	if (stat(name, &st) == 0)
		dir = strdup(name);
	else if (!is_repository(name))
		tool_die(t, "%s: no such model folder", name);
	else {
		cache_root(root, sizeof(root));
		snprintf(
		    path, sizeof(path), "%s/models--%.*s--%s/refs/main", root, (int)(slash - name), name, slash + 1);
		if (first_line(path, commit, sizeof(commit)) != 0 || strchr(commit, '/') != NULL)
			tool_die(t, "%s: neither a folder nor in the Hugging Face cache; get it with: hf download %s",
			    name, name);
		snprintf(path, sizeof(path), "%s/models--%.*s--%s/snapshots/%s", root, (int)(slash - name), name,
		    slash + 1, commit);
		if (stat(path, &st) != 0)
			tool_die(
			    t, "%s: its snapshot is missing from the cache; get it with: hf download %s", name, name);
		dir = strdup(path);
	}
	if (dir == NULL)
		tool_die(t, "out of memory");
	return dir;
}
