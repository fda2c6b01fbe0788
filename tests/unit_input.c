/*
 * unit_input.c: bytes in, however packed, and files out: whole under their name, or not there.
 */
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <zlib.h>
#include "stream/output.h"
#include "stream_util.h"
#include "tap.h"

#define LINES 20000

/* What a file's lines come to: number, bytes, and how it ended. */
static void
lines(const char *path, uint64_t *n, uint64_t *hash, enum rna_status *st, struct rna_err *e)
{
	struct rna_input *in = rna_input_open(path, e);
	const char *line;
	size_t len;

	*n = *hash = 0;
	*st = e->status;
	if (in == NULL)
		return;
	while ((*st = rna_input_line(in, &line, &len, e)) == RNA_OK)
		*hash = rna_hash(line, len, *hash);
	*n = rna_input_line_number(in);
	rna_input_close(in);
}

static void
text(struct rna_buf *b, int from, int to)
{
	b->len = 0;
	for (; from < to; from++)
		must(rna_buf_printf(b, ">line %d %d\n", from, from * 7919 % 1000));
}

/* One gzip member; extra 1: as bgzip writes it; 2: with a name whose bytes stand where bgzip's do. */
static void
member(struct rna_buf *out, const void *data, size_t n, int extra)
{
	static const unsigned char bc[6] = {'B', 'C', 2, 0, 0, 0}, name[] = "a.BC.fa";
	gz_header head = {.extra = extra == 1 ? (Bytef *)bc : NULL, .extra_len = 6, .os = 255};
	z_stream z = {.next_in = (Bytef *)data, .avail_in = (uInt)n};

	if (deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		errx(1, "deflateInit2");
	if (extra == 2)
		head.name = (Bytef *)name;
	if (extra)
		deflateSetHeader(&z, &head);
	must(rna_buf_reserve(out, deflateBound(&z, n) + 64));
	z.next_out = out->data + out->len;
	z.avail_out = (uInt)(out->cap - out->len);
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		errx(1, "deflate");
	out->len = out->cap - z.avail_out;
	deflateEnd(&z);
}

static void
zstd(struct rna_buf *out, const void *data, size_t n)
{
	size_t bound = ZSTD_compressBound(n);

	must(rna_buf_reserve(out, bound));
	out->len += ZSTD_compress(out->data + out->len, bound, data, n, 1);
}

static void
expect(const char *what, const struct rna_buf *b, uint64_t n, uint64_t hash, enum rna_status want)
{
	const char *path = util_path("in");
	struct rna_err e = {.status = RNA_OK};
	enum rna_status st;
	uint64_t got, h;

	util_put(path, b->data, b->len);
	lines(path, &got, &h, &st, &e);
	ok(st == want && (st != RNA_END || (got == n && h == hash)), "%s: %d lines, status %d %s", what, (int)got,
	    (int)st, st > RNA_NEXT ? e.text : "");
}

static void
packed(void)
{
	struct rna_buf a = RNA_BUF_INIT, b = RNA_BUF_INIT, z = RNA_BUF_INIT;
	struct rna_err e;
	enum rna_status st;
	uint64_t n, h;
	size_t i, bad = 0;

	text(&a, 0, LINES);
	util_put(util_path("plain"), a.data, a.len);
	lines(util_path("plain"), &n, &h, &st, &e);
	ok(st == RNA_END && n == LINES, "plain text");
	member(&z, a.data, a.len, 0);
	expect("gzip", &z, n, h, RNA_END);
	z.len = 0;
	member(&z, a.data, a.len, 2);
	expect("gzip of a file a.BC.fa is no bgzf", &z, n, h, RNA_END);
	z.len = 0;
	member(&z, a.data, a.len, 0);
	z.len -= 1;
	expect("gzip without its last byte", &z, n, h, RNA_ETRUNC);
	z.len -= 100;
	expect("gzip cut within", &z, n, h, RNA_ETRUNC);
	z.len = 0;
	member(&z, a.data, a.len, 0);
	z.data[z.len - 6] ^= 1;
	expect("gzip with another checksum", &z, n, h, RNA_EFORMAT);
	z.len = 0;
	member(&z, a.data, 1001, 0);
	member(&z, "", 0, 0);
	member(&z, a.data + 1001, a.len - 1001, 0);
	expect("gzip of three members", &z, n, h, RNA_END);
	make_zeros(&z, 5000);
	expect("gzip filled with zeros", &z, n, h, RNA_END);
	make_bytes(&z, "x", 1);
	expect("gzip with text behind", &z, n, h, RNA_EFORMAT);
	z.len = 0;
	for (i = 0; i < a.len; i += 65280)
		member(&z, a.data + i, a.len - i < 65280 ? a.len - i : 65280, 1);
	expect("bgzf without its end", &z, n, h, RNA_ETRUNC);
	member(&z, "", 0, 1);
	expect("bgzf", &z, n, h, RNA_END);
	z.len = 0;
	zstd(&z, a.data, 777);
	make_bytes(&z, "\x51\x2a\x4d\x18\x03\0\0\0abc", 11);
	zstd(&z, a.data + 777, a.len - 777);
	expect("zstd of two frames and a skippable one", &z, n, h, RNA_END);
	make_bytes(&b, "\x50\x2a\x4d\x18\x04\0\0\0\1\2\3\4", 12); /* as pzstd writes */
	make_bytes(&b, z.data, z.len);
	expect("zstd behind a skippable frame", &b, n, h, RNA_END);
	for (i = 1; i < 40; i++) {
		util_put(util_path("in"), b.data, b.len - i);
		lines(util_path("in"), &n, &h, &st, &e);
		bad += st != RNA_ETRUNC;
	}
	ok(bad == 0, "zstd cut by 1 to 39 bytes");
	b.len = 0;
	make_bytes(&b, "\x28\xb5\x2f\xfd\x00\xf8\x01\0\0", 9); /* window of 2 TiB */
	expect("zstd with a vast window", &b, n, h, RNA_EFORMAT);
	b.len = 0;
	make_bytes(&b, "\x28\xc2\xb5\x2f\xc3\xbd rest", 11);
	expect("zstd sent as text", &b, n, h, RNA_EFORMAT);
	rna_buf_fini(&a);
	rna_buf_fini(&b);
	rna_buf_fini(&z);
}

static void
odd_lines(void)
{
	static const char odd[] = "crlf\r\n\nnul\0nul\nlast\r";
	static const char *const want[] = {"crlf", "", "nul\0nul", "last"};
	static const size_t size[] = {4, 0, 7, 4};
	struct rna_buf b = RNA_BUF_INIT;
	const unsigned char *p;
	struct rna_input *in;
	const char *line;
	struct rna_err e;
	char part[100];
	size_t n, i;
	int good = 1;

	util_put(util_path("odd"), odd, sizeof(odd) - 1);
	in = rna_input_open(util_path("odd"), &e);
	good = rna_input_peek(in, 6, &p, &n, &e) == RNA_OK && n >= 6 && memcmp(p, "crlf\r\n", 6) == 0;
	good &= rna_input_peek(in, 1000, &p, &n, &e) == RNA_OK && n == sizeof(odd) - 1;
	ok(good, "peek takes nothing, and gives what there is");
	for (i = 0, good = 1; i < 4; i++)
		good &= rna_input_line(in, &line, &n, &e) == RNA_OK && n == size[i] && memcmp(line, want[i], n) == 0;
	ok(good && rna_input_line(in, &line, &n, &e) == RNA_END && rna_input_line_number(in) == 4,
	    "CRLF, an empty line, NUL, and a lone CR at the end");
	rna_input_close(in);
	make_zeros(&b, 3u << 20);
	memset(b.data, 'A', b.len);
	make_bytes(&b, "\nC", 2);
	util_put(util_path("long"), b.data, b.len);
	in = rna_input_open(util_path("long"), &e);
	good = rna_input_line(in, &line, &n, &e) == RNA_OK && n == 3u << 20 && line[n - 1] == 'A' &&
	       rna_input_line(in, &line, &n, &e) == RNA_OK && n == 1 && *line == 'C';
	ok(good && rna_input_read(in, part, sizeof(part), &n, &e) == RNA_OK && n == 0, "a line of 3 MiB, then the end");
	rna_input_close(in);
	in = rna_input_open("/", &e);
	ok(in == NULL && strstr(e.text, "folder") != NULL, "a folder is refused: %s", e.text);
	in = rna_input_open("/nowhere/at/all", &e);
	ok(in == NULL && e.status == RNA_EIO && e.saved_errno == ENOENT && strcmp(e.file, "/nowhere/at/all") == 0,
	    "a missing file: %s", e.text);
	rna_buf_fini(&b);
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_mode & 0777 : 0;
}

/* Writes a small stream to path.  The status of whatever failed, in e. */
static enum rna_status
put(const char *path, uint64_t n, struct rna_err *e)
{
	struct rna_writer_options opts = {1, 1};
	struct rna_writer *w = rna_writer_open(path, &opts, e);
	struct rna_record rec;
	struct rna_header h;
	enum rna_status st;

	if (w == NULL)
		return e->status;
	must(rna_header_init(&h));
	rna_record_init(&rec);
	st = rna_writer_header(w, &h, e);
	for (; n > 0 && st == RNA_OK; n--) {
		make_numbered(&rec, n);
		st = rna_writer_write(w, &rec, e);
	}
	rna_header_fini(&h);
	rna_record_fini(&rec);
	return rna_writer_close(w, e);
}

static void
outputs(void)
{
	char path[512], part[520], link[512];
	struct rna_output *o, *second;
	struct rna_err e;

	snprintf(path, sizeof(path), "%s", util_path("out"));
	snprintf(part, sizeof(part), "%s.part", path);
	snprintf(link, sizeof(link), "%s", util_path("link"));
	umask(027);
	o = rna_output_open(path, 0, &e);
	ok(o != NULL && mode_of(part) == 0600 && !util_exists(path), "a file grows in private, as .part");
	second = rna_output_open(path, 0, &e);
	ok(second == NULL && strstr(e.text, "being written by another") != NULL && util_exists(part),
	    "a second writer is refused: %s", e.text);
	ok(rna_output_write(o, "abc", 3, &e) == RNA_OK && rna_output_commit(o, &e) == RNA_OK && mode_of(path) == 0640 &&
		!util_exists(part),
	    "and gets its name and the umask's mode at the end");
	chmod(path, 0604);
	o = rna_output_open(path, 0, &e);
	rna_output_abort(o, 0);
	ok(util_exists(path) && !util_exists(part), "given up: what was there stays");
	o = rna_output_open(path, 0, &e);
	rna_output_abort(o, 1);
	ok(util_exists(part), "left for later");
	ok(put(path, 3, &e) == RNA_OK && mode_of(path) == 0604 && util_read(path, 1).records == 3,
	    "a file that is replaced keeps its mode");
	ok(symlink(path, link) == 0 && put(link, 4, &e) == RNA_OK && util_read(path, 1).records == 4 &&
		readlink(link, part, sizeof(part)) > 0,
	    "a link goes on leading to the file");
	ok(put("/nowhere/at/all", 1, &e) == RNA_EIO && e.saved_errno == ENOENT, "no folder: %s", e.text);
	ok(put(util_folder, 1, &e) == RNA_EIO && strstr(e.text, "folder") != NULL, "a folder: %s", e.text);
	ok(put("/dev/null", 1, &e) == RNA_OK && !util_exists("/dev/null.part"), "/dev/null");
	ok(put("/dev/full", 1, &e) == RNA_EIO && e.saved_errno == ENOSPC && util_exists("/dev/full"), "/dev/full: %s",
	    e.text);
}

/* A fifo is written as it is; when its reader goes away the writer fails. */
static void
pipes(void)
{
	char path[512];
	struct rna_err e = {.status = RNA_OK};
	struct seen s;
	int p[2], status = -1, null;
	pid_t pid;

	snprintf(path, sizeof(path), "%s", util_path("fifo"));
	if (mkfifo(path, 0600) != 0)
		err(1, "mkfifo");
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(put(path, 5000, &e) != RNA_OK);
	s = util_read(path, 1);
	waitpid(pid, &status, 0);
	ok(s.status == RNA_END && s.records == 5000 && status == 0, "through a fifo");
	signal(SIGPIPE, SIG_IGN);
	if (pipe(p) != 0)
		err(1, "pipe");
	close(p[0]);
	fflush(stdout);
	null = dup(STDOUT_FILENO);
	dup2(p[1], STDOUT_FILENO);
	status = put(NULL, 5, &e);
	dup2(null, STDOUT_FILENO);
	ok(status == RNA_EIO && e.saved_errno == EPIPE && strcmp(e.file, "(standard output)") == 0, "a closed pipe: %s",
	    e.text);
	close(null);
	close(p[1]);
}

int
main(void)
{
	util_path("x");
	packed();
	odd_lines();
	outputs();
	pipes();
	util_clean();
	return done();
}
