/*
 * ref_attention.h: o = softmax(q k^T / sqrt(d)) v within each sequence, per head.  Text of ref_ops.h.
 */

static real
ref_dot(const real *a, const real *b, int n)
{
	real s = 0;

	for (int i = 0; i < n; i++)
		s += a[i] * b[i];
	return s;
}

/* One query t of a sequence of len tokens from row first: output row and log-sum. */
static void
ref_attention_row(const struct rk_attention *o, int first, int len, int t, int h, real *p)
{
	const int d = o->dim, hidden = o->heads * d, ld = 3 * hidden;
	const real *q = (const real *)o->qkv + (size_t)(first + t) * ld + h * d;
	const real *k = (const real *)o->qkv + (size_t)first * ld + hidden + h * d, *v = k + hidden;
	const real scale = 1 / sqrt((real)d);
	real *out = (real *)o->o + (size_t)(first + t) * hidden + h * d, *lse = o->lse;
	real top = -INFINITY, sum = 0;

	for (int j = 0; j < len; j++) {
		p[j] = scale * ref_dot(q, k + (size_t)j * ld, d);
		top = p[j] > top ? p[j] : top;
	}
	for (int j = 0; j < len; j++)
		sum += p[j] = exp(p[j] - top);
	memset(out, 0, d * sizeof(*out));
	for (int j = 0; j < len; j++) {
		real a = p[j] / sum * ref_keep(&o->drop, h, first + t, j);

		for (int i = 0; i < d; i++)
			out[i] += a * v[(size_t)j * ld + i];
	}
	if (lse != NULL)
		lse[(size_t)(first + t) * o->heads + h] = top + log(sum);
}

static void
ref_attention(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_attention *o = &c->u.attention;

	for (int b = 0; b < e->live[RK_LIVE_SEQS]; b++)
		for (int h = 0; h < o->heads; h++)
			for (int t = o->offsets[b]; t < o->offsets[b + 1]; t++)
				ref_attention_row(
				    o, o->offsets[b], o->offsets[b + 1] - o->offsets[b], t - o->offsets[b], h, e->own);
}

/* Gradients through query t: its dq, and its share of every dk and dv of the sequence. */
static void
ref_attention_back_row(const struct rk_attention *o, int first, int len, int t, int h)
{
	const int d = o->dim, hidden = o->heads * d, ld = 3 * hidden;
	const size_t at = (size_t)first * ld + h * d, row = first + t;
	const real *q = (const real *)o->qkv + at + (size_t)t * ld;
	const real *k = (const real *)o->qkv + at + hidden, *v = k + hidden;
	real *dq = (real *)o->dqkv + at + (size_t)t * ld, *dk = (real *)o->dqkv + at + hidden, *dv = dk + hidden;
	const real *dout = (const real *)o->dout + row * hidden + h * d;
	const real scale = 1 / sqrt((real)d), lse = ((const real *)o->lse)[row * o->heads + h];
	const real delta = ref_dot(dout, (const real *)o->o + row * hidden + h * d, d);

	for (int j = 0; j < len; j++) {
		real keep = ref_keep(&o->drop, h, row, j);
		real p = exp(scale * ref_dot(q, k + (size_t)j * ld, d) - lse);
		real ds = scale * p * (keep * ref_dot(dout, v + (size_t)j * ld, d) - delta);

		for (int i = 0; i < d; i++) {
			dq[i] += ds * k[(size_t)j * ld + i];
			dk[(size_t)j * ld + i] += ds * q[i];
			dv[(size_t)j * ld + i] += keep * p * dout[i];
		}
	}
}

static void
ref_attention_back(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_attention *o = &c->u.attention;

	memset(o->dqkv, 0, sizeof(real) * e->live[RK_LIVE_TOKENS] * 3 * o->heads * o->dim);
	for (int b = 0; b < e->live[RK_LIVE_SEQS]; b++)
		for (int h = 0; h < o->heads; h++)
			for (int t = o->offsets[b]; t < o->offsets[b + 1]; t++)
				ref_attention_back_row(
				    o, o->offsets[b], o->offsets[b + 1] - o->offsets[b], t - o->offsets[b], h);
}
