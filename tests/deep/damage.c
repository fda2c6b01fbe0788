/*
 * damage.c: damages a file in every way and runs a program on each copy.
 *
 *	damage cut|flip|mangle [-e EVERY] [-n TIMES] [-s SEED] FILE PROGRAM ARGUMENTS...
 *
 * {} in the arguments is the damaged file.  cut: at every EVERY-th length.  flip: every EVERY-th bit.  mangle: TIMES
 * each of bytes deleted, inserted, doubled, exchanged.  A run passes when it ends with 1 and one line, or, but for cut,
 * with 0 and the output of the whole file.  Prints the failures, then "CASES cases, FAILURES failures".
 */
#include "child.h"
#include "stream/rng.h"

static char path[64];   /* the damaged file */
static int file = -1;
static char **argv_of;
static struct child_text whole, good;
static struct child run;
static unsigned long cases, failures;

static void
write_all(const char *data, size_t n)
{
	if (ftruncate(file, 0) != 0 || (n > 0 && pwrite(file, data, n, 0) != (ssize_t)n))
		err(2, "%s", path);
}

static void
check(int may_pass, const char *what, size_t at)
{
	int same;

	child_run(&run, argv_of);
	same = child_exit(&run) == 0 && child_same(&run.stdout_text, &good);
	cases++;
	if ((same && may_pass) || (child_exit(&run) == 1 && child_one_line(&run)))
		return;
	failures++;
	if (failures <= 20)
		printf("%s at %zu: %s, %s%.200s\n", what, at, child_end(&run), same ? "the same output " : "",
		    run.stderr_text.data);
}

static void
cut(size_t every)
{
	size_t n;

	for (n = 0; n < whole.n; n += every) {
		write_all(whole.data, n);
		check(0, "cut", n);
	}
}

static void
flip(size_t every)
{
	size_t bit;
	char byte;

	write_all(whole.data, whole.n);
	for (bit = 0; bit < whole.n * 8; bit += every) {
		byte = (char)(whole.data[bit / 8] ^ 1 << bit % 8);
		if (pwrite(file, &byte, 1, (off_t)(bit / 8)) != 1)
			err(2, "%s", path);
		check(1, "bit flipped", bit);
		if (pwrite(file, whole.data + bit / 8, 1, (off_t)(bit / 8)) != 1)
			err(2, "%s", path);
	}
}

static void
mangle(unsigned long times, uint64_t seed)
{
	static const char *const kinds[] = {"deleted", "inserted", "doubled", "exchanged"};
	char *m = malloc(2 * whole.n + 16);
	size_t at, n, to, len;
	struct rna_rng rng;
	unsigned long i;

	if (m == NULL)
		err(2, NULL);
	rna_rng_init(&rng, seed);
	for (i = 0; i < 4 * times; i++) {
		at = rna_rng_below(&rng, (uint32_t)whole.n);
		n = 1 + rna_rng_below(&rng, rna_rng_below(&rng, 2) ? 4 : 100);
		n = n < whole.n - at ? n : whole.n - at;
		to = rna_rng_below(&rng, (uint32_t)(whole.n - n + 1));
		memcpy(m, whole.data, whole.n);
		len = whole.n;
		switch (i % 4) {
		case 0:
			memmove(m + at, whole.data + at + n, whole.n - at - n);
			len -= n;
			break;
		case 1:
			m[at] = (char)rna_rng_u64(&rng);
			memcpy(m + at + 1, whole.data + at, whole.n - at);
			len++;
			break;
		case 2:
			memcpy(m + at + n, whole.data + at, whole.n - at);
			len += n;
			break;
		default:
			memcpy(m + at, whole.data + to, n);
			memcpy(m + to, whole.data + at, n);
			break;
		}
		if (len == whole.n && memcmp(m, whole.data, len) == 0)
			continue;
		write_all(m, len);
		check(1, kinds[i % 4], at);
	}
	free(m);
}

int
main(int argc, char **argv)
{
	unsigned long every = 1, times = 100;
	const char *how = argc > 1 ? argv[1] : "";
	uint64_t seed = 1;
	int c, i;

	optind = 2;
	while ((c = getopt(argc, argv, "+e:n:s:")) != -1) {
		if (c == 'e')
			every = strtoul(optarg, NULL, 10);
		else if (c == 'n')
			times = strtoul(optarg, NULL, 10);
		else if (c == 's')
			seed = strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	if (argc - optind < 2 || every == 0)
		errx(2, "usage: damage cut|flip|mangle [-e EVERY] [-n TIMES] [-s SEED] FILE PROGRAM ARGUMENTS...");
	child_file(argv[optind], &whole);
	if (whole.n == (size_t)-1)
		err(2, "%s", argv[optind]);
	snprintf(path, sizeof(path), "%s/damage.XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if ((file = mkostemp(path, O_CLOEXEC)) < 0)
		err(2, "%s", path);
	argv_of = argv + optind + 1;
	for (i = 0; argv_of[i] != NULL; i++)
		if (strcmp(argv_of[i], "{}") == 0)
			argv_of[i] = path;
	child_init(&run);
	write_all(whole.data, whole.n);
	child_run(&run, argv_of);
	if (child_exit(&run) != 0)
		errx(2, "the whole file: %s, %s", child_end(&run), run.stderr_text.data);
	good = run.stdout_text;
	run.stdout_text = (struct child_text){NULL, 0, 0};
	if (strcmp(how, "cut") == 0)
		cut(every);
	else if (strcmp(how, "flip") == 0)
		flip(every);
	else
		mangle(times, seed);
	unlink(path);
	printf("%lu cases, %lu failures\n", cases, failures);
	return failures > 0;
}
