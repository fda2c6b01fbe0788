/*
 * ref_lstm.h: the recurrence of an LSTM, one row after the other.  Text of ref_ops.h.
 */

static real
ref_sigmoid(real x)
{
	return 1 / (1 + exp(-x));
}

/* h of the step before row t in direction d, from y; NULL at the first step. */
static const real *
ref_lstm_before(const struct rk_lstm *o, int d, int b, int t)
{
	const int before = d == 0 ? t - 1 : t + 1;

	if (before < o->first[b] || before >= o->first[b + 1])
		return NULL;
	return (const real *)o->y + ((size_t)before * o->directions + d) * o->hidden;
}

static void
ref_lstm_step(const struct rk_lstm *o, int d, int b, int t)
{
	const int n = o->hidden, back = d == 0 ? -1 : 1;
	const real *h = ref_lstm_before(o, d, b, t), *w = o->w_hh[d], *bias = o->b_hh[d];
	real *gate = (real *)o->gates[d] + 4 * (size_t)t * n, *cell = (real *)o->cell[d] + (size_t)t * n;
	real *y = (real *)o->y + ((size_t)t * o->directions + d) * n;

	for (int i = 0; i < 4 * n; i++) {
		real s = gate[i] + bias[i];

		for (int j = 0; h != NULL && j < n; j++)
			s += w[(size_t)i * n + j] * h[j];
		gate[i] = i / n == 2 ? tanh(s) : ref_sigmoid(s);
	}
	for (int i = 0; i < n; i++) {
		cell[i] = gate[i] * gate[2 * n + i] + (h != NULL ? gate[n + i] * cell[back * n + i] : 0);
		y[i] = gate[3 * n + i] * tanh(cell[i]);
	}
}

static void
ref_lstm(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_lstm *o = &c->u.lstm;

	for (int b = 0; b < e->live[RK_LIVE_SEQS]; b++)
		for (int d = 0; d < o->directions; d++)
			for (int i = 0; i < o->first[b + 1] - o->first[b]; i++)
				ref_lstm_step(o, d, b, d == 0 ? o->first[b] + i : o->first[b + 1] - 1 - i);
}

/* Backward through row t: dh and dc [hidden] come from the step after it, and go to the step before it. */
static void
ref_lstm_step_back(const struct rk_lstm *o, int d, int b, int t, real *dh, real *dc)
{
	const int n = o->hidden, back = d == 0 ? -1 : 1;
	const real *h = ref_lstm_before(o, d, b, t), *w = o->w_hh[d];
	const real *gate = (const real *)o->gates[d] + 4 * (size_t)t * n;
	const real *cell = (const real *)o->cell[d] + (size_t)t * n;
	const real *dy = (const real *)o->dy + ((size_t)t * o->directions + d) * n;
	real *dgate = (real *)o->dgates[d] + 4 * (size_t)t * n, *dw = o->dw_hh[d], *db = o->db_hh[d];

	for (int i = 0; i < n; i++) {
		const real in = gate[i], forget = gate[n + i], g = gate[2 * n + i], out = gate[3 * n + i];
		const real tc = tanh(cell[i]), dhi = dy[i] + dh[i], dci = dc[i] + dhi * out * (1 - tc * tc);
		const real before = h != NULL ? cell[back * n + i] : 0;

		dgate[i] = dci * g * in * (1 - in);
		dgate[n + i] = dci * before * forget * (1 - forget);
		dgate[2 * n + i] = dci * in * (1 - g * g);
		dgate[3 * n + i] = dhi * tc * out * (1 - out);
		dc[i] = dci * forget;
		dh[i] = 0;
	}
	for (int i = 0; i < 4 * n; i++) {
		db[i] += dgate[i];
		for (int j = 0; h != NULL && j < n; j++) {
			dh[j] += w[(size_t)i * n + j] * dgate[i];
			dw[(size_t)i * n + j] += dgate[i] * h[j];
		}
	}
}

static void
ref_lstm_back(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_lstm *o = &c->u.lstm;
	real *dh = e->own, *dc = dh + o->hidden;

	for (int b = 0; b < e->live[RK_LIVE_SEQS]; b++)
		for (int d = 0; d < o->directions; d++) {
			memset(dh, 0, 2 * sizeof(*dh) * o->hidden);
			for (int i = 0; i < o->first[b + 1] - o->first[b]; i++)
				ref_lstm_step_back(o, d, b, d == 0 ? o->first[b + 1] - 1 - i : o->first[b] + i, dh, dc);
		}
}
