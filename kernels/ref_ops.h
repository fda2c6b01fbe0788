/*
 * ref_ops.h: the specification of every op in plain C.  Included by ref_f32.c and ref_f64.c, which define `real`.
 * One thread, one row at a time, no tricks; other backends are tested against it, it against differences.
 */
#include <math.h>
#include <string.h>
#include <tgmath.h>

#include "rk_backend.h"

/* 1 when element (row, column) of a site is kept, else 0; times 1/(1-p). */
static real
ref_keep(const struct rk_dropout *d, int site, int row, int column)
{
	if (d->p == 0)
		return 1;
	if ((double)rk_drop_bits(d->row_key[row], d->site + site, column) < d->p * 4294967296.0)
		return 0;
	return 1 / (1 - (real)d->p);
}

#include "ref_linear.h"
#include "ref_norm.h"
#include "ref_attention.h"
#include "ref_rows.h"
#include "ref_segments.h"
#include "ref_update.h"
#include "ref_conv.h"
#include "ref_group.h"
#include "ref_lstm.h"
#include "ref_pair.h"

static size_t
ref_pack_size(int n, int k, enum rk_precision precision, int backward)
{
	(void)n, (void)k, (void)precision, (void)backward;
	return 0;       /* the weights are used as they are */
}

static struct rk_need
ref_need(const struct rk_call *c, int threads)
{
	struct rk_need need = { 0, 0 };

	(void)threads;
	if (c->op == RK_ATTENTION || c->op == RK_ATTENTION_BACK)
		need.own = 2 * sizeof(real) * c->u.attention.max_len;
	else if (c->op == RK_LSTM || c->op == RK_LSTM_BACK)
		need.own = 2 * sizeof(real) * c->u.lstm.hidden;
	else if (c->op == RK_LINEAR && c->u.linear.w.precision == RK_FP8)
		need.own = sizeof(real) * ((c->u.linear.cap + (size_t)1) * c->u.linear.w.k + c->u.linear.cap);
	return need;
}

#define REF_TABLE(name_) { \
	.device = name_, .level = name_, .real_size = sizeof(real), \
	.precisions = 1u << RK_FP32 | 1u << RK_FP8, .backward = 1u << RK_FP32, \
	.op = { \
		[RK_PACK] = ref_pack, [RK_EMBED] = ref_embed, [RK_EMBED_BACK] = ref_embed_back, \
		[RK_LINEAR] = ref_linear, [RK_LINEAR_BACK_X] = ref_linear_back_x, \
		[RK_LINEAR_BACK_W] = ref_linear_back_w, \
		[RK_ACT_BACK] = ref_act_back, [RK_NORM] = ref_norm, [RK_NORM_BACK] = ref_norm_back, \
		[RK_ATTENTION] = ref_attention, [RK_ATTENTION_BACK] = ref_attention_back, \
		[RK_GATHER] = ref_gather, [RK_SCATTER_ADD] = ref_scatter_add, [RK_SEGMENT_SUM] = ref_segment_sum, \
		[RK_SEGMENT_SUM_BACK] = ref_segment_sum_back, \
		[RK_SEGMENT_SOFTMAX] = ref_segment_softmax, [RK_SEGMENT_SOFTMAX_BACK] = ref_segment_softmax_back, \
		[RK_CROSS_ENTROPY] = ref_cross_entropy, [RK_ZERO] = ref_zero, [RK_ADD] = ref_add, \
		[RK_SUM_SQUARES] = ref_sum_squares, [RK_ADAMW] = ref_adamw, [RK_DROPOUT] = ref_dropout, \
		[RK_LOOKUP] = ref_lookup, [RK_LOOKUP_BACK] = ref_lookup_back, [RK_COLUMNS] = ref_columns, \
		[RK_CONV1D] = ref_conv1d, [RK_CONV1D_BACK_X] = ref_conv1d_back_x, \
		[RK_CONV1D_BACK_W] = ref_conv1d_back_w, [RK_CONV2D] = ref_conv2d, \
		[RK_CONV2D_BACK_X] = ref_conv2d_back_x, [RK_CONV2D_BACK_W] = ref_conv2d_back_w, \
		[RK_GROUP_NORM] = ref_group_norm, [RK_GROUP_NORM_BACK] = ref_group_norm_back, \
		[RK_LSTM] = ref_lstm, [RK_LSTM_BACK] = ref_lstm_back, \
		[RK_MAX_POOL] = ref_max_pool, [RK_MAX_POOL_BACK] = ref_max_pool_back, [RK_TURN] = ref_turn, \
		[RK_CELL_KEYS] = ref_cell_keys, [RK_PAIR_MAP] = ref_pair_map, \
		[RK_PAIR_MAP_BACK] = ref_pair_map_back, [RK_PAIR_MERGE] = ref_pair_merge, \
		[RK_PAIR_MERGE_BACK] = ref_pair_merge_back, \
	}, \
	.pack_size = ref_pack_size, .need = ref_need, \
}
