/*
 * rk.h: the one interface between models and arithmetic.  A backend (plain-C reference in float and double, CPU, CUDA)
 * executes lists of calls; a call is an op and its arguments, so a list is recorded once per shape class and replayed
 * (on CUDA as a graph).  Plain C types only.
 *
 * Conventions.
 *  - Activations are row-major [rows, columns], packed: row t is token t of the batch, sequence b owns the rows
 *    offsets[b] .. offsets[b+1]-1, nothing is padded.  `real` is the backend's element: float, or double in "ref64".
 *  - An element of an activation or its gradient has rk_store_size bytes: it is `real`, or bf16 on a device in calls
 *    whose `store` is RK_BF16 (as it is with products in RK_FP8).  Parameters, their gradients, statistics, log-sums
 *    and losses are always `real`.
 *  - Shapes in a call are capacities.  The live number of rows is live[call row index], an int32 array in device memory
 *    (enum rk_live), written before a run.  Rows past the live count are neither read nor written; on a device products
 *    cover the capacity, and rows past the live count of what a linear op is given or makes hold anything after a run.
 *  - No op returns a host value.  Every reduction has a fixed partition: results do not depend on the number of
 *    threads, and a sequence's rows do not depend on which other sequences are in the batch (bit for bit).
 *  - Pointers in calls are device memory from rk_alloc, aligned to 64.  No op allocates.
 *  - "+=" below: accumulates; everything else overwrites.  Inputs and outputs may not overlap unless said.
 */
#ifndef RK_H
#define RK_H

#include <stddef.h>
#include <stdint.h>

/* functions that kernels on a GPU call too */
#ifdef __CUDACC__
#define RK_EVERYWHERE __host__ __device__
#else
#define RK_EVERYWHERE
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum rk_status { RK_OK = 0, RK_EMEM, RK_EDEVICE, RK_EINVAL };

/*
 * Of matrix products; accumulation is always fp32 or wider.  RK_INT8 and RK_FP8 are for inference.
 * RK_FP8: every row of x and of w is scaled by the power of two that brings its largest magnitude into (224, 448] and
 * rounded to e4m3 (a sign, 4 bits of exponent, 3 of mantissa; Micikevicius et al. 2022), ties to even; their sums are
 * scaled back.  A matrix that rk_fp8_takes not is multiplied in bf16.  Activations are stored as with RK_BF16.
 */
enum rk_precision { RK_FP32, RK_BF16, RK_INT8, RK_FP8 };

static RK_EVERYWHERE inline int
rk_fp8_takes(int n, int k)
{
	return n % 16 == 0 && k % 16 == 0;
}

/* GELU: x * Phi(x), the erf form; CELU: x where x > 0, else e^x - 1 */
enum rk_act { RK_NONE, RK_RELU, RK_GELU, RK_TANH, RK_CELU };

/* Rows of a call. */
enum rk_live {
	RK_LIVE_TOKENS, RK_LIVE_SEQS, RK_LIVE_ROWS, RK_LIVE_SLOTS,
	RK_LIVE_MAPS, RK_LIVE_CELLS,        /* square maps, and their cells: side N, N * N rows, row by row */
	RK_LIVE_PAIRS,                      /* cells of the merged maps, one a sequence (RK_PAIR_MERGE) */
	RK_LIVE_VALID, RK_LIVE_POOLED, RK_LIVE_STEPS,   /* after a convolution without padding, pooling, turn */
	RK_NLIVE
};

/*
 * A weight matrix [n, k] as PyTorch stores Linear.weight, and its packed forms (RK_PACK makes them).  With taps > 1 a
 * convolution's, real [n, k / taps, taps] as PyTorch stores Conv1d.weight and Conv2d.weight (taps row by row): its bwd
 * takes rk_pack_size(k / taps, n * taps, precision, 0) bytes.
 */
struct rk_weight {
	const void *w;       /* real [n, k] */
	void *fwd;           /* packed for y = x w^T, in the precision of the product: rk_pack_size bytes */
	void *bwd;           /* packed for dx = dy w, or NULL for inference and in int8 */
	int n, k;
	enum rk_precision precision;
	int taps;            /* 0 or 1: a matrix */
};

/*
 * Dropout.  Element (row, column) of a site is kept when rk_drop_bits(row_key[row], site, column) >= p * 2^32, and
 * scaled by 1/(1-p).  row_key is keyed by (seed, epoch, rid, chunk, position), so the mask does not depend on batching.
 * Attention: row = query token, site = call's site + head, column = key position in its sequence.
 * p = 0: row_key is not read.
 */
struct rk_dropout {
	float p;
	uint32_t site;
	const uint64_t *row_key;
};

static RK_EVERYWHERE inline uint32_t
rk_drop_bits(uint64_t row_key, uint32_t site, uint32_t column)
{
	uint32_t h = (uint32_t)row_key ^ (site * 0x9e3779b9u);

	h = (h ^ (column * 0x85ebca6bu)) * 0xcc9e2d51u;
	h ^= h >> 15;
	h = (h ^ (uint32_t)(row_key >> 32)) * 0x1b873593u;
	h ^= h >> 13;
	h *= 0xc2b2ae35u;
	return h ^ (h >> 16);
}

enum rk_op {
	RK_PACK,            /* w.fwd, w.bwd from w.w */
	RK_EMBED,           /* y = dropout(norm(word[token] + position[pos] + segment[seg])) */
	RK_EMBED_BACK,
	RK_LINEAR,          /* y = act(x w^T + bias) */
	RK_LINEAR_BACK_X,   /* dx = dy w   (or +=) */
	RK_LINEAR_BACK_W,   /* dw += dy^T x, dbias += column sums of dy */
	RK_ACT_BACK,        /* dy *= act'(.) in place */
	RK_NORM,            /* z = dropout(x + bias) + residual; y = norm(z) * gamma + beta */
	RK_NORM_BACK,
	RK_ATTENTION,       /* o = softmax(q k^T / sqrt(d)) v, per sequence and head */
	RK_ATTENTION_BACK,
	RK_GATHER,          /* y[r] = x[index[r]] */
	RK_SCATTER_ADD,     /* x[index[r]] += y[r]; indexes distinct */
	RK_SEGMENT_SUM,     /* y[b] = sum of weight[r] * x[r] over the rows r of segment b; or their mean */
	RK_SEGMENT_SUM_BACK,
	RK_SEGMENT_SOFTMAX, /* y[r] = exp(x[r]) / sum of exp(x) over the rows of r's segment; one column */
	RK_SEGMENT_SOFTMAX_BACK,
	RK_CROSS_ENTROPY,   /* loss, hits and dlogits of rows of logits */
	RK_ZERO,            /* bytes to 0 */
	RK_ADD,             /* y += x */
	RK_SUM_SQUARES,     /* out[0] = sum of squares, fp64 */
	RK_ADAMW,           /* one decoupled-decay Adam step over a flat array, with clip by global norm */
	RK_DROPOUT,         /* y[r] = dropout(x[r]), keyed by the token that row r was gathered from */
	RK_LOOKUP,          /* y[r] = table[id[r]] */
	RK_LOOKUP_BACK,     /* dtable[id[r]] += dy[r], but for the padding row */
	RK_COLUMNS,         /* columns of x to columns of y (or +=): joining and parting of channels, copies, sums */
	RK_CONV1D,          /* y[t] = act(bias + sum_u W_u x[t + u - pad]), zero outside the sequence */
	RK_CONV1D_BACK_X,   /* dx (or +=) */
	RK_CONV1D_BACK_W,   /* dw +=, dbias += */
	RK_CONV2D,          /* the same over square maps: y[i,j] = act(bias + sum_uv W_uv x[i+u-pad, j+v-pad]) */
	RK_CONV2D_BACK_X,
	RK_CONV2D_BACK_W,
	RK_GROUP_NORM,      /* y = dropout(act(norm(x) * gamma + beta)) + residual, norm over all rows of a group */
	RK_GROUP_NORM_BACK,
	RK_LSTM,            /* the recurrence, one or two directions */
	RK_LSTM_BACK,
	RK_MAX_POOL,        /* y[t] = max(x[2t], x[2t + 1]) within each sequence; a last odd row is left out */
	RK_MAX_POOL_BACK,   /* to the first of equals */
	RK_TURN,            /* each sequence's [rows, columns] on its side: [columns, rows]; its own gradient */
	RK_CELL_KEYS,       /* keys of dropout for cells of maps */
	RK_PAIR_MAP,        /* maps of pairs of tokens */
	RK_PAIR_MAP_BACK,
	RK_PAIR_MERGE,      /* one map from the two images of a sequence */
	RK_PAIR_MERGE_BACK,
	RK_NOPS
};

struct rk_pack { struct rk_weight w; };

struct rk_embed {       /* rows: tokens */
	int cap;                            /* capacity in tokens */
	int hidden, vocab, positions;       /* tables are [vocab, hidden], [positions, hidden], [2, hidden] */
	const uint8_t *token, *segment;     /* [rows] */
	const int32_t *position;            /* [rows], 0 .. positions-1 */
	const void *word, *pos, *seg, *gamma, *beta;
	float eps;
	struct rk_dropout drop;
	void *z;                            /* sum before the norm [rows, hidden] for the backward pass; or NULL */
	void *stats;                        /* mean and 1/std [rows, 2]; NULL with z */
	void *y;                            /* [rows, hidden] */
	/* backward: dy in; gradients += */
	const void *dy;
	void *dword, *dpos, *dseg, *dgamma, *dbeta;
};

struct rk_linear {
	int rows;                           /* enum rk_live */
	int cap;                            /* capacity in rows */
	struct rk_weight w;                 /* w.k columns of x, w.n columns of y */
	const void *x;                      /* [rows, k] */
	const void *bias;                   /* [n] or NULL */
	enum rk_act act;
	void *y;                            /* [rows, n]; RELU, TANH and CELU differentiate from it */
	void *pre;                          /* GELU in training: x w^T + bias [rows, n], else NULL */
	/* backward */
	void *dy;                           /* [rows, n]; RK_ACT_BACK changes it in place */
	void *dx;                           /* [rows, k] */
	int accumulate;                     /* RK_LINEAR_BACK_X: 1: dx += */
	void *dw, *dbias;                   /* [n, k], [n] (dbias may be NULL) */
};

struct rk_norm {
	int rows, cap;
	int hidden;
	const void *x;                      /* [rows, hidden] */
	const void *bias;                   /* [hidden] or NULL: the bias of the linear before */
	const void *residual;               /* [rows, hidden] or NULL */
	const void *gamma, *beta;
	float eps;
	struct rk_dropout drop;
	void *z, *stats;                    /* kept for the backward pass, or both NULL */
	void *y;                            /* may be x */
	/* backward */
	const void *dy;
	void *dx;                           /* of x, through dropout; may be dresidual when drop.p is 0 */
	void *dresidual;                    /* NULL when residual is */
	void *dgamma, *dbeta, *dbias;       /* +=; dbias may be NULL */
};

struct rk_attention {   /* rows: tokens */
	int heads, dim;                     /* hidden = heads * dim */
	int cap, cap_seqs, max_len;         /* capacities: tokens, sequences, longest sequence */
	const int32_t *offsets;             /* [seqs + 1] */
	const void *qkv;                    /* [tokens, 3 * hidden]: q, k, v side by side, heads within each */
	struct rk_dropout drop;             /* on the probabilities */
	void *o;                            /* [tokens, hidden] */
	void *lse;                          /* [tokens, heads]: log sum exp of scaled scores; NULL in inference */
	enum rk_precision precision;        /* but for RK_FP32: bf16 operands */
	/* backward */
	const void *dout;
	void *dqkv;
};

struct rk_rows {        /* RK_GATHER, RK_SCATTER_ADD */
	int rows, cap;                      /* of y and index */
	int columns;
	const int32_t *index;               /* [rows] */
	void *x, *y;
};

struct rk_drop_rows {   /* backward: the same call with dy as x and dx as y */
	int rows, cap;
	int columns;
	const int32_t *index;               /* [rows]: row r has the key row_key[index[r]]; NULL: row_key[r] */
	struct rk_dropout drop;
	const void *x;                      /* [rows, columns] */
	void *y;                            /* may be x */
};

struct rk_lookup {      /* rows: tokens */
	int cap, entries, columns;
	int pad;                            /* the entry that gets no gradient, or -1 */
	const uint8_t *id;                  /* [rows], 0 .. entries-1 */
	const void *table;                  /* [entries, columns] */
	void *y;
	const void *dy;
	void *dtable;                       /* += */
};

struct rk_columns {
	int rows, cap;
	int columns;                        /* how many are moved */
	const void *x;                      /* [rows, x_columns], from column x_at on */
	int x_columns, x_at;
	void *y;                            /* [rows, y_columns], from column y_at on; the others stay as they are */
	int y_columns, y_at;
	int accumulate;                     /* 1: y += x */
};

/*
 * Sequence (or map) b owns the rows first[b] .. first[b+1]-1 of y and x_first[b] .. of x.  RK_CONV1D: the number of
 * rows of y is that of x + 2 pad - width + 1, or 0 where that is negative.  RK_CONV2D: pad is width / 2 and width odd,
 * x_first is first, and map b has side[b] rows of side[b] cells.  w.taps is width (1D) or width * width (2D); channels
 * last.  Precision: RK_FP32.
 */
struct rk_conv {
	int rows, cap;                      /* of y */
	int seqs, cap_seqs;                 /* RK_LIVE_SEQS or RK_LIVE_MAPS, and its capacity */
	int max_len;                        /* longest sequence of x, or largest side */
	struct rk_weight w;                 /* w.k / w.taps columns of x, w.n columns of y */
	int width, pad;
	const int32_t *x_first, *first;     /* [seqs + 1] */
	const int32_t *side;                /* [seqs], 2D */
	const void *x, *bias;               /* bias [n] or NULL */
	enum rk_act act;                    /* not GELU; RK_ACT_BACK (its struct) comes before the backward ops */
	void *y;
	/* backward */
	const void *dy;
	void *dx;
	int accumulate;                     /* 1: dx += */
	void *dw, *dbias;                   /* += */
};

/*
 * Mean and variance over all rows and columns of a group, biased; gamma and beta by column.  With first NULL every row
 * is a group: layer norm with an activation after it.
 */
struct rk_group_norm {
	int rows, cap;
	int groups, cap_groups;             /* RK_LIVE_SEQS or RK_LIVE_MAPS, and its capacity; not with first NULL */
	int columns;
	const int32_t *first;               /* [groups + 1] rows of each group, or NULL */
	const void *x;
	const void *gamma, *beta;
	float eps;
	enum rk_act act;                    /* RK_NONE, RK_RELU, RK_CELU */
	struct rk_dropout drop;             /* row_key by row */
	const void *residual;               /* [rows, columns] or NULL */
	void *stats;                        /* mean and 1/std [groups (or rows), 2] */
	void *y;                            /* may be x where there is no backward pass */
	/* backward: from x and stats */
	const void *dy;
	void *dx;                           /* may be dy when dresidual is NULL */
	void *dresidual;                    /* NULL when residual is */
	void *dgamma, *dbeta;               /* += */
};

/*
 * Gates in PyTorch's order i, f, g, o: i, f, o = sigmoid, g = tanh of gates[t] + w_hh h[t-1] + b_hh;
 * c[t] = f c[t-1] + i g; h[t] = o tanh(c[t]); h and c are 0 before the first step.  Direction 1 runs from the last row
 * to the first.  gates comes in as x w_ih^T + b_ih (RK_LINEAR) and is overwritten by i, f, g, o.
 */
struct rk_lstm {
	int rows, cap, cap_seqs, max_len;
	int hidden, directions;             /* directions: 1 or 2 */
	const int32_t *first;               /* [seqs + 1] */
	void *gates[2];                     /* [rows, 4 hidden] */
	const void *w_hh[2], *b_hh[2];      /* [4 hidden, hidden], [4 hidden] */
	void *cell[2];                      /* [rows, hidden] */
	void *y;                            /* [rows, directions * hidden] */
	/* backward */
	const void *dy;
	void *dgates[2];                    /* of gates as they came in */
	void *dw_hh[2], *db_hh[2];          /* += */
};

struct rk_max_pool {
	int rows, cap, cap_seqs;            /* of y */
	int columns;
	const int32_t *x_first, *first;     /* [seqs + 1] */
	const void *x;
	void *y;
	const void *dy;
	void *dx;
};

struct rk_turn {        /* backward: the same call with dy as x, dx as y, rows and columns exchanged */
	int cap_seqs;
	int rows, columns;                  /* of every sequence of x */
	const void *x;                      /* [seqs * rows, columns] */
	void *y;                            /* [seqs * columns, rows] */
};

/* The key of cell (i, j) of image 0 or 1, from the keys of its tokens. */
static RK_EVERYWHERE inline uint64_t
rk_cell_key(uint64_t key_i, uint64_t key_j, int image)
{
	uint64_t z = (key_i + (uint64_t)image) * 0x9e3779b97f4a7c15u + (key_j ^ key_j >> 29) * 0xbf58476d1ce4e5b9u;

	z = (z ^ z >> 32) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/*
 * Maps of sequence b: images (1 or 2) maps of side N = offsets[b+1] - offsets[b], one after the other, from row
 * maps[images * b] on.  Cell (i, j) has columns/2 even columns of x[i] and columns/2 odd columns of x[j], these in
 * reverse order.  Image 0 has the cells j > i (diagonal 1: j >= i), image 1 the cells j < i; the others are 0.
 * RK_PAIR_MERGE takes each cell from the image that has it, and 0 where none does.
 */
struct rk_pair {
	int cap, cap_cells, cap_seqs;       /* tokens; cells of all images; sequences */
	int columns, images, diagonal;
	const int32_t *offsets;             /* [seqs + 1] tokens */
	const int32_t *maps;                /* [images * seqs + 1] cells of the images */
	const int32_t *pairs;               /* [seqs + 1] cells of the merged map; RK_PAIR_MERGE */
	const uint64_t *row_key;            /* [tokens]; RK_CELL_KEYS */
	uint64_t *key;                      /* RK_CELL_KEYS writes: with pairs NULL [cells], else [pairs], as image 0 */
	const void *x;                      /* [tokens, columns]; RK_PAIR_MERGE: [cells, columns] */
	void *y;                            /* [cells, columns]; RK_PAIR_MERGE: [pairs, columns] */
	/* backward */
	const void *dy;
	void *dx;
};

/*
 * Segment b is rows first[b] .. first[b]+count[b]-1 of x; segments do not overlap, and may be empty (y[b] = 0).  What
 * belongs to rows of no segment is neither read nor written.
 */
struct rk_segments {    /* RK_SEGMENT_SUM, RK_SEGMENT_SOFTMAX and their backward passes */
	int rows, cap;                      /* of segments */
	int columns;                        /* of x; 1 for the softmax */
	const int32_t *first, *count;       /* [rows] */
	const void *weight;                 /* a sum's: real [rows of x]; NULL: 1/count[b] */
	const void *x;
	void *y;                            /* [rows, columns]; of the softmax: as x, which it may not be */
	/* backward: gradients += */
	const void *dy;                     /* as y */
	void *dx;                           /* as x: weight[r] * dy[b]; y (dy - sum of y dy over the segment) */
	void *dweight;                      /* as weight: sum of x[r] * dy[b] over the columns; NULL: not wanted */
};

struct rk_cross_entropy {
	int rows, cap;
	int classes;
	const void *logits;                 /* [rows, classes] */
	const int32_t *target;              /* [rows]; -1: row is ignored (loss 0, gradient 0) */
	const float *weight;                /* [rows]: the row's share of the total loss, e.g. 1/targets of the step */
	float smoothing;                    /* label smoothing, 0: none */
	void *loss;                         /* real [rows], not weighted */
	uint8_t *hit;                       /* [rows]: 1 when the target has the largest logit (first of equals) */
	void *dlogits;                      /* [rows, classes], weighted; NULL: not wanted; may be logits */
};

struct rk_bytes { void *p; size_t n; };
struct rk_add { int rows, cap, columns; const void *x; void *y; };

/* scratch: rk_sum_scratch(n) doubles */
struct rk_sum_squares { const void *x; size_t n; double *out; double *scratch; };

struct rk_adamw {       /* Loshchilov & Hutter 2019; bias-corrected as PyTorch's AdamW */
	size_t n;
	void *p;                            /* real [n] */
	const void *g;                      /* real [n] */
	void *m, *v;                        /* real [n] */
	const uint8_t *decay;               /* [ceil(n/64)]: 1 where weight decay applies to that block of 64 */
	const double *norm2;                /* sum of squares of all gradients, or NULL: no clip */
	const struct rk_adamw_step *step;   /* device memory, rewritten every step */
};

/* t counts from 1; clip 0: off */
struct rk_adamw_step { double lr, beta1, beta2, eps, weight_decay, clip; int64_t t; };

struct rk_call {
	enum rk_op op;
	enum rk_precision store;            /* RK_BF16: activations have rk_store_size(RK_BF16) bytes; else `real` */
	union {
		struct rk_pack pack;
		struct rk_embed embed;
		struct rk_linear linear;
		struct rk_norm norm;
		struct rk_attention attention;
		struct rk_rows rows;
		struct rk_drop_rows drop_rows;
		struct rk_segments segments;
		struct rk_lookup lookup;
		struct rk_columns columns;
		struct rk_conv conv;
		struct rk_group_norm group_norm;
		struct rk_lstm lstm;
		struct rk_max_pool max_pool;
		struct rk_turn turn;
		struct rk_pair pair;
		struct rk_cross_entropy cross_entropy;
		struct rk_bytes bytes;
		struct rk_add add;
		struct rk_sum_squares sum_squares;
		struct rk_adamw adamw;
	} u;
};

struct rk;          /* an open backend */
struct rk_list;     /* recorded calls */

/*
 * device: "cpu", "ref" (plain C, float), "ref64" (plain C, double), "cuda", "auto" (cuda where it can be had, else
 * cpu; then err says why not cuda, and is empty otherwise).  threads >= 1.
 * NULL and a sentence in err on failure (device missing, RILL_CPU names a level this machine lacks).
 * RILL_CPU=avx512bf16|avx512|avx2|plain forces a level of "cpu", for tests.
 */
struct rk *rk_open(const char *device, int threads, char *err, size_t errsize);
void rk_close(struct rk *rk);
const char *rk_name(const struct rk *rk);            /* "cpu avx512bf16", "ref64", ... */
const char *rk_level(const struct rk *rk);           /* "avx512bf16", "plain", "ref" ...: for the provenance */
size_t rk_real_size(const struct rk *rk);            /* bytes of `real`: 4, or 8 in ref64 */
int rk_is_device(const struct rk *rk);               /* 1: the time of a product goes by its capacity, not live rows */

void *rk_alloc(struct rk *rk, size_t bytes);         /* zeroed, aligned to 64; NULL: no memory */
void rk_free(struct rk *rk, void *p, size_t bytes);
/*
 * Gives back the memory of the whole pages within bytes at p: what was there is lost, and may be written anew.  1: this
 * backend can (0 bytes: that alone is asked).
 */
int rk_discard(struct rk *rk, void *p, size_t bytes);
size_t rk_taken(struct rk *rk);                      /* bytes of a device's memory gone since it was opened; host: 0 */
enum rk_status rk_upload(struct rk *rk, void *dst, const void *src, size_t bytes);
enum rk_status rk_download(struct rk *rk, void *dst, const void *src, size_t bytes);
enum rk_status rk_upload_f32(struct rk *rk, void *dst, const float *src, size_t n);    /* converts to real */
enum rk_status rk_download_f32(struct rk *rk, float *dst, const void *src, size_t n);

/* Bytes of an element of the activations of calls with that `store`, and such elements from and to float. */
size_t rk_store_size(const struct rk *rk, enum rk_precision store);
enum rk_status rk_upload_store(struct rk *rk, void *dst, const float *src, size_t n, enum rk_precision store);
enum rk_status rk_download_store(struct rk *rk, float *dst, const void *src, size_t n, enum rk_precision store);
int rk_unit_tokens(const struct rk *rk);             /* tokens of one batch that keep the backend busy */

/* Bytes of struct rk_weight.fwd (backward 0) or .bwd (backward 1). */
size_t rk_pack_size(const struct rk *rk, int n, int k, enum rk_precision precision, int backward);
size_t rk_sum_scratch(size_t n);
/* Whether a precision can be had on this backend and machine; if not, err says what is missing. */
int rk_has(const struct rk *rk, enum rk_precision precision, char *err, size_t errsize);

/* Runs calls in order; live is the device array of RK_NLIVE counts. */
struct rk_list *rk_list_create(struct rk *rk, const struct rk_call *calls, size_t n, const int32_t *live);
/* RK_EINVAL: a live count exceeds a capacity.  A device runs on beside the caller, and says so at the next rk_sync. */
enum rk_status rk_list_run(struct rk_list *list);
void rk_list_destroy(struct rk_list *list);
enum rk_status rk_sync(struct rk *rk);
const char *rk_error(const struct rk *rk);           /* sentence about the last failure */

#ifdef __cplusplus
}
#endif
#endif
