/*
 * fold_input.c: base codes, constraints and spans (fold_input.h).
 */
#include <stdlib.h>
#include <string.h>

#include "fold/fold_input.h"

#define LOOP_UNPAIRED INT32_MIN

/*
 * Two bases may pair when they are in the same loop of the demanded pairs and nothing forbids either.  loop[i]: number
 * of the loop that base i is in (0: outside all), minus its own number for a base of a demanded pair, LOOP_UNPAIRED for
 * x.
 */
static enum rna_status
constrain(struct fold_input *in, int *open, struct rna_err *err)
{
	const char *constraint = in->opts.constraint;
	int i, depth = 0, next = 0;

	for (i = 1; i <= in->n; i++) {
		in->loop[i] = depth > 0 ? open[depth] : 0;
		switch (constraint[i - 1]) {
		case '.':
		case '|':
		case '<':
		case '>':
			break;
		case 'x':
			in->loop[i] = LOOP_UNPAIRED;
			break;
		case '(':
			open[++depth] = ++next;
			in->loop[i] = -next;
			break;
		case ')':
			if (depth == 0)
				return rna_fail(err, RNA_EINVAL, "the constraint's ) at %d closes nothing", i);
			in->loop[i] = -open[depth--];
			break;
		default:
			return rna_fail(err, RNA_EINVAL, "the constraint's letter at %d is not one of |x<>().", i);
		}
	}
	if (depth > 0)
		return rna_fail(err, RNA_EINVAL, "the constraint leaves %d ( open", depth);
	return RNA_OK;
}

static enum rna_status
set_constraint(struct fold_input *in, struct rna_err *err)
{
	size_t n = (size_t)in->n;
	enum rna_status s;
	int *open;

	free(in->loop);
	in->loop = NULL;
	if (in->opts.constraint == NULL)
		return RNA_OK;
	if (strlen(in->opts.constraint) != n)
		return rna_fail(err, RNA_EINVAL, "the constraint has %zu letters, the sequence %zu",
		    strlen(in->opts.constraint), n);
	in->loop = calloc(n + 2, sizeof(*in->loop));
	open = calloc(n + 2, sizeof(*open));
	s = in->loop != NULL && open != NULL ? constrain(in, open, err) : rna_fail(err, RNA_EMEM, "out of memory");
	free(open);
	return s;
}

enum rna_status
rna_fold_input_set(
    struct fold_input *in, const char *letters, size_t n, const struct rna_fold_options *opts, struct rna_err *err)
{
	static const struct rna_fold_options none = {0, 0, NULL};

	if (n > INT32_MAX / 64)
		return rna_fail(err, RNA_EINVAL, "%zu nt are too many to fold", n);
	in->opts = opts != NULL ? *opts : none;
	if (in->code == NULL || n != (size_t)in->n) {
		free(in->code);
		free(in->type);
		free(in->js);
		in->n = (int)n;
		in->code = malloc(n + 2);
		in->type = malloc(n + 2);
		in->js = malloc((n + 2) * sizeof(*in->js));
	}
	if (in->code == NULL || in->type == NULL || in->js == NULL) {
		rna_fold_input_fini(in);
		return rna_fail(err, RNA_EMEM, "out of memory");
	}
	rna_fold_encode(letters, n, in->code);
	return set_constraint(in, err);
}

void
rna_fold_input_fini(struct fold_input *in)
{
	free(in->code);
	free(in->type);
	free(in->js);
	free(in->loop);
	memset(in, 0, sizeof(*in));
}

static int
allowed(const struct fold_input *in, int i, int j)
{
	const char *letter = in->opts.constraint;

	return in->loop[i] == in->loop[j] && in->loop[i] != LOOP_UNPAIRED && letter[i - 1] != '>' &&
	       letter[j - 1] != '<';
}

void
rna_fold_input_row(struct fold_input *in, int i)
{
	const uint8_t *types = rna_pair_types[in->code[i]];
	int j, last = in->n, k = 0;

	memset(in->type + i, 0, (size_t)(in->n + 1 - i));
	if (in->opts.max_span > 0 && in->opts.max_span < in->n - i + 1)
		last = i + in->opts.max_span - 1;
	for (j = i + RNA_MIN_SPAN; j <= last; j++) {
		in->type[j] = types[in->code[j]];
		if (in->loop != NULL && in->type[j] != 0 && !allowed(in, i, j))
			in->type[j] = 0;
		in->js[k] = j;
		k += in->type[j] != 0;
	}
	in->njs = k;
}

#define SHARE 16 /* columns of a share are a multiple of this */

void
rna_fold_input_share(const struct fold_input *in, int i, int k, int parts, int *from, int *to)
{
	int first = i + RNA_MIN_SPAN, vectors = (in->n + 1 - first + SHARE - 1) / SHARE, end = in->n + 1;

	if (vectors < 0)
		vectors = 0;
	*from = k == 0 ? i : first + (int)((int64_t)vectors * k / parts) * SHARE;
	*to = k == parts - 1 ? end : first + (int)((int64_t)vectors * (k + 1) / parts) * SHARE;
	*from = *from < end ? *from : end;
	*to = *to < end ? *to : end;
}

int
rna_fold_input_first(const struct fold_input *in, int from)
{
	int low = 0, high = in->njs, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (in->js[mid] < from)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}
