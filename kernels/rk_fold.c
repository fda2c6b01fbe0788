/*
 * rk_fold.c: folding many RNAs at once, handed on to the plug-in.
 */
#include <stdlib.h>

#include "rk_fold.h"
#include "rk_open.h"

struct rk_folder {
	struct rk *rk;
	void *dev;
};

struct rk_folder *
rk_folder_create(struct rk *rk, const struct rk_fold_tables *tables)
{
	struct rk_folder *f;

	if (rk->table == NULL) {
		rk_say(rk->err, sizeof(rk->err), "%s folds nothing by itself", rk->name);
		return NULL;
	}
	if ((f = calloc(1, sizeof(*f))) == NULL) {
		rk_say(rk->err, sizeof(rk->err), "out of memory");
		return NULL;
	}
	f->rk = rk;
	if ((f->dev = rk->table->fold_create(rk->dev, tables)) != NULL)
		return f;
	rk_told(rk, RK_EDEVICE);
	free(f);
	return NULL;
}

void
rk_folder_destroy(struct rk_folder *f)
{
	if (f != NULL)
		f->rk->table->fold_destroy(f->dev);
	free(f);
}

int
rk_folder_longest(const struct rk_folder *f)
{
	return f->rk->table->fold_longest(f->dev);
}

enum rk_status
rk_folder_run(struct rk_folder *f, const uint8_t *code, const int32_t *first, int n, int32_t *energy, int16_t *partner)
{
	return rk_told(f->rk, f->rk->table->fold_run(f->dev, code, first, n, energy, partner));
}
