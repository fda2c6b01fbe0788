/*
 * kernel_problem.h: for unit_kernels_*.c.  A problem is an op with its gradient, random arguments and named buffers; it
 * can be run on any backend, level, precision and number of threads, and its buffers compared.
 */
#ifndef KERNEL_PROBLEM_H
#define KERNEL_PROBLEM_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rk.h"
#include "tap.h"

enum { P_BUFS = 16, P_CALLS = 6, P_SEQS = 64 };

/* 1 after choosing a level of "cpu"; 0, and a test skipped, when this processor lacks it. */
__attribute__((unused)) static int
p_level(const char *level)
{
	char err[160] = "";
	struct rk *rk;

	if (setenv("RILL_CPU", level, 1) != 0)
		abort();
	if ((rk = rk_open("cpu", 1, err, sizeof(err))) == NULL)
		skip(level, err);
	rk_close(rk);
	return rk != NULL;
}

struct buf {
	const char *name;
	size_t n;
	double *v;              /* values before the run; the run's results go to the copy it returns */
	void *d;                /* on the backend, during a run */
	int rows;               /* 1: laid out by rows of the batch */
	int real;               /* 1: `real` in every precision */
	int stored;             /* 1: an activation, though not laid out by rows; the others without rows are `real` */
	int fresh;              /* a gradient that is written, not added to */
	int by, of;             /* by: an output's cotangent, or -1; of: what this is the gradient of, or -1 */
};

struct problem {
	char name[120];
	enum rk_op op;
	int rows, n, k, heads, seqs, classes;
	enum rk_act act;
	enum rk_precision precision;
	float p, eps, smoothing;
	int accumulate;
	int lens[P_SEQS];
	int32_t first[P_SEQS], count[P_SEQS];
	int32_t live[RK_NLIVE], offsets[P_SEQS + 1];
	int32_t *live_d, *offsets_d;    /* on the backend, during a run */
	uint8_t *token, *segment, *hit;
	int32_t *position, *target;
	uint64_t *row_key;
	float *weight;
	struct buf buf[P_BUFS];
	int nbuf;
	struct rk_call calls[P_CALLS];
	int ncalls, nforward;
	/* of the problems of kernel_maps.h */
	void (*make)(struct problem *s, struct rk *rk, void **packed);      /* its calls; NULL: p_calls knows them */
	int width, two, by_row, images, diagonal, residual;
	int32_t x_first[P_SEQS + 1], side[P_SEQS], *x_first_d, *side_d;
	size_t packed[2];
};

static uint64_t p_state = 1;

static uint64_t
p_bits(void)
{
	uint64_t z = p_state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Uniform in -1 .. 1, exact in float. */
static double
p_uniform(void)
{
	return (double)(int32_t)(p_bits() >> 40) / (1 << 23) - 1;
}

static void *
p_calloc(size_t n, size_t size)
{
	void *p = calloc(n + 1, size);

	if (p == NULL)
		abort();
	return p;
}

/* A buffer of n values of the given spread about centre; rows: it has a row for each of the batch. */
static int
p_buf(struct problem *s, const char *name, int rows, size_t n, double centre, double spread)
{
	struct buf *b = &s->buf[s->nbuf];

	*b = (struct buf){ .name = name, .n = n, .rows = rows, .v = p_calloc(n, sizeof(double)), .by = -1, .of = -1 };
	for (size_t i = 0; i < n; i++)
		b->v[i] = (float)(centre + spread * p_uniform());
	return s->nbuf++;
}

static void
p_keys(struct problem *s, int rows)
{
	s->row_key = p_calloc(rows, sizeof(*s->row_key));
	for (int i = 0; i < rows; i++)
		s->row_key[i] = p_bits();
	for (int i = 0; i < RK_NLIVE; i++)
		s->live[i] = rows;
}

static void
p_free(struct problem *s)
{
	for (int i = 0; i < s->nbuf; i++)
		free(s->buf[i].v);
	free(s->token), free(s->segment), free(s->hit), free(s->position), free(s->target), free(s->row_key),
	    free(s->weight);
}

/* What the buffers of each problem are. */
enum { L_X, L_W, L_BIAS, L_Y, L_PRE, L_DY, L_DX, L_DW, L_DBIAS };
enum { N_X, N_BIAS, N_RES, N_GAMMA, N_BETA, N_Z, N_STATS, N_Y, N_DY, N_DX, N_DRES, N_DGAMMA, N_DBETA, N_DBIAS };
enum { E_WORD, E_POS, E_SEG, E_GAMMA, E_BETA, E_Z, E_STATS, E_Y, E_DY, E_DWORD, E_DPOS, E_DSEG, E_DGAMMA, E_DBETA };
enum { A_QKV, A_O, A_LSE, A_DO, A_DQKV };
enum { C_LOGITS, C_LOSS, C_ONE, C_DLOGITS };
enum { G_WEIGHT, G_X, G_Y, G_DY, G_DX, G_DWEIGHT };

static const char *const p_acts[] = { "none", "relu", "gelu", "tanh", "celu" };

/* bias: 0 or 1. */
static void
p_linear(struct problem *s, int rows, int n, int k, enum rk_act act, int bias)
{
	const double wide = 1 / sqrt(k);

	*s = (struct problem){ .op = RK_LINEAR, .rows = rows, .n = n, .k = k, .act = act };
	snprintf(s->name, sizeof(s->name), "linear %dx%dx%d %s%s", rows, n, k, p_acts[act], bias ? "" : " no bias");
	p_keys(s, rows);
	p_buf(s, "x", 1, (size_t)rows * k, 0, 1);
	p_buf(s, "w", 0, (size_t)n * k, 0, 2 * wide);
	p_buf(s, "bias", 0, bias ? n : 0, 0, 1);
	p_buf(s, "y", 1, (size_t)rows * n, 0, 0);
	p_buf(s, "pre", 1, act == RK_GELU ? (size_t)rows * n : 0, 0, 0);
	p_buf(s, "dy", 1, (size_t)rows * n, 0, 1);
	p_buf(s, "dx", 1, (size_t)rows * k, 0, 1);
	p_buf(s, "dw", 0, (size_t)n * k, 0, 1);
	p_buf(s, "dbias", 0, bias ? n : 0, 0, 1);
	s->buf[L_Y].by = L_DY;
	s->buf[L_DX].of = L_X;
	s->buf[L_DW].of = L_W;
	s->buf[L_DBIAS].of = L_BIAS;
}

static void
p_norm(struct problem *s, int rows, int n, int bias, int residual, float p, float eps)
{
	*s = (struct problem){ .op = RK_NORM, .rows = rows, .n = n, .p = p, .eps = eps };
	snprintf(s->name, sizeof(s->name), "norm %dx%d%s%s, dropout %g, eps %g", rows, n, bias ? " bias" : "",
	    residual ? " residual" : "", p, eps);
	p_keys(s, rows);
	p_buf(s, "x", 1, (size_t)rows * n, 0.5, 1);
	p_buf(s, "bias", 0, bias ? n : 0, 0, 1);
	p_buf(s, "residual", 1, residual ? (size_t)rows * n : 0, 0, 1);
	p_buf(s, "gamma", 0, n, 1, 0.5);
	p_buf(s, "beta", 0, n, 0, 0.5);
	p_buf(s, "z", 1, (size_t)rows * n, 0, 0);
	p_buf(s, "stats", 1, 2 * (size_t)rows, 0, 0);
	p_buf(s, "y", 1, (size_t)rows * n, 0, 0);
	p_buf(s, "dy", 1, (size_t)rows * n, 0, 1);
	p_buf(s, "dx", 1, (size_t)rows * n, 0, 1);
	p_buf(s, "dresidual", 1, residual ? (size_t)rows * n : 0, 0, 1);
	p_buf(s, "dgamma", 0, n, 0, 1);
	p_buf(s, "dbeta", 0, n, 0, 1);
	p_buf(s, "dbias", 0, bias ? n : 0, 0, 1);
	s->buf[N_STATS].real = 1;
	s->buf[N_Y].by = N_DY;
	s->buf[N_DX].of = N_X;
	s->buf[N_DRES].of = N_RES;
	s->buf[N_DGAMMA].of = N_GAMMA;
	s->buf[N_DBETA].of = N_BETA;
	s->buf[N_DBIAS].of = N_BIAS;
}

static void
p_embed(struct problem *s, int rows, int n, float p)
{
	*s = (struct problem){ .op = RK_EMBED, .rows = rows, .n = n, .k = 40, .p = p, .eps = 1e-12f };
	snprintf(s->name, sizeof(s->name), "embed %dx%d, dropout %g", rows, n, p);
	p_keys(s, rows);
	s->token = p_calloc(rows, 1);
	s->segment = p_calloc(rows, 1);
	s->position = p_calloc(rows, sizeof(int32_t));
	for (int i = 0; i < rows; i++) {
		s->token[i] = p_bits() % 39;
		s->segment[i] = p_bits() % 2;
		s->position[i] = p_bits() % 40;
	}
	p_buf(s, "word", 0, 39 * (size_t)n, 0, 1);
	p_buf(s, "position", 0, 40 * (size_t)n, 0, 1);
	p_buf(s, "segment", 0, 2 * (size_t)n, 0, 1);
	p_buf(s, "gamma", 0, n, 1, 0.5);
	p_buf(s, "beta", 0, n, 0, 0.5);
	p_buf(s, "z", 1, (size_t)rows * n, 0, 0);
	p_buf(s, "stats", 1, 2 * (size_t)rows, 0, 0);
	p_buf(s, "y", 1, (size_t)rows * n, 0, 0);
	p_buf(s, "dy", 1, (size_t)rows * n, 0, 1);
	p_buf(s, "dword", 0, 39 * (size_t)n, 0, 1);
	p_buf(s, "dposition", 0, 40 * (size_t)n, 0, 1);
	p_buf(s, "dsegment", 0, 2 * (size_t)n, 0, 1);
	p_buf(s, "dgamma", 0, n, 0, 1);
	p_buf(s, "dbeta", 0, n, 0, 1);
	s->buf[E_STATS].real = 1;
	s->buf[E_Y].by = E_DY;
	for (int i = 0; i < 5; i++)
		s->buf[E_DWORD + i].of = E_WORD + i;
}

/* lens ends with 0. */
static void
p_attention(struct problem *s, const int *lens, int heads, int dim, float p)
{
	int rows = 0, longest = 0;

	*s = (struct problem){ .op = RK_ATTENTION, .n = heads * dim, .heads = heads, .p = p };
	for (; lens[s->seqs] > 0; s->seqs++) {
		s->lens[s->seqs] = lens[s->seqs];
		s->offsets[s->seqs + 1] = rows += lens[s->seqs];
		longest = lens[s->seqs] > longest ? lens[s->seqs] : longest;
	}
	s->rows = rows;
	s->k = longest;
	snprintf(s->name, sizeof(s->name), "attention %d sequences, longest %d, %dx%d, dropout %g", s->seqs, longest,
	    heads, dim, p);
	p_keys(s, rows);
	s->live[RK_LIVE_SEQS] = s->seqs;
	p_buf(s, "qkv", 1, 3 * (size_t)rows * s->n, 0, 1.5);
	p_buf(s, "o", 1, (size_t)rows * s->n, 0, 0);
	p_buf(s, "lse", 1, (size_t)rows * heads, 0, 0);
	p_buf(s, "do", 1, (size_t)rows * s->n, 0, 1);
	p_buf(s, "dqkv", 1, 3 * (size_t)rows * s->n, 0, 1);
	s->buf[A_LSE].real = 1;
	s->buf[A_O].by = A_DO;
	s->buf[A_DQKV].of = A_QKV;
}

static void
p_cross_entropy(struct problem *s, int rows, int classes, float smoothing)
{
	*s = (struct problem){ .op = RK_CROSS_ENTROPY, .rows = rows, .classes = classes, .smoothing = smoothing };
	snprintf(s->name, sizeof(s->name), "cross entropy %dx%d, smoothing %g", rows, classes, smoothing);
	p_keys(s, rows);
	s->target = p_calloc(rows, sizeof(int32_t));
	s->weight = p_calloc(rows, sizeof(float));
	s->hit = p_calloc(rows, 1);
	p_buf(s, "logits", 1, (size_t)rows * classes, 0, 3);
	p_buf(s, "loss", 1, rows, 0, 0);
	p_buf(s, "one", 1, rows, 0, 1);
	p_buf(s, "dlogits", 1, (size_t)rows * classes, 0, 1);
	for (int i = 0; i < rows; i++) {
		s->target[i] = i % 7 == 3 ? -1 : (int)(p_bits() % classes);
		s->weight[i] = (float)s->buf[C_ONE].v[i];
	}
	s->buf[C_LOSS].real = s->buf[C_ONE].real = 1;
	s->buf[C_LOSS].by = C_ONE;
	s->buf[C_DLOGITS].of = C_LOGITS;
}

/* Segments of the given lengths (ended by -1), a row of no segment between each two; softmax: of one column. */
__attribute__((unused)) static void
p_segments(struct problem *s, const int *lens, int columns, int weighted, int softmax)
{
	int rows = 1;

	*s = (struct problem){ .op = softmax ? RK_SEGMENT_SOFTMAX : RK_SEGMENT_SUM, .n = columns };
	for (; lens[s->seqs] >= 0; s->seqs++) {
		s->first[s->seqs] = rows;
		s->count[s->seqs] = lens[s->seqs];
		rows += lens[s->seqs] + 1;
	}
	s->rows = rows;
	snprintf(s->name, sizeof(s->name), "%s of %d segments, %d columns",
	    softmax ? "softmax" : weighted ? "weighted sum" : "mean", s->seqs, columns);
	p_keys(s, rows);
	s->live[RK_LIVE_SEQS] = s->seqs;
	p_buf(s, "weight", 1, weighted ? rows : 0, 0, 1);
	p_buf(s, "x", 1, (size_t)rows * columns, 0, 2);
	p_buf(s, "y", 1, (size_t)(softmax ? rows : s->seqs) * columns, 0, 0);
	p_buf(s, "dy", 1, (size_t)(softmax ? rows : s->seqs) * columns, 0, 1);
	p_buf(s, "dx", 1, (size_t)rows * columns, 0, 1);
	p_buf(s, "dweight", 1, weighted ? rows : 0, 0, 1);
	s->buf[G_Y].by = G_DY;
	s->buf[G_DX].of = G_X;
	s->buf[G_DWEIGHT].of = weighted ? G_WEIGHT : -1;
}

/* The op that is the backward pass of one whose backward pass is one op. */
static enum rk_op
p_back_op(enum rk_op op)
{
	switch (op) {
	case RK_NORM:
		return RK_NORM_BACK;
	case RK_EMBED:
		return RK_EMBED_BACK;
	case RK_SEGMENT_SUM:
		return RK_SEGMENT_SUM_BACK;
	case RK_SEGMENT_SOFTMAX:
		return RK_SEGMENT_SOFTMAX_BACK;
	default:
		return RK_ATTENTION_BACK;
	}
}

/* The calls of a problem on the backend's buffers. */
static void
p_calls(struct problem *s, struct rk *rk, void **packed)
{
	struct buf *b = s->buf;
	const int halves = s->precision == RK_BF16 || s->precision == RK_FP8;
	struct rk_call c = { .op = s->op, .store = halves ? RK_BF16 : RK_FP32 };
	struct rk_dropout drop = { s->p, 5, s->row_key };

	s->ncalls = 0;
	if (s->make != NULL) {
		s->make(s, rk, packed);
		return;
	}
	for (int i = 0; i < 2; i++)
		s->packed[i] = rk_pack_size(rk, s->n, s->k, s->precision, i);
#define D(i) (b[i].n > 0 ? b[i].d : NULL)
	switch (s->op) {
	case RK_LINEAR:
		c.u.linear = (struct rk_linear){.rows = RK_LIVE_TOKENS,
		    .cap = s->rows,
		    .w = {.w = D(L_W), .n = s->n, .k = s->k, .precision = s->precision},
		    .x = D(L_X),
		    .bias = D(L_BIAS),
		    .act = s->act,
		    .y = D(L_Y),
		    .pre = D(L_PRE),
		    .dy = D(L_DY),
		    .dx = D(L_DX),
		    .accumulate = s->accumulate,
		    .dw = D(L_DW),
		    .dbias = D(L_DBIAS)};
		for (int i = 0; i < 2; i++)
			packed[i] = rk_alloc(rk, s->packed[i]);
		c.u.linear.w.fwd = packed[0];
		c.u.linear.w.bwd = s->precision == RK_INT8 || s->precision == RK_FP8 ? NULL : packed[1];
		s->calls[s->ncalls++] = (struct rk_call){ .op = RK_PACK, .u.pack.w = c.u.linear.w };
		break;
	case RK_NORM:
		c.u.norm = (struct rk_norm){.rows = RK_LIVE_TOKENS,
		    .cap = s->rows,
		    .hidden = s->n,
		    .x = D(N_X),
		    .bias = D(N_BIAS),
		    .residual = D(N_RES),
		    .gamma = D(N_GAMMA), .beta = D(N_BETA),
		    .eps = s->eps,
		    .drop = drop,
		    .z = D(N_Z), .stats = D(N_STATS),
		    .y = D(N_Y),
		    .dy = D(N_DY),
		    .dx = D(N_DX), .dresidual = D(N_DRES),
		    .dgamma = D(N_DGAMMA), .dbeta = D(N_DBETA), .dbias = D(N_DBIAS)};
		break;
	case RK_EMBED:
		c.u.embed = (struct rk_embed){.cap = s->rows,
		    .hidden = s->n,
		    .vocab = 39,
		    .positions = s->k,
		    .token = s->token,
		    .segment = s->segment,
		    .position = s->position,
		    .word = D(E_WORD),
		    .pos = D(E_POS),
		    .seg = D(E_SEG),
		    .gamma = D(E_GAMMA),
		    .beta = D(E_BETA),
		    .eps = s->eps,
		    .drop = drop,
		    .z = D(E_Z),
		    .stats = D(E_STATS),
		    .y = D(E_Y),
		    .dy = D(E_DY),
		    .dword = D(E_DWORD), .dpos = D(E_DPOS), .dseg = D(E_DSEG),
		    .dgamma = D(E_DGAMMA), .dbeta = D(E_DBETA)};
		break;
	case RK_ATTENTION:
		c.u.attention = (struct rk_attention){.heads = s->heads,
		    .dim = s->n / s->heads,
		    .cap = s->rows,
		    .cap_seqs = s->seqs,
		    .max_len = s->k,
		    .offsets = s->offsets_d,
		    .qkv = D(A_QKV),
		    .drop = drop,
		    .o = D(A_O),
		    .lse = D(A_LSE),
		    .precision = s->precision,
		    .dout = D(A_DO),
		    .dqkv = D(A_DQKV)};
		break;
	case RK_SEGMENT_SUM: case RK_SEGMENT_SOFTMAX:
		c.u.segments = (struct rk_segments){RK_LIVE_SEQS, s->seqs, s->n, s->first, s->count, D(G_WEIGHT),
		    D(G_X), D(G_Y), D(G_DY), D(G_DX), D(G_DWEIGHT)};
		break;
	default:
		c.u.cross_entropy = (struct rk_cross_entropy){.rows = RK_LIVE_TOKENS,
		    .cap = s->rows,
		    .classes = s->classes,
		    .logits = D(C_LOGITS),
		    .target = s->target,
		    .weight = s->weight,
		    .smoothing = s->smoothing,
		    .loss = D(C_LOSS),
		    .hit = s->hit,
		    .dlogits = D(C_DLOGITS)};
		break;
	}
#undef D
	s->calls[s->ncalls++] = c;
	s->nforward = s->ncalls;
	if (s->op == RK_CROSS_ENTROPY || s->precision == RK_INT8 || s->precision == RK_FP8)
		return;
	if (s->op == RK_LINEAR)
		for (int i = 0; i < 3; i++) {
			c.op = i == 0 ? RK_ACT_BACK : i == 1 ? RK_LINEAR_BACK_X : RK_LINEAR_BACK_W;
			s->calls[s->ncalls++] = c;
		}
	else {
		c.op = p_back_op(s->op);
		s->calls[s->ncalls++] = c;
	}
}

#include "kernel_run.h"

#endif
