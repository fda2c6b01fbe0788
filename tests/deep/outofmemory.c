/*
 * outofmemory.c: lets each allocation of a program fail in turn, once and for ever.
 *
 *	outofmemory [-e EVERY] [-o FILE] PRELOAD PROGRAM ARGUMENTS...
 *
 * PRELOAD is preload.so.  FILE is the program's -o, removed before each run.  A run passes when it ends with 1, one
 * line and no FILE or FILE.part, or with 0 and the output of an undisturbed run.
 */
#include "child.h"
#include "preload.h"

static struct fail_page *page;
static struct child run;
static struct child_text good, good_file, file;
static const char *output;
static char part[4096];
static unsigned long cases, failures;

static void
start(char *const *argv, unsigned long at, int forever)
{
	*page = (struct fail_page){at, 0, forever};
	if (output != NULL) {
		unlink(output);
		unlink(part);
	}
	child_run(&run, argv);
}

/* 1: as promised. */
static int
passes(void)
{
	if (output != NULL)
		child_file(output, &file);
	if (child_exit(&run) == 0)
		return child_same(&run.stdout_text, &good) && (output == NULL || child_same(&file, &good_file));
	/* OpenMP's own memory: its library ends the process, which leaves what a signal does */
	if (child_exit(&run) == 1 && strstr(run.stderr_text.data, "libgomp: Out of memory") != NULL)
		return output == NULL || file.n == (size_t)-1;
	return child_exit(&run) == 1 && child_one_line(&run) &&
	    (output == NULL || (file.n == (size_t)-1 && access(part, F_OK) != 0));
}

int
main(int argc, char **argv)
{
	unsigned long every = 1, k;
	char name[64];
	int c, fd, forever;

	while ((c = getopt(argc, argv, "+e:o:")) != -1) {
		if (c == 'e')
			every = strtoul(optarg, NULL, 10);
		else if (c == 'o')
			output = optarg;
		else
			return 2;
	}
	if (argc - optind < 2 || every == 0)
		errx(2, "usage: outofmemory [-e EVERY] [-o FILE] PRELOAD PROGRAM ARGUMENTS...");
	snprintf(part, sizeof(part), "%s.part", output != NULL ? output : "");
	snprintf(name, sizeof(name), "%s/fail.XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if ((fd = mkostemp(name, O_CLOEXEC)) < 0 || ftruncate(fd, sizeof(*page)) != 0 ||
	    (page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) == MAP_FAILED)
		err(2, "%s", name);
	child_init(&run);
	setenv("RILL_FAIL", name, 1);
	setenv("LD_PRELOAD", argv[optind], 1);
	argv += optind + 1;
	start(argv, ~0ul, 0);
	if (child_exit(&run) != 0)
		errx(2, "undisturbed: %s, %s", child_end(&run), run.stderr_text.data);
	if (output != NULL)
		child_file(output, &good_file);
	good = run.stdout_text;
	run.stdout_text = (struct child_text){NULL, 0, 0};
	if (page->count == 0)
		errx(2, "no allocation was seen: is preload.so loaded?");
	for (forever = 0; forever < 2; forever++) {
		for (k = 1;; k += every) {
			start(argv, k, forever);
			if (page->count < k)
				break;
			cases++;
			if (passes())
				continue;
			if (++failures <= 20)
				printf("allocation %lu%s: %s, %.300s\n", k, forever ? " and later" : "",
				    child_end(&run), run.stderr_text.data);
		}
	}
	unlink(name);
	printf("%lu cases, %lu failures\n", cases, failures);
	return failures > 0;
}
