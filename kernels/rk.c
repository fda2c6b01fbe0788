/*
 * rk.c: choosing a backend, and running lists of calls.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <omp.h>

#include "rk.h"
#include "rk_backend.h"
#include "rk_open.h"

static const char *const precision_names[] = { "fp32", "bf16", "int8", "fp8" };

/* 1. Opening */

/* Levels of "cpu", best first, and whether this processor has each. */
struct level { const struct rk_backend *be; int have; };

static size_t
levels(struct level list[4])
{
	size_t n = 0;

#if defined(__x86_64__)
	int avx2, avx512, bf16;

	__builtin_cpu_init();
	avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
	avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
	bf16 = avx512 && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni");
	list[n++] = (struct level){ &rk_cpu_avx512bf16, bf16 };
	list[n++] = (struct level){ &rk_cpu_avx512, avx512 };
	list[n++] = (struct level){ &rk_cpu_avx2, avx2 };
#endif
	list[n++] = (struct level){ &rk_cpu_plain, 1 };
	return n;
}

/* The best level of this processor, or the one that RILL_CPU names. */
static const struct rk_backend *
choose_cpu(char *err, size_t errsize)
{
	const char *name = getenv("RILL_CPU");
	struct level list[4];
	const size_t n = levels(list);

	if (name != NULL && *name == '\0')
		name = NULL;
	for (size_t i = 0; i < n; i++) {
		if (name == NULL && list[i].have)
			return list[i].be;
		if (name == NULL || strcmp(name, list[i].be->level) != 0)
			continue;
		if (list[i].have)
			return list[i].be;
		rk_say(err, errsize, "RILL_CPU=%s: this processor lacks it", name);
		return NULL;
	}
	rk_say(err, errsize, "RILL_CPU=%s: unknown level (avx512bf16, avx512, avx2, plain)", name);
	return NULL;
}

static const struct rk_backend *
choose(const char *device, char *err, size_t errsize)
{
	if (strcmp(device, "ref") == 0)
		return &rk_ref_f32;
	if (strcmp(device, "ref64") == 0)
		return &rk_ref_f64;
	if (strcmp(device, "cpu") == 0 || strcmp(device, "auto") == 0)
		return choose_cpu(err, errsize);
	rk_say(err, errsize, "unknown device '%s'", device);
	return NULL;
}

/* The GPU for "cuda" and "auto": 1 when it is open. */
static int
open_plugin(struct rk *rk, const char *device, char *err, size_t errsize)
{
	char why[sizeof(rk->err)] = "";

	if (strcmp(device, "cuda") != 0 && strcmp(device, "auto") != 0)
		return 0;
	rk->table = rk_plugin_open(&rk->dev, rk->level, sizeof(rk->level), why, sizeof(why));
	if (rk->table != NULL)
		snprintf(rk->name, sizeof(rk->name), "cuda %s", rk->level);
	rk_say(err, errsize, "%s", why);
	return rk->table != NULL;
}

/* A host backend. */
static int
open_host(struct rk *rk, const char *device, int threads, char *err, size_t errsize)
{
	const struct rk_backend *be = choose(device, err, errsize);

	if (be == NULL)
		return 0;
	rk->be = be;
	rk->threads = be->team ? threads : 1;
	snprintf(rk->level, sizeof(rk->level), "%s", be->level);
	if (strcmp(be->device, be->level) == 0)
		snprintf(rk->name, sizeof(rk->name), "%s", be->device);
	else
		snprintf(rk->name, sizeof(rk->name), "%s %s", be->device, be->level);
	return 1;
}

struct rk *
rk_open(const char *device, int threads, char *err, size_t errsize)
{
	struct rk *rk;

	rk_say(err, errsize, "%s", "");
	if (threads < 1) {
		rk_say(err, errsize, "%d threads: at least 1 is needed", threads);
		return NULL;
	}
	if ((rk = calloc(1, sizeof(*rk))) == NULL) {
		rk_say(err, errsize, "out of memory");
		return NULL;
	}
	rk->threads = 1;
	if (open_plugin(rk, device, err, errsize) ||
	    (strcmp(device, "cuda") != 0 && open_host(rk, device, threads, err, errsize)))
		return rk;
	free(rk);
	return NULL;
}

void
rk_close(struct rk *rk)
{
	if (rk != NULL && rk->table != NULL)
		rk->table->close(rk->dev);
	free(rk);
}

const char *
rk_name(const struct rk *rk)
{
	return rk->name;
}

const char *
rk_level(const struct rk *rk)
{
	return rk->level;
}

size_t
rk_real_size(const struct rk *rk)
{
	return rk->table != NULL ? sizeof(float) : rk->be->real_size;
}

int
rk_is_device(const struct rk *rk)
{
	return rk->table != NULL;
}

size_t
rk_store_size(const struct rk *rk, enum rk_precision precision)
{
	return rk->table != NULL ? rk->table->store_size(precision) : rk->be->real_size;
}

int
rk_unit_tokens(const struct rk *rk)
{
	return rk->table != NULL ? rk->table->unit_tokens(rk->dev) : 2048;
}

const char *
rk_error(const struct rk *rk)
{
	return rk->err;
}

size_t
rk_pack_size(const struct rk *rk, int n, int k, enum rk_precision precision, int backward)
{
	if (rk->table != NULL)
		return rk_round_up(rk->table->pack_size(n, k, precision, backward));
	return rk_round_up(rk->be->pack_size(n, k, precision, backward));
}

int
rk_has(const struct rk *rk, enum rk_precision precision, char *err, size_t errsize)
{
	const unsigned have = rk->table != NULL ? rk->table->precisions : rk->be->precisions;
	const char *why = precision == RK_FP8 ? "-d cuda has it, on a GPU of compute capability 8.9 or later" : NULL;

	if (have >> precision & 1 && (rk->table == NULL || (why = rk->table->lacks(rk->dev, precision)) == NULL))
		return 1;
	rk_say(err, errsize, "%s has no %s%s%s", rk->name, precision_names[precision], why != NULL ? ": " : "",
	    why != NULL ? why : "");
	return 0;
}

/* 2. Lists */

/* What a call asks for that the backend may lack: RK_OK, or RK_EINVAL and a sentence. */
static enum rk_status
validate(struct rk *rk, const struct rk_call *c)
{
	enum rk_precision p = RK_FP32;
	int back = c->op == RK_LINEAR_BACK_X || c->op == RK_LINEAR_BACK_W || c->op == RK_ATTENTION_BACK;

	if ((unsigned)c->op >= RK_NOPS) {
		rk_say(rk->err, sizeof(rk->err), "call %d does not exist", (int)c->op);
		return RK_EINVAL;
	}
	if (c->op == RK_PACK) {
		p = c->u.pack.w.precision;
		back = c->u.pack.w.bwd != NULL;
	} else if (c->op == RK_LINEAR || c->op == RK_LINEAR_BACK_X || c->op == RK_LINEAR_BACK_W) {
		p = c->u.linear.w.precision;
	} else if (c->op == RK_ATTENTION || c->op == RK_ATTENTION_BACK) {
		p = c->u.attention.precision;
	} else if (c->op >= RK_CONV1D && c->op <= RK_CONV2D_BACK_W && c->u.conv.w.precision != RK_FP32) {
		rk_say(rk->err, sizeof(rk->err), "%s has no convolution in %s", rk->name,
		    precision_names[c->u.conv.w.precision]);
		return RK_EINVAL;
	}
	if (rk->table == NULL && rk->be->op[c->op] == NULL) {
		rk_say(rk->err, sizeof(rk->err), "%s lacks op %d", rk->name, (int)c->op);
		return RK_EINVAL;
	}
	if (!rk_has(rk, p, rk->err, sizeof(rk->err)))
		return RK_EINVAL;
	if (back && !((rk->table != NULL ? rk->table->backward : rk->be->backward) >> p & 1)) {
		rk_say(rk->err, sizeof(rk->err), "%s has no backward pass in %s", rk->name, precision_names[p]);
		return RK_EINVAL;
	}
	return RK_OK;
}

/* rows_of for the ops over maps, channels and steps.  More sequences than there is room for: -1 rows. */
static void
map_rows_of(const struct rk_call *c, const int32_t *live, int *rows, int *cap)
{
	int seqs = 0, cap_seqs = 0;

	switch (c->op) {
	case RK_LOOKUP: case RK_LOOKUP_BACK:
		*rows = live[RK_LIVE_TOKENS], *cap = c->u.lookup.cap;
		break;
	case RK_COLUMNS:
		*rows = live[c->u.columns.rows], *cap = c->u.columns.cap;
		break;
	case RK_CONV1D: case RK_CONV1D_BACK_X: case RK_CONV1D_BACK_W:
	case RK_CONV2D: case RK_CONV2D_BACK_X: case RK_CONV2D_BACK_W:
		*rows = live[c->u.conv.rows], *cap = c->u.conv.cap;
		seqs = live[c->u.conv.seqs], cap_seqs = c->u.conv.cap_seqs;
		break;
	case RK_GROUP_NORM: case RK_GROUP_NORM_BACK:
		*rows = live[c->u.group_norm.rows], *cap = c->u.group_norm.cap;
		if (c->u.group_norm.first != NULL)
			seqs = live[c->u.group_norm.groups], cap_seqs = c->u.group_norm.cap_groups;
		break;
	case RK_LSTM: case RK_LSTM_BACK:
		*rows = live[c->u.lstm.rows], *cap = c->u.lstm.cap;
		seqs = live[RK_LIVE_SEQS], cap_seqs = c->u.lstm.cap_seqs;
		break;
	case RK_MAX_POOL: case RK_MAX_POOL_BACK:
		*rows = live[c->u.max_pool.rows], *cap = c->u.max_pool.cap;
		seqs = live[RK_LIVE_SEQS], cap_seqs = c->u.max_pool.cap_seqs;
		break;
	case RK_TURN:
		*rows = live[RK_LIVE_SEQS], *cap = c->u.turn.cap_seqs;
		break;
	case RK_CELL_KEYS: case RK_PAIR_MAP: case RK_PAIR_MAP_BACK: case RK_PAIR_MERGE: case RK_PAIR_MERGE_BACK:
		*rows = live[RK_LIVE_CELLS], *cap = c->u.pair.cap_cells;
		seqs = live[RK_LIVE_SEQS], cap_seqs = c->u.pair.cap_seqs;
		break;
	default:
		break;
	}
	if (seqs > cap_seqs)
		*rows = -1;
}

/* The live rows of a call and its capacity; 0 and 0 where the call states no capacity. */
static void
rows_of(const struct rk_call *c, const int32_t *live, int *rows, int *cap)
{
	*rows = *cap = 0;
	switch (c->op) {
	case RK_EMBED: case RK_EMBED_BACK:
		*rows = live[RK_LIVE_TOKENS], *cap = c->u.embed.cap;
		break;
	case RK_LINEAR: case RK_LINEAR_BACK_X: case RK_LINEAR_BACK_W: case RK_ACT_BACK:
		*rows = live[c->u.linear.rows], *cap = c->u.linear.cap;
		break;
	case RK_NORM: case RK_NORM_BACK:
		*rows = live[c->u.norm.rows], *cap = c->u.norm.cap;
		break;
	case RK_ATTENTION: case RK_ATTENTION_BACK:
		*rows = live[RK_LIVE_TOKENS], *cap = c->u.attention.cap;
		if (live[RK_LIVE_SEQS] > c->u.attention.cap_seqs)
			*rows = -1;
		break;
	case RK_GATHER: case RK_SCATTER_ADD:
		*rows = live[c->u.rows.rows], *cap = c->u.rows.cap;
		break;
	case RK_DROPOUT:
		*rows = live[c->u.drop_rows.rows], *cap = c->u.drop_rows.cap;
		break;
	case RK_SEGMENT_SUM: case RK_SEGMENT_SUM_BACK: case RK_SEGMENT_SOFTMAX: case RK_SEGMENT_SOFTMAX_BACK:
		*rows = live[c->u.segments.rows], *cap = c->u.segments.cap;
		break;
	case RK_CROSS_ENTROPY:
		*rows = live[c->u.cross_entropy.rows], *cap = c->u.cross_entropy.cap;
		break;
	case RK_ADD:
		*rows = live[c->u.add.rows], *cap = c->u.add.cap;
		break;
	default:
		map_rows_of(c, live, rows, cap);
		break;
	}
}

/* The largest live counts that all calls have room for: a device checks the counts where they are. */
static void
room(const struct rk_call *calls, size_t n, int32_t most[RK_NLIVE])
{
	for (int i = 0; i < RK_NLIVE; i++) {
		most[i] = INT32_MAX - 1;
		for (size_t c = 0; c < n; c++) {
			int32_t live[RK_NLIVE] = { 0 }, low = 0, high = most[i];

			while (low < high) {
				int rows, cap;

				live[i] = low + (high - low + 1) / 2;
				rows_of(&calls[c], live, &rows, &cap);
				if (rows >= 0 && rows <= cap)
					low = live[i];
				else
					high = live[i] - 1;
			}
			most[i] = low;
		}
	}
}

struct rk_list *
rk_list_create(struct rk *rk, const struct rk_call *calls, size_t n, const int32_t *live)
{
	struct rk_list *l = calloc(1, sizeof(*l));

	if (l == NULL || (l->calls = calloc(n + !n, sizeof(*calls))) == NULL)
		goto nomem;
	l->rk = rk;
	l->n = n;
	l->live = live;
	for (size_t i = 0; i < n; i++) {
		struct rk_need need;

		if (validate(rk, &calls[i]) != RK_OK)
			goto out;
		l->calls[i] = calls[i];
		if (rk->table != NULL)
			continue;
		need = rk->be->need(&calls[i], rk->threads);
		l->need.shared = need.shared > l->need.shared ? need.shared : l->need.shared;
		l->need.own = need.own > l->need.own ? need.own : l->need.own;
	}
	if (rk->table != NULL) {
		int32_t most[RK_NLIVE];

		room(calls, n, most);
		if ((l->dev = rk->table->list_create(rk->dev, calls, n, live, most)) != NULL)
			return l;
		rk_told(rk, RK_EDEVICE);
		goto out;
	}
	l->need.shared = rk_round_up(l->need.shared);
	l->need.own = rk_round_up(l->need.own);
	if ((l->scratch = rk_alloc(rk, l->need.shared + rk->threads * l->need.own)) != NULL)
		return l;
nomem:
	rk_say(rk->err, sizeof(rk->err), "out of memory");
out:
	rk_list_destroy(l);
	return NULL;
}

void
rk_list_destroy(struct rk_list *l)
{
	if (l == NULL)
		return;
	if (l->dev != NULL)
		l->rk->table->list_destroy(l->dev);
	if (l->scratch != NULL)
		rk_free(l->rk, l->scratch, 0);
	free(l->calls);
	free(l);
}

enum rk_status
rk_list_run(struct rk_list *l)
{
	struct rk *rk = l->rk;

	if (l->dev != NULL)
		return rk_told(rk, rk->table->list_run(l->dev));
	for (size_t i = 0; i < l->n; i++) {
		int rows, cap;

		rows_of(&l->calls[i], l->live, &rows, &cap);
		if (rows < 0 || rows > cap) {
			rk_say(rk->err, sizeof(rk->err), "call %zu: more rows than its capacity of %d", i, cap);
			return RK_EINVAL;
		}
	}
#pragma omp parallel num_threads(rk->threads)
	{
		struct rk_env e = { l->live, l->scratch, NULL, omp_get_num_threads() };

		e.own = l->scratch + l->need.shared + omp_get_thread_num() * l->need.own;
		for (size_t i = 0; i < l->n; i++)
			rk->be->op[l->calls[i].op](&l->calls[i], &e);
	}
	return RK_OK;
}

size_t
rk_sum_scratch(size_t n)
{
	return n / RK_SUM_CHUNK + 1;
}
