/*
 * cpu_table.h: every op of a level of "cpu", and its table.  A level is one .c file: its simd_*.h, then this.
 */
#ifndef CPU_TABLE_H
#define CPU_TABLE_H

#include "cpu_attention.h"
#include "cpu_attention_back.h"
#include "cpu_conv.h"
#include "cpu_embed.h"
#include "cpu_group.h"
#include "cpu_linear.h"
#include "cpu_lstm.h"
#include "cpu_norm.h"
#include "cpu_pair.h"
#include "cpu_rows.h"
#include "cpu_segments.h"
#include "cpu_update.h"

static struct rk_need
cpu_need(const struct rk_call *c, int threads)
{
	(void)threads;
	switch (c->op) {
	case RK_LINEAR: case RK_LINEAR_BACK_X: case RK_LINEAR_BACK_W:
		return linear_need(&c->u.linear, c->op);
	case RK_ATTENTION:
		return attention_need(&c->u.attention);
	case RK_ATTENTION_BACK:
		return attention_back_need(&c->u.attention);
	case RK_NORM_BACK:
		return norm_back_need(&c->u.norm);
	case RK_EMBED_BACK:
		return embed_back_need(&c->u.embed);
	case RK_CONV1D: case RK_CONV1D_BACK_X: case RK_CONV1D_BACK_W:
	case RK_CONV2D: case RK_CONV2D_BACK_X: case RK_CONV2D_BACK_W:
		return conv_need(&c->u.conv, c->op);
	case RK_GROUP_NORM: case RK_GROUP_NORM_BACK:
		return group_need(&c->u.group_norm, c->op);
	case RK_LSTM: case RK_LSTM_BACK:
		return lstm_need(&c->u.lstm);
	case RK_PAIR_MAP: case RK_PAIR_MAP_BACK:
		return pair_need(&c->u.pair, c->op);
	default:
		return (struct rk_need){ 0, 0 };
	}
}

#define CPU_TABLE(level_) { \
	.device = "cpu", .level = level_, .real_size = sizeof(float), .team = 1, \
	.precisions = 1u << RK_FP32 | 1u << RK_BF16 | 1u << RK_INT8, \
	.backward = 1u << RK_FP32 | 1u << RK_BF16, \
	.op = { \
		[RK_PACK] = cpu_pack, [RK_EMBED] = cpu_embed, [RK_EMBED_BACK] = cpu_embed_back, \
		[RK_LINEAR] = cpu_linear, [RK_LINEAR_BACK_X] = cpu_linear_back_x, \
		[RK_LINEAR_BACK_W] = cpu_linear_back_w, \
		[RK_ACT_BACK] = cpu_act_back, [RK_NORM] = cpu_norm, [RK_NORM_BACK] = cpu_norm_back, \
		[RK_ATTENTION] = cpu_attention, [RK_ATTENTION_BACK] = cpu_attention_back, \
		[RK_GATHER] = cpu_gather, [RK_SCATTER_ADD] = cpu_scatter_add, [RK_SEGMENT_SUM] = cpu_segment_sum, \
		[RK_SEGMENT_SUM_BACK] = cpu_segment_sum_back, \
		[RK_SEGMENT_SOFTMAX] = cpu_segment_softmax, [RK_SEGMENT_SOFTMAX_BACK] = cpu_segment_softmax_back, \
		[RK_CROSS_ENTROPY] = cpu_cross_entropy, [RK_ZERO] = cpu_zero, [RK_ADD] = cpu_add, \
		[RK_SUM_SQUARES] = cpu_sum_squares, [RK_ADAMW] = cpu_adamw, [RK_DROPOUT] = cpu_dropout, \
		[RK_LOOKUP] = cpu_lookup, [RK_LOOKUP_BACK] = cpu_lookup_back, [RK_COLUMNS] = cpu_columns, \
		[RK_CONV1D] = cpu_conv1d, [RK_CONV1D_BACK_X] = cpu_conv1d_back_x, \
		[RK_CONV1D_BACK_W] = cpu_conv1d_back_w, [RK_CONV2D] = cpu_conv2d, \
		[RK_CONV2D_BACK_X] = cpu_conv2d_back_x, [RK_CONV2D_BACK_W] = cpu_conv2d_back_w, \
		[RK_GROUP_NORM] = cpu_group_norm, [RK_GROUP_NORM_BACK] = cpu_group_norm_back, \
		[RK_LSTM] = cpu_lstm, [RK_LSTM_BACK] = cpu_lstm_back, \
		[RK_MAX_POOL] = cpu_max_pool, [RK_MAX_POOL_BACK] = cpu_max_pool_back, [RK_TURN] = cpu_turn, \
		[RK_CELL_KEYS] = cpu_cell_keys, [RK_PAIR_MAP] = cpu_pair_map, \
		[RK_PAIR_MAP_BACK] = cpu_pair_map_back, [RK_PAIR_MERGE] = cpu_pair_merge, \
		[RK_PAIR_MERGE_BACK] = cpu_pair_merge_back, \
	}, \
	.pack_size = linear_pack_size, .need = cpu_need, \
}

#endif
