/*
 * rk_device.h: what stands between rk.c and a backend in a plug-in: one table of functions.  Private to kernels/.
 *
 * A plug-in exports one C function, RK_DEVICE_ENTRY, that returns its table.  The table says which rk.h it was built
 * with; another one is refused.  Functions that fail leave a sentence for error().
 */
#ifndef RK_DEVICE_H
#define RK_DEVICE_H

#include "rk_fold.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RK_DEVICE_ENTRY "rk_device_v2"

struct rk_device {
	int nops;               /* RK_NOPS, and the size of a call */
	size_t call_size, size; /* size: of this table */
	unsigned precisions;    /* bits 1 << enum rk_precision, of one GPU or another */
	unsigned backward;      /* precisions that have a backward pass */
	/* level: what the device is ("sm_90"); err: why there is none.  NULL on failure. */
	void *(*open)(char *level, size_t levelsize, char *err, size_t errsize);
	void (*close)(void *dev);
	const char *(*error)(const void *dev);
	int (*unit_tokens)(const void *dev); /* as rk_unit_tokens */
	/* NULL, or what it takes to have one of the precisions, which this GPU is not. */
	const char *(*lacks)(const void *dev, enum rk_precision precision);
	size_t (*store_size)(enum rk_precision precision);
	size_t (*pack_size)(int n, int k, enum rk_precision precision, int backward);
	void *(*alloc)(void *dev, size_t bytes); /* zeroed */
	void (*free)(void *dev, void *p);
	enum rk_status (*upload)(void *dev, void *dst, const void *src, size_t bytes);
	enum rk_status (*download)(void *dev, void *dst, const void *src, size_t bytes);
	enum rk_status (*sync)(void *dev);
	size_t (*taken)(void *dev); /* as rk_taken */
	/* most: the largest live counts that every call has room for. */
	void *(*list_create)(
	    void *dev, const struct rk_call *calls, size_t n, const int32_t *live, const int32_t most[RK_NLIVE]);
	enum rk_status (*list_run)(void *list);
	void (*list_destroy)(void *list);
	/* as rk_folder_create, rk_folder_longest, rk_folder_run and rk_folder_destroy */
	void *(*fold_create)(void *dev, const struct rk_fold_tables *tables);
	int (*fold_longest)(const void *folder);
	enum rk_status (*fold_run)(
	    void *folder, const uint8_t *code, const int32_t *first, int n, int32_t *energy, int16_t *partner);
	void (*fold_destroy)(void *folder);
	/* as rk_feed_create and the others of rk_feed.h; *host: the memory of a reply, which the plug-in owns */
	void *(*feed_create)(void *dev, void *dst, size_t bytes, int slots);
	void (*feed_destroy)(void *feed);
	void *(*feed_image)(void *feed);
	enum rk_status (*feed_send)(void *feed);
	void *(*reply_create)(void *dev, size_t bytes, void **host);
	void (*reply_destroy)(void *reply);
	enum rk_status (*reply_ask)(void *reply, size_t at, const void *src, size_t bytes);
	enum rk_status (*reply_wait)(void *reply);
};

typedef const struct rk_device *rk_device_entry(void);

/* plugin.c: the table of the CUDA plug-in and the device it opened, or NULL and why not in err. */
const struct rk_device *rk_plugin_open(void **dev, char *level, size_t levelsize, char *err, size_t errsize);

#ifdef __cplusplus
}
#endif
#endif
