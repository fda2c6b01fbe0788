/*
 * driver.c: drives a fuzz target where there is no libFuzzer: replays FILES and everything in FOLDERS, then tries
 * mutations of them, always the same ones.
 *
 *	fuzz_x [-n MUTATIONS] [-s SEED] FILE|FOLDER...
 */
#include "fuzz.h"
#include <sys/stat.h>
#include <dirent.h>
#include <err.h>
#include "stream/rng.h"

#define MOST (1u << 18)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct input {
	uint8_t *data;
	size_t n;
};

static struct input *inputs;
static size_t ninputs;
static struct rna_rng rng;

static void
add_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct input in = {malloc(MOST), 0};

	if (f == NULL || in.data == NULL)
		err(1, "%s", path);
	in.n = fread(in.data, 1, MOST, f);
	fclose(f);
	inputs = reallocarray(inputs, ninputs + 1, sizeof(*inputs));
	if (inputs == NULL)
		err(1, NULL);
	inputs[ninputs++] = in;
}

static void
add(const char *path)
{
	struct dirent **list;
	char name[4096];
	struct stat st;
	int i, n;

	if (stat(path, &st) != 0)
		err(1, "%s", path);
	if (!S_ISDIR(st.st_mode)) {
		add_file(path);
		return;
	}
	if ((n = scandir(path, &list, NULL, alphasort)) < 0)
		err(1, "%s", path);
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s/%s", path, list[i]->d_name);
		if (stat(name, &st) == 0 && S_ISREG(st.st_mode))
			add_file(name);
		free(list[i]);
	}
	free(list);
}

static size_t
below(size_t n)
{
	return n > 0 ? rna_rng_below(&rng, (uint32_t)n) : 0;
}

size_t
LLVMFuzzerMutate(uint8_t *data, size_t n, size_t max)
{
	static const uint8_t telling[] = {0, 1, 7, 8, 9, 10, 13, 32, 34, 0x7f, 0x80, 0xff, '>', '@', '-', '{', '}'};
	size_t times = 1 + below(4), at, k, i;
	const struct input *other;

	for (; times > 0; times--) {
		at = below(n + 1);
		switch (below(6)) {
		case 0: /* a bit */
			if (at < n)
				data[at] ^= (uint8_t)(1u << below(8));
			break;
		case 1: /* a byte */
			if (at < n)
				data[at] = telling[below(sizeof(telling))];
			break;
		case 2: /* a piece goes */
			k = below(n - at + 1);
			k = below(2) ? k : k % 9;
			memmove(data + at, data + at + k, n - at - k);
			n -= k;
			break;
		case 3: /* bytes come */
			k = 1 + below(8);
			if (n + k > max)
				break;
			memmove(data + at + k, data + at, n - at);
			for (i = 0; i < k; i++)
				data[at + i] = (uint8_t)rna_rng_u64(&rng);
			n += k;
			break;
		case 4: /* a piece is doubled */
			k = below(n - at + 1) % 65;
			if (n + k > max)
				break;
			memmove(data + at + k, data + at, n - at);
			n += k;
			break;
		default: /* a piece of another input */
			other = &inputs[below(ninputs)];
			k = below(other->n + 1) % 257;
			i = below(other->n - k + 1);
			if (at + k > max)
				break;
			memcpy(data + at, other->data + i, k);
			n = at + k > n ? at + k : n;
			break;
		}
	}
	return n;
}

/* A target without a mutator of its own. */
__attribute__((weak)) size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned seed)
{
	(void)seed;
	return LLVMFuzzerMutate(data, n, max);
}

int
main(int argc, char **argv)
{
	unsigned long mutations = 0, seed = 1, i;
	uint8_t *work = malloc(MOST);
	const struct input *in;
	size_t n;
	int c;

	while ((c = getopt(argc, argv, "n:s:")) != -1) {
		if (c == 'n')
			mutations = strtoul(optarg, NULL, 10);
		else if (c == 's')
			seed = strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	for (; optind < argc; optind++)
		add(argv[optind]);
	if (ninputs == 0 || work == NULL)
		errx(1, "no input");
	rna_rng_init(&rng, seed);
	for (i = 0; i < ninputs; i++)
		LLVMFuzzerTestOneInput(inputs[i].data, inputs[i].n);
	for (i = 0; i < mutations; i++) {
		in = &inputs[below(ninputs)];
		memcpy(work, in->data, in->n);
		n = LLVMFuzzerCustomMutator(work, in->n, MOST, (unsigned)rna_rng_u64(&rng));
		LLVMFuzzerTestOneInput(work, n);
	}
	printf("%zu files, %lu mutations\n", ninputs, mutations);
	for (i = 0; i < ninputs; i++)
		free(inputs[i].data);
	free(inputs);
	free(work);
	return 0;
}
