/*
 * cuda_feed.h: feeds and replies on the GPU (rk_feed.h), as rk_device.h has them; between cuda_device.cu and
 * cuda_feed.cu.
 */
#ifndef CUDA_FEED_H
#define CUDA_FEED_H

#include "rk.h"

void *cuda_feed_create(void *device, void *dst, size_t bytes, int slots);
void cuda_feed_destroy(void *feed);
void *cuda_feed_image(void *feed);
enum rk_status cuda_feed_send(void *feed);
void *cuda_reply_create(void *device, size_t bytes, void **host);
void cuda_reply_destroy(void *reply);
enum rk_status cuda_reply_ask(void *reply, size_t at, const void *src, size_t bytes);
enum rk_status cuda_reply_wait(void *reply);

#endif
