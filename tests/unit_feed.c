/*
 * unit_feed.c: feeds and replies (kernels/rk_feed.h): every list finds its own image, every reply holds what was there
 * when it was asked for, and sending and asking wait for nothing.  On host backends and in the emulator, whose streams
 * run as late as they may, or one of them as early as it may (EMU_AHEAD), so that each wait that is missing shows.
 */
#include <stdlib.h>
#include <string.h>

#include "cuda_device.h"
#include "rk_feed.h"

enum { STEPS = 12, REPLIES = 3, MIB = 1 << 20 };

static size_t n = 1000; /* elements of an image; on a GPU more, so that a copy takes as long as a kernel */

/* What a sum over images needs: y += x. */
struct sum {
	struct rk *rk;
	float *x, *y;
	int32_t *live;
	struct rk_list *list;
	struct rk_feed *feed;
	struct rk_reply *reply[REPLIES];
};

static int
sum_open(struct sum *s, const char *device, int slots)
{
	struct rk_call c = {.op = RK_ADD, .u.add = {RK_LIVE_ROWS, (int)n, 1, NULL, NULL}};
	int32_t live[RK_NLIVE] = {0};
	char err[256] = "";
	int good;

	if ((s->rk = rk_open(device, 1, err, sizeof(err))) == NULL) {
		diag("%s", err);
		return 0;
	}
	c.u.add.x = s->x = rk_alloc(s->rk, n * sizeof(float));
	c.u.add.y = s->y = rk_alloc(s->rk, n * sizeof(float));
	s->live = rk_alloc(s->rk, sizeof(live));
	live[RK_LIVE_ROWS] = (int32_t)n;
	s->list = rk_list_create(s->rk, &c, 1, s->live);
	s->feed = rk_feed_create(s->rk, s->x, n * sizeof(float), slots);
	good = s->list != NULL && s->feed != NULL && rk_upload(s->rk, s->live, live, sizeof(live)) == RK_OK;
	for (int i = 0; i < REPLIES; i++)
		good &= (s->reply[i] = rk_reply_create(s->rk, 2 * n * sizeof(float))) != NULL;
	return good;
}

static void
sum_close(struct sum *s)
{
	for (int i = 0; i < REPLIES; i++)
		rk_reply_destroy(s->reply[i]);
	rk_feed_destroy(s->feed);
	rk_list_destroy(s->list);
	rk_free(s->rk, s->x, n * sizeof(float));
	rk_free(s->rk, s->y, n * sizeof(float));
	rk_free(s->rk, s->live, RK_NLIVE * sizeof(int32_t));
	rk_close(s->rk);
}

/* Sends an image of the number k in every place, runs the list, asks for x and y. */
static int
send(struct sum *s, int k)
{
	struct rk_reply *r = s->reply[k % REPLIES];
	float *image = rk_feed_image(s->feed);

	if (image == NULL)
		return 0;
	for (size_t i = 0; i < n; i++)
		image[i] = (float)k;
	return rk_feed_send(s->feed) == RK_OK && rk_list_run(s->list) == RK_OK &&
	       rk_reply_ask(r, 0, s->x, n * sizeof(float)) == RK_OK &&
	       rk_reply_ask(r, n * sizeof(float), s->y, n * sizeof(float)) == RK_OK;
}

/* What step k must have seen: x is k, y the sum up to k. */
static int
right(struct sum *s, int k)
{
	struct rk_reply *r = s->reply[k % REPLIES];
	float *x = calloc(2 * n, sizeof(*x)), *y = x + n;
	int good = x != NULL && rk_reply_read_f32(r, 0, x, n) == RK_OK &&
	           rk_reply_read(r, n * sizeof(*x), y, n * sizeof(*y)) == RK_OK;

	for (size_t i = 0; i < n && good; i++)
		good = x[i] == (float)k && y[i] == (float)(k * (k + 1) / 2);
	if (!good)
		diag("step %d: x %g, y %g", k, x != NULL ? (double)x[0] : 0, x != NULL ? (double)y[0] : 0);
	free(x);
	return good;
}

/* behind: steps that are out while the next is sent. */
static void
test_sums(const char *device, const char *ahead, int slots, int behind)
{
	unsigned long before, waited = 0;
	struct sum s = {0};
	int good;

	if (ahead != NULL)
		setenv("EMU_AHEAD", ahead, 1);
	good = sum_open(&s, device, slots);
	for (int k = 1; k <= STEPS && good; k++) {
		before = cuda_waits();
		good = send(&s, k);
		waited += cuda_waits() - before;
		if (k > behind)
			good &= right(&s, k - behind);
	}
	for (int k = STEPS - behind + 1; k <= STEPS && good; k++)
		good = right(&s, k);
	ok(good, "%s%s%s, %d slots, %d behind: every step has its image, every reply its time", device,
	    ahead != NULL ? " ahead " : "", ahead != NULL ? ahead : "", slots, behind);
	if (behind < slots)
		ok(waited == 0, "and no step was waited for to begin another (%lu)", waited);
	sum_close(&s);
	unsetenv("EMU_AHEAD");
}

/* More rows than a call has room for are told by the reply that waits for them. */
static void
test_room(const char *device)
{
	const int32_t live[RK_NLIVE] = {[RK_LIVE_ROWS] = (int32_t)n + 1};
	struct sum s = {0};
	float x;
	int good = sum_open(&s, device, 1) && rk_upload(s.rk, s.live, live, sizeof(live)) == RK_OK && send(&s, 1);

	ok(good && rk_reply_read(s.reply[1], 0, &x, sizeof(x)) == RK_EINVAL, "%s: %s", device, rk_error(s.rk));
	sum_close(&s);
}

static void
test_memory(void)
{
	struct rk *rk = rk_open("cuda", 1, NULL, 0), *host = rk_open("cpu", 1, NULL, 0);
	void *x = rk_alloc(rk, MIB);
	const size_t before = rk_taken(rk);
	struct rk_feed *f = rk_feed_create(rk, x, MIB, 2);
	const size_t took = rk_taken(rk) - before;

	/* a GPU gives memory in large pieces, and out of one that it has */
	ok(f != NULL && rk_feed_bytes(rk, MIB, 2) == 2 * MIB &&
		(getenv("RNA_GPU") != NULL ? took <= 6 * MIB : took == 2 * MIB),
	    "a feed of 1 MiB with 2 slots takes %zu bytes of the device", took);
	ok(rk_feed_bytes(host, MIB, 2) == 0, "and nothing where the host computes");
	rk_feed_destroy(f);
	rk_free(rk, x, MIB);
	rk_close(rk);
	rk_close(host);
}

int
main(void)
{
	static const char *const ahead[] = {NULL, "0", "1"};

	test_sums("cpu", NULL, 1, 0);
	test_sums("ref", NULL, 2, 1);
	if (!cuda_device())
		return done();
	if (getenv("RNA_GPU") != NULL)
		n = MIB;
	for (int a = 0; a < 3; a++)
		for (int slots = 1; slots <= 3; slots++)
			for (int behind = 0; behind < REPLIES; behind++)
				test_sums("cuda", ahead[a], slots, behind);
	test_room("cuda");
	test_memory();
	return done();
}
