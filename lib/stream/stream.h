/*
 * stream.h: records in and out of a .rill stream (formats/stream.md): zstd frames, header, records, end record.
 */
#ifndef RNA_STREAM_H
#define RNA_STREAM_H

#include <stdint.h>
#include "stream/header.h"
#include "stream/input.h"
#include "stream/record.h"
#include "stream/status.h"

#define RNA_STREAM_VERSION 1
#define RNA_FRAME_BYTES (1u << 20)     /* a frame is closed at this much content ... */
#define RNA_FRAME_RECORDS 4096         /* ... or at this many records */
#define RNA_FRAME_MAX (64u << 20)      /* largest frame content that a reader accepts */
#define RNA_WINDOW_LOG_MAX 23          /* 8 MiB */
#define RNA_HEADER_MAX (16u << 20)     /* largest JSON header */

struct rna_reader;
struct rna_writer;

/*
 * Takes over in (also on failure) and reads the first header.  nthreads (>= 1): with several, as many frames are
 * decompressed in advance.  NULL and err on failure.
 */
struct rna_reader *rna_reader_open(struct rna_input *in, int nthreads, struct rna_err *err);
/* The header in force.  Valid until the next rna_reader_read. */
const struct rna_header *rna_reader_header(const struct rna_reader *r);
/*
 * RNA_OK: rec holds the next record (rec->number counts from 1 over the whole input).  RNA_NEXT: the stream ended
 * well and another header follows; rna_reader_header is that one.  RNA_END: all ended well.  Else an error, told in
 * err, and the same again from further calls.
 */
enum rna_status rna_reader_read(struct rna_reader *r, struct rna_record *rec, struct rna_err *err) RNA_CHECK;
void rna_reader_close(struct rna_reader *r);   /* NULL is fine */

struct rna_writer_options {
	int level;      /* zstd level 1..19; 0 = zstd's fastest (-131072), for pipes on one machine */
	int nthreads;   /* >= 1 */
};

/*
 * path NULL or "-": standard output.  Otherwise path.part is created (mode 0600 widened to the umask at close), locked
 * (a second writer fails), and renamed to path by rna_writer_close: an existing file is replaced, and stays as it is
 * until then.  What is there and is no regular file (a fifo, a device, /dev/stdout) is written directly.  An input that
 * is the same file, or path.part, is the caller's to refuse.
 */
struct rna_writer *rna_writer_open(const char *path, const struct rna_writer_options *opts, struct rna_err *err);
/*
 * Continues path.part of a killed run: keeps its whole frames, cuts what follows the last of them, and sets *nrecords
 * to the records kept of the last stream and *nstreams to the streams ended before it.  When path.part is absent: as
 * open, with 0 and 0.  When path is there and path.part is not: *complete = 1 and NULL with err->status RNA_OK.
 * *header is the header of the last stream kept in part or whole (init'ed by the callee when nrecords or nstreams is
 * not 0, else json is NULL).  A path.part that is no stream is refused, not cut.
 */
struct rna_writer *rna_writer_resume(const char *path, const struct rna_writer_options *opts, struct rna_header *header,
    uint64_t *nstreams, uint64_t *nrecords, int *complete, struct rna_err *err);
/* Begins a stream; ends the one before, if any.  Copies the header.  Not after rna_writer_resume with *nrecords > 0. */
enum rna_status rna_writer_header(struct rna_writer *w, const struct rna_header *h, struct rna_err *err) RNA_CHECK;
enum rna_status rna_writer_write(struct rna_writer *w, const struct rna_record *rec, struct rna_err *err) RNA_CHECK;
/* Adds n records already encoded one after the other (sizes[i] bytes each), as rna_record_encode makes them. */
enum rna_status rna_writer_write_encoded(struct rna_writer *w, const void *data, const size_t *sizes, size_t n,
    struct rna_err *err) RNA_CHECK;
/* Records written to the current stream. */
uint64_t rna_writer_records(const struct rna_writer *w);
/* Ends the stream, flushes, syncs, renames, frees w.  On failure the file is removed. */
enum rna_status rna_writer_close(struct rna_writer *w, struct rna_err *err) RNA_CHECK;
/*
 * Frees w; the .part file is removed (keep == 0) or left for --resume (keep != 0).  Standard output gets nothing more.
 * A process that dies by a signal need not call it: .part stays, and its lock goes with the process.
 */
void rna_writer_abort(struct rna_writer *w, int keep);

#endif
