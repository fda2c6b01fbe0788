/*
 * cuda_lstm.cu: the recurrence of an LSTM.  A block has a sequence in one direction and goes from step to step;
 * gradients of the recurrent weights are sums over rows, made afterwards by threads that have one weight each.
 */
#include "cuda_common.h"

enum { THREADS = 256, PARTS = 32 };

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
	LAUNCH(run_lstm<T>, dim3(cuda_blocks(o->cap_seqs, 1, (size_t)x->dev->processors * 8), o->directions),
	    dim3(THREADS), 5 * (size_t)o->hidden * sizeof(float), x->stream, *o, x->live);
	return cudaGetLastError();
}

template <class T>
static cudaError_t
backward(const struct rk_lstm *o, enum rk_precision store, struct cuda_run *x)
{
	const size_t all = (size_t)4 * o->hidden * o->hidden;
	cudaError_t e = cudaSuccess;

	LAUNCH(run_lstm_back<T>, dim3(cuda_blocks(o->cap_seqs, 1, (size_t)x->dev->processors * 8), o->directions),
	    dim3(THREADS), 6 * (size_t)o->hidden * sizeof(float), x->stream, *o, x->live);
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
