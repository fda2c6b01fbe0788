/*
 * cuda_lstm.cu: the recurrence of an LSTM.  A block has a sequence in one direction and goes from step to step;
 * gradients of the recurrent weights are sums over rows, made afterwards by threads that have one weight each.
 *
 * A step takes as long as what waits for memory in it.  Up to NARROW cells the recurrent weights stay in registers, and
 * what a step reads is asked for during the one before.
 */
#include "cuda_common.h"

enum { THREADS = 256, PARTS = 32, NARROW = 64 };

__device__ __forceinline__ float
sigmoid(float v)
{
	return 1 / (1 + expf(-v));
}

/* Row of step s of sequence b in direction d, and the row of the step before; before < 0: none. */
struct step {
	int row, before;
};

__device__ __forceinline__ struct step
step_of(const struct rk_lstm &o, int b, int d, int s)
{
	const int row = d == 0 ? o.first[b] + s : o.first[b + 1] - 1 - s;

	return {row, s == 0 ? -1 : d == 0 ? row - 1 : row + 1};
}

template <class T>
static __global__ void
__launch_bounds__(THREADS, 5) run_lstm(struct rk_lstm o, const int32_t *live)
{
	SHARED_MEMORY(memory);
	const int n = o.hidden, d = blockIdx.y;
	float *h = (float *)memory, *gate = h + n;
	const float *w = (const float *)o.w_hh[d], *bias = (const float *)o.b_hh[d];

	for (int b = blockIdx.x; b < live[RK_LIVE_SEQS]; b += gridDim.x) {
		const int len = o.first[b + 1] - o.first[b];

		for (int i = threadIdx.x; i < n; i += THREADS)
			h[i] = 0;
		for (int s = 0; s < len; s++) {
			const struct step at = step_of(o, b, d, s);
			T *g = (T *)o.gates[d] + (size_t)at.row * 4 * n, *cell = (T *)o.cell[d] + (size_t)at.row * n;
			const T *old = (const T *)o.cell[d] + (size_t)(at.before < 0 ? 0 : at.before) * n;

			__syncthreads();
			for (int i = threadIdx.x; i < 4 * n; i += THREADS) {
				float v = to_float(g[i]) + bias[i];

				for (int j = 0; at.before >= 0 && j < n; j++)
					v += w[(size_t)i * n + j] * h[j];
				gate[i] = i / n == 2 ? tanhf(v) : sigmoid(v);
				g[i] = from_float<T>(gate[i]);
			}
			__syncthreads();
			for (int i = threadIdx.x; i < n; i += THREADS) {
				const float c =
				    gate[i] * gate[2 * n + i] + (at.before >= 0 ? gate[n + i] * to_float(old[i]) : 0);
				const T out = from_float<T>(gate[3 * n + i] * tanhf(c));

				cell[i] = from_float<T>(c);
				((T *)o.y)[((size_t)at.row * o.directions + d) * n + i] = out;
				h[i] = to_float(out);
			}
		}
		__syncthreads();
	}
}

template <class T>
static __global__ void
__launch_bounds__(THREADS) run_lstm_back(struct rk_lstm o, const int32_t *live)
{
	SHARED_MEMORY(memory);
	const int n = o.hidden, d = blockIdx.y;
	float *dh = (float *)memory, *dc = dh + n, *dgate = dc + n;
	const float *w = (const float *)o.w_hh[d];

	for (int b = blockIdx.x; b < live[RK_LIVE_SEQS]; b += gridDim.x) {
		for (int i = threadIdx.x; i < n; i += THREADS)
			dh[i] = dc[i] = 0;
		for (int s = o.first[b + 1] - o.first[b] - 1; s >= 0; s--) {
			const struct step at = step_of(o, b, d, s);
			const T *g = (const T *)o.gates[d] + (size_t)at.row * 4 * n;
			const T *cell = (const T *)o.cell[d] + (size_t)at.row * n;
			const T *old = (const T *)o.cell[d] + (size_t)(at.before < 0 ? 0 : at.before) * n;
			const T *dy = (const T *)o.dy + ((size_t)at.row * o.directions + d) * n;
			T *to = (T *)o.dgates[d] + (size_t)at.row * 4 * n;

			__syncthreads();
			for (int i = threadIdx.x; i < n; i += THREADS) {
				const float in = to_float(g[i]), forget = to_float(g[n + i]),
					    cand = to_float(g[2 * n + i]), out = to_float(g[3 * n + i]),
					    tc = tanhf(to_float(cell[i])), dhi = to_float(dy[i]) + dh[i],
					    dci = dc[i] + dhi * out * (1 - tc * tc);

				dgate[i] = dci * cand * in * (1 - in);
				dgate[n + i] = (at.before >= 0 ? dci * to_float(old[i]) : 0) * forget * (1 - forget);
				dgate[2 * n + i] = dci * in * (1 - cand * cand);
				dgate[3 * n + i] = dhi * tc * out * (1 - out);
				dc[i] = dci * forget;
			}
			__syncthreads();
			for (int i = threadIdx.x; i < 4 * n; i += THREADS)
				to[i] = from_float<T>(dgate[i]);
			for (int j = threadIdx.x; j < n; j += THREADS) {
				float v = 0;

				for (int i = 0; at.before >= 0 && i < 4 * n; i++)
					v += w[(size_t)i * n + j] * dgate[i];
				dh[j] = v;
			}
		}
		__syncthreads();
	}
}

/* Up to NARROW cells: a thread has a gate, and its row of weights in registers. */
template <class T>
static __global__ void
__launch_bounds__(THREADS, 2) run_narrow(struct rk_lstm o, const int32_t *live)
{
	SHARED_MEMORY(memory);
	const int n = o.hidden, d = blockIdx.y, i = threadIdx.x, mine = i < 4 * n;
	const float bias = mine ? ((const float *)o.b_hh[d])[i] : 0;
	float *h = (float *)memory, *gate = h + NARROW, w[NARROW];

#pragma unroll
	for (int j = 0; j < NARROW; j++)
		w[j] = mine && j < n ? ((const float *)o.w_hh[d])[i * n + j] : 0;
	for (int b = blockIdx.x; b < live[RK_LIVE_SEQS]; b += gridDim.x) {
		const int len = o.first[b + 1] - o.first[b];
		T *g = (T *)o.gates[d] + i;
		float c = 0, in = mine && len > 0 ? to_float(g[(size_t)step_of(o, b, d, 0).row * 4 * n]) : 0;

		if (i < NARROW)
			h[i] = 0;
		for (int s = 0; s < len; s++) {
			const size_t row = step_of(o, b, d, s).row;
			float v = in + bias;

			__syncthreads();
			if (mine && s + 1 < len)
				in = to_float(g[(size_t)step_of(o, b, d, s + 1).row * 4 * n]);
#pragma unroll
			for (int j = 0; j < NARROW; j++)
				v += w[j] * h[j];
			if (mine) {
				gate[i] = i / n == 2 ? tanhf(v) : sigmoid(v);
				g[row * 4 * n] = from_float<T>(gate[i]);
			}
			__syncthreads();
			if (i < n) {
				T out;

				c = gate[i] * gate[2 * n + i] + gate[n + i] * c;
				out = from_float<T>(gate[3 * n + i] * tanhf(c));
				((T *)o.cell[d])[row * n + i] = from_float<T>(c);
				((T *)o.y)[(row * o.directions + d) * n + i] = out;
				h[i] = to_float(out);
			}
		}
		__syncthreads();
	}
}

/* What the backward pass reads of cell i in a step. */
struct cell_step {
	float in, forget, cand, out, cell, old, dy;
};

template <class T>
__device__ __forceinline__ struct cell_step
read_step(const struct rk_lstm &o, int d, const struct step &at, int i)
{
	const int n = o.hidden;
	const T *g = (const T *)o.gates[d] + (size_t)at.row * 4 * n + i, *cell = (const T *)o.cell[d] + i;

	return {to_float(g[0]), to_float(g[n]), to_float(g[2 * n]), to_float(g[3 * n]),
	    to_float(cell[(size_t)at.row * n]), at.before >= 0 ? to_float(cell[(size_t)at.before * n]) : 0,
	    to_float(((const T *)o.dy)[((size_t)at.row * o.directions + d) * n + i])};
}

/* Up to NARROW cells: thread i < n has a cell; all threads have a share of the gates for one column each. */
template <class T>
static __global__ void
__launch_bounds__(THREADS, 2) run_narrow_back(struct rk_lstm o, const int32_t *live)
{
	SHARED_MEMORY(memory);
	const int n = o.hidden, d = blockIdx.y, i = threadIdx.x;
	const int shares = min((int)THREADS / n, 4 * n), per = (4 * n + shares - 1) / shares;
	const int first = i / n * per, count = i / n < shares ? max(min(per, 4 * n - first), 0) : 0;
	float *dgate = (float *)memory, *sums = dgate + 4 * NARROW, w[NARROW];

#pragma unroll
	for (int k = 0; k < NARROW; k++)
		w[k] = k < count ? ((const float *)o.w_hh[d])[(first + k) * n + i % n] : 0;
	for (int b = blockIdx.x; b < live[RK_LIVE_SEQS]; b += gridDim.x) {
		const int len = o.first[b + 1] - o.first[b];
		struct cell_step now = {};
		float dh = 0, dc = 0;

		if (i < n && len > 0)
			now = read_step<T>(o, d, step_of(o, b, d, len - 1), i);
		for (int s = len - 1; s >= 0; s--) {
			T *to = (T *)o.dgates[d] + (size_t)step_of(o, b, d, s).row * 4 * n;
			float v = 0;

			if (i < n) {
				const float tc = tanhf(now.cell), dhi = now.dy + dh,
					    dci = dc + dhi * now.out * (1 - tc * tc);

				dgate[i] = dci * now.cand * now.in * (1 - now.in);
				dgate[n + i] = dci * now.old * now.forget * (1 - now.forget);
				dgate[2 * n + i] = dci * now.in * (1 - now.cand * now.cand);
				dgate[3 * n + i] = dhi * tc * now.out * (1 - now.out);
				dc = dci * now.forget;
				if (s > 0)
					now = read_step<T>(o, d, step_of(o, b, d, s - 1), i);
			}
			__syncthreads();
			if (i < 4 * n)
				to[i] = from_float<T>(dgate[i]);
#pragma unroll
			for (int k = 0; k < NARROW; k++)
				if (k < count)
					v += w[k] * dgate[first + k];
			sums[i] = v;
			__syncthreads();
			dh = 0;
			for (int k = 0; i < n && k < shares; k++)
				dh += sums[k * n + i];
		}
		__syncthreads();
	}
}

/* Block (weights, part): weight (i, j) over the rows of the part: dgate_i of the row times h_j of the step before. */
template <class T>
static __global__ void
__launch_bounds__(THREADS) lstm_weights(struct rk_lstm o, int d, const int32_t *live, float *partial)
{
	const int n = o.hidden, seqs = live[RK_LIVE_SEQS], rows = o.first[seqs];
	const int per = (rows + gridDim.y - 1) / gridDim.y, first = blockIdx.y * per, end = min(first + per, rows);
	const size_t at = (size_t)blockIdx.x * THREADS + threadIdx.x, all = (size_t)4 * n * n;
	const int i = (int)(at / n), j = (int)(at % n);
	float s = 0;

	if (at >= all)
		return;
	for (int row = first, b = 0, last = first; row < end; row++) {
		if (row >= last) {
			b = find_sequence(o.first, seqs, row);
			last = o.first[b + 1];
		}
		const int before = d == 0 ? row - 1 : row + 1;

		if (before >= o.first[b] && before < last)
			s += to_float(((const T *)o.dgates[d])[(size_t)row * 4 * n + i]) *
			     to_float(((const T *)o.y)[((size_t)before * o.directions + d) * n + j]);
	}
	partial[blockIdx.y * all + at] = s;
}

template <class T>
static cudaError_t
forward(const struct rk_lstm *o, struct cuda_run *x)
{
	const int narrow = o->hidden <= NARROW;
	void (*kernel)(struct rk_lstm, const int32_t *) = narrow ? run_narrow<T> : run_lstm<T>;

	LAUNCH(kernel, dim3(cuda_blocks(o->cap_seqs, 1, (size_t)x->dev->processors * 8), o->directions), dim3(THREADS),
	    5 * (size_t)(narrow ? (int)NARROW : o->hidden) * sizeof(float), x->stream, *o, x->live);
	return cudaGetLastError();
}

template <class T>
static cudaError_t
backward(const struct rk_lstm *o, enum rk_precision store, struct cuda_run *x)
{
	const size_t all = (size_t)4 * o->hidden * o->hidden;
	const int narrow = o->hidden <= NARROW;
	void (*kernel)(struct rk_lstm, const int32_t *) = narrow ? run_narrow_back<T> : run_lstm_back<T>;
	cudaError_t e = cudaSuccess;

	LAUNCH(kernel, dim3(cuda_blocks(o->cap_seqs, 1, (size_t)x->dev->processors * 8), o->directions), dim3(THREADS),
	    (narrow ? 4 * (size_t)NARROW + THREADS : 6 * (size_t)o->hidden) * sizeof(float), x->stream, *o, x->live);
	for (int d = 0; d < o->directions && e == cudaSuccess; d++) {
		const struct cuda_sums s = {{(float *)o->dw_hh[d], NULL, NULL}};

		LAUNCH(lstm_weights<T>, dim3((unsigned)((all + THREADS - 1) / THREADS), PARTS), dim3(THREADS), 0,
		    x->stream, *o, d, x->live, (float *)x->scratch);
		e = cuda_add_partials(&s, 1, (float *)x->scratch, PARTS, all, x->stream);
		if (e == cudaSuccess)
			e = cuda_column_sums(
			    o->dgates[d], store, o->rows, o->cap, 4 * o->hidden, (float *)o->db_hh[d], x);
	}
	return e;
}

cudaError_t
cuda_lstm(const struct rk_call *c, struct cuda_run *x)
{
	return c->store == RK_BF16 ? forward<bf16>(&c->u.lstm, x) : forward<float>(&c->u.lstm, x);
}

size_t
cuda_lstm_back_scratch(const struct rk_call *c)
{
	const size_t n = c->u.lstm.hidden, weights = PARTS * 4 * n * n * sizeof(float),
		     columns = cuda_column_scratch(4 * n);

	return weights > columns ? weights : columns;
}

cudaError_t
cuda_lstm_back(const struct rk_call *c, struct cuda_run *x)
{
	return c->store == RK_BF16 ? backward<bf16>(&c->u.lstm, RK_BF16, x) : backward<float>(&c->u.lstm, RK_FP32, x);
}
