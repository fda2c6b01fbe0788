/*
 * shuffle_part.c: what a shuffle can't hold in memory: items in unlinked temporary files, partitioned by key.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "stream/shuffle_private.h"

#define WINDOW (256u << 10)    /* bytes read at once from a part that is not loaded */

/* A file without a name in the folder for temporary files, or -1. */
static int
temporary(const struct rna_shuffle *s, struct rna_err *err)
{
	char path[4200];
	int fd;

	snprintf(path, sizeof(path), "%s/rna-shuf.XXXXXX", s->tmpdir);
	if ((fd = mkstemp(path)) < 0) {
		(void)rna_fail_errno(err, "temporary file in %s", s->tmpdir);
		return -1;
	}
	unlink(path);
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

static enum rna_status
write_all(const struct rna_shuffle *s, struct part *p, const unsigned char *data, size_t n, struct rna_err *err)
{
	ssize_t w;

	if (p->fd < 0 && (p->fd = temporary(s, err)) < 0)
		return RNA_EIO;
	while (n > 0) {
		if ((w = write(p->fd, data, n)) < 0 && errno != EINTR)
			return rna_fail_errno(err, "temporary file in %s", s->tmpdir);
		if (w > 0) {
			data += w;
			n -= (size_t)w;
			p->flushed += (uint64_t)w;
		}
	}
	return RNA_OK;
}

/* Exactly n bytes at offset. */
static enum rna_status
read_all(const struct rna_shuffle *s, const struct part *p, unsigned char *dst, size_t n, uint64_t offset,
    struct rna_err *err)
{
	ssize_t r;

	while (n > 0) {
		r = pread(p->fd, dst, n, (off_t)offset);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return rna_fail_errno(err, "temporary file in %s", s->tmpdir);
		if (r == 0)
			return rna_fail(err, RNA_ETRUNC, "temporary file in %s: cut by another process", s->tmpdir);
		dst += r;
		n -= (size_t)r;
		offset += (uint64_t)r;
	}
	return RNA_OK;
}

void
rna_part_destroy(struct part *p)
{
	if (p->fd >= 0)
		close(p->fd);
	free(p);
}

/* Begins FAN parts, divided by shift, in the list at *link. */
enum rna_status
rna_part_open(struct rna_shuffle *s, int shift, struct part **link, struct rna_err *err)
{
	struct part *p, *rest = *link;
	int i;

	if (s->gather == NULL && (s->gather = malloc(FAN * s->chunk)) == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	for (i = 0; i < FAN; i++) {
		if ((p = calloc(1, sizeof(*p))) == NULL)
			return rna_fail(err, RNA_EMEM, "out of memory");
		p->fd = -1;
		p->shift = shift > FAN_BITS ? shift - FAN_BITS : 0;
		p->buf = s->gather + (size_t)i * s->chunk;
		p->next = rest;
		*link = s->fan[i] = p;
		link = &p->next;
	}
	return RNA_OK;
}

enum rna_status
rna_part_add(struct rna_shuffle *s, int shift, const unsigned char *item, size_t n, struct rna_err *err)
{
	uint64_t key = item_load(item);
	struct part *p = s->fan[key >> shift & (FAN - 1)];
	enum rna_status st;
	size_t take;

	if (p->records++ == 0)
		p->key = key;
	p->mixed |= key != p->key;
	p->bytes += n;
	s->spilled += n;
	for (; n > 0; item += take, n -= take) {
		take = n < s->chunk - p->buffered ? n : s->chunk - p->buffered;
		memcpy(p->buf + p->buffered, item, take);
		p->buffered += take;
		if (p->buffered < s->chunk)
			continue;
		if ((st = write_all(s, p, p->buf, p->buffered, err)) != RNA_OK)
			return st;
		p->buffered = 0;
	}
	return RNA_OK;
}

enum rna_status
rna_part_flush(struct rna_shuffle *s, struct rna_err *err)
{
	enum rna_status st;
	struct part *p;
	int i;

	for (i = 0; i < FAN; i++) {
		p = s->fan[i];
		if (p->buffered > 0 && (st = write_all(s, p, p->buf, p->buffered, err)) != RNA_OK)
			return st;
		p->buffered = 0;
		p->buf = NULL;
		s->fan[i] = NULL;
	}
	return RNA_OK;
}

/* n bytes at offset of the part's file, in the window. */
static enum rna_status
look(struct rna_shuffle *s, const struct part *p, uint64_t offset, uint64_t n, const unsigned char **at,
    struct rna_err *err)
{
	uint64_t left = p->bytes - offset, want = n > WINDOW ? n : WINDOW;
	enum rna_status st;

	if (offset > p->bytes || n > left)
		return rna_fail(err, RNA_EFORMAT, "temporary file in %s: changed by another process", s->tmpdir);
	if (offset < s->window || offset + n > s->window + s->items.len) {
		want = want < left ? want : left;
		rna_buf_reuse(&s->items);
		if (rna_buf_reserve(&s->items, (size_t)want) != RNA_OK)
			return rna_fail(err, RNA_EMEM, "out of memory");
		if ((st = read_all(s, p, s->items.data, (size_t)want, offset, err)) != RNA_OK)
			return st;
		s->items.len = (size_t)want;
		s->window = offset;
	}
	*at = s->items.data + (offset - s->window);
	return RNA_OK;
}

enum rna_status
rna_part_item(struct rna_shuffle *s, const struct part *p, uint64_t offset, const unsigned char **item, size_t *n,
    struct rna_err *err)
{
	enum rna_status st;
	uint64_t size;

	if (offset == 0)          /* what is in `items` is of another part */
		s->items.len = 0;
	if ((st = look(s, p, offset, ITEM_HEAD, item, err)) != RNA_OK)
		return st;
	size = item_load(*item + 16);
	*n = (size_t)item_size(size < p->bytes ? size : p->bytes);
	return look(s, p, offset, *n, item, err);
}

enum rna_status
rna_part_load(struct rna_shuffle *s, const struct part *p, struct rna_err *err)
{
	rna_buf_reuse(&s->items);
	if (rna_buf_reserve(&s->items, (size_t)p->bytes) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	s->items.len = (size_t)p->bytes;
	return read_all(s, p, s->items.data, s->items.len, 0, err);
}

enum rna_status
rna_part_divide(struct rna_shuffle *s, struct part **link, struct rna_err *err)
{
	struct part *p = *link, *children = p->next;
	const unsigned char *item;
	enum rna_status st;
	uint64_t offset;
	size_t n;

	st = rna_part_open(s, p->shift, &children, err);
	for (offset = 0; st == RNA_OK && offset < p->bytes; offset += n) {
		if ((st = rna_part_item(s, p, offset, &item, &n, err)) == RNA_OK)
			st = rna_part_add(s, p->shift, item, n, err);
	}
	if (st == RNA_OK)
		st = rna_part_flush(s, err);
	*link = children;
	rna_part_destroy(p);
	return st;
}
