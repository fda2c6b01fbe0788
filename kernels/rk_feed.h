/*
 * rk_feed.h: what crosses between the host and lists that run beside it.  A device runs lists while the caller goes on:
 * a feed brings the inputs of the next run while the last one computes, a reply brings back values that are read
 * later.  A host backend has run a list when rk_list_run returns: there a feed is the memory itself, and a reply is
 * there at once.
 */
#ifndef RK_FEED_H
#define RK_FEED_H

#include "rk.h"

#ifdef __cplusplus
extern "C" {
#endif

struct rk_feed;
struct rk_reply;

enum { RK_FEED_SLOTS = 4 }; /* most slots of a feed */

/*
 * A feed of `bytes` of memory at dst, from rk_alloc, which outlives it.  slots: images that can be on their way at
 * once, 1 to RK_FEED_SLOTS.  NULL: no memory.
 */
struct rk_feed *rk_feed_create(struct rk *rk, void *dst, size_t bytes, int slots);
/* Waits for what is on its way.  NULL: nothing happens. */
void rk_feed_destroy(struct rk_feed *f);
/*
 * Host memory of the next image, to be filled; it holds what an earlier image, or nobody, put there.  Waits only where
 * all slots are on their way.  NULL: the device failed.
 */
void *rk_feed_image(struct rk_feed *f);
/*
 * Sends the image, which is the caller's no more.  Lists run from now on find it in dst; those run before find what was
 * there before.
 */
enum rk_status rk_feed_send(struct rk_feed *f);
/* Memory of the device that such a feed takes. */
size_t rk_feed_bytes(const struct rk *rk, size_t bytes, int slots);

/* Room on the host for `bytes` of a device's memory.  NULL: no memory. */
struct rk_reply *rk_reply_create(struct rk *rk, size_t bytes);
void rk_reply_destroy(struct rk_reply *r); /* as rk_feed_destroy */
/*
 * Asks for device memory as the lists run so far leave it, to lie at byte `at` of the reply; several pieces may be
 * asked for.  Does not wait.
 */
enum rk_status rk_reply_ask(struct rk_reply *r, size_t at, const void *src, size_t bytes);
/* Waits for all that was asked for; as rk_sync says what the lists before met.  Then copies from byte `at` on. */
enum rk_status rk_reply_read(struct rk_reply *r, size_t at, void *dst, size_t bytes);
enum rk_status rk_reply_read_f32(struct rk_reply *r, size_t at, float *dst, size_t n); /* converts from real */

#ifdef __cplusplus
}
#endif
#endif
