/*
 * fuzz_vienna.c: a line of letters and a line below it, as in the files of the ViennaRNA package: as dot-bracket to be
 * evaluated, and as a constraint to be folded under.
 */
#include "fuzz.h"
#include "fold/energy.h"
#include "fold/mfe.h"
#include "seq/structure.h"

#define LETTERS_MOST 64

static struct rna_energy set;
static struct rna_mfe *mfe;

static void
prepare(void)
{
	struct rna_err e;
	struct rna_energy_file *f = rna_energy_file_open(NULL, &e);

	if (f == NULL || rna_energy_init(&set, f, 37, 2, &e) != RNA_OK || (mfe = rna_mfe_create(&set)) == NULL)
		abort();
	rna_energy_file_close(f);
}

static void
evaluate(const char *letters, size_t n, const char *line, size_t width)
{
	struct rna_buf pair = RNA_BUF_INIT, text = RNA_BUF_INIT, again = RNA_BUF_INIT;
	struct rna_err e = {.record = RNA_NOREC};
	const int32_t *p;
	int total;

	if (rna_structure_parse(line, width, &pair, &e) != RNA_OK) {
		fuzz_refused(&e);
	} else {
		p = (const int32_t *)(const void *)pair.data;
		if (rna_structure_print(p, width, &text, &e) == RNA_OK &&
		    (rna_structure_parse((char *)text.data, text.len, &again, &e) != RNA_OK || again.len != pair.len ||
			(pair.len > 0 && memcmp(again.data, pair.data, pair.len) != 0)))
			abort();
		if (width == n && rna_energy_evaluate(&set, letters, n, p, 1, NULL, NULL, &total, &e) != RNA_OK)
			fuzz_refused(&e);
	}
	rna_buf_fini(&pair);
	rna_buf_fini(&text);
	rna_buf_fini(&again);
}

static void
fold(const char *letters, size_t n, const char *line, size_t width)
{
	char constraint[LETTERS_MOST + 1];
	struct rna_fold_options opts = {0, (int)(width % 2), constraint};
	struct rna_err e = {.record = RNA_NOREC};
	int32_t pair[LETTERS_MOST];
	int energy;
	size_t i;

	memcpy(constraint, line, width);
	constraint[width] = '\0';
	if (rna_mfe_fold(mfe, letters, n, &opts, pair, &energy, &e) != RNA_OK) {
		fuzz_refused(&e);
		return;
	}
	for (i = 0; i < n; i++)
		if (pair[i] != -1 && ((size_t)pair[i] >= n || pair[pair[i]] != (int32_t)i))
			abort();
}

void
fuzz_input(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *line = size > 0 ? memchr(data, '\n', size) : NULL;
	size_t n, width;

	if (mfe == NULL)
		prepare();
	if (line == NULL)
		return;
	n = (size_t)(line++ - text);
	width = size - n - 1;
	evaluate(text, n, line, width);
	rna_structure_is_line(line, width);
	if (n > 0 && n <= LETTERS_MOST && width <= LETTERS_MOST)
		fold(text, n, line, width);
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned seed)
{
	static const char letters[] = "ACGUN", marks[] = ".()[]<>{}|x";
	uint8_t *line;
	size_t i;

	n = LLVMFuzzerMutate(data, n, max);
	if (seed % 4 == 0 || n < 3)
		return n;
	/* two lines of one length, of letters that mean something, half of the time */
	line = data + n / 2;
	for (i = 0; seed % 2 && i < n; i++)
		data[i] = (uint8_t)(data + i < line ? letters[data[i] % 5] : marks[data[i] % 11]);
	*line = '\n';
	return n / 2 * 2 + 1 <= n ? n / 2 * 2 + 1 : n / 2 * 2;
}
