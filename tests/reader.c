/*
 * reader.c: a second reader of the record stream, written from formats/stream.md alone; it shares no code with lib/.
 * Prints each record as a line of JSON, as `rna-view -O json` does, and refuses what the page says must be refused.
 *
 *	reader [-v VOCAB] < FILE       (VOCAB: one token a line, for the names in `type` and `types`)
 */
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define MIB (1ull << 20)

static char *vocab[256];
static unsigned char *file;                    /* the whole file */
static size_t file_size, file_at;
static unsigned char *frame;                   /* content of the frame in hand */
static size_t frame_size, frame_at;
static uint64_t digest, records, streams;

__attribute__((noreturn, format(printf, 1, 2))) static void
refuse(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	va_start(ap, fmt);
	fprintf(stderr, "reader: record %llu: ", (unsigned long long)records + 1);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	exit(1);
}

static void *
memory(void *old, size_t n)
{
	void *p = realloc(old, n ? n : 1);

	if (p == NULL)
		refuse("no memory");
	return p;
}

/* Little-endian number of n bytes. */
static uint64_t
le(const unsigned char *p, int n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | p[n];
	return v;
}

/* ---- section 5: the digest */
static const uint64_t P1 = 0x9E3779B185EBCA87ull, P2 = 0xC2B2AE3D27D4EB4Full, P3 = 0x165667B19E3779F9ull,
    P4 = 0x85EBCA77C2B2AE63ull, P5 = 0x27D4EB2F165667C5ull;

static uint64_t
rotl(uint64_t x, int r)
{
	return x << r | x >> (64 - r);
}

#define turn(a, x) (rotl((a) + (x) * P2, 31) * P1)

static uint64_t
xxh64(const unsigned char *p, size_t n, uint64_t seed)
{
	uint64_t v[4] = {seed + P1 + P2, seed + P2, seed, seed - P1}, h = seed + P5;
	size_t left = n;
	int i;

	if (n >= 32) {
		for (; left >= 32; left -= 32)
			for (i = 0; i < 4; i++, p += 8)
				v[i] = turn(v[i], le(p, 8));
		h = rotl(v[0], 1) + rotl(v[1], 7) + rotl(v[2], 12) + rotl(v[3], 18);
		for (i = 0; i < 4; i++)
			h = (h ^ turn(0, v[i])) * P1 + P4;
	}
	h += n;
	for (; left >= 8; left -= 8, p += 8)
		h = rotl(h ^ turn(0, le(p, 8)), 27) * P1 + P4;
	for (; left >= 4; left -= 4, p += 4)
		h = rotl(h ^ le(p, 4) * P1, 23) * P2 + P3;
	for (; left > 0; left--, p++)
		h = rotl(h ^ *p * P5, 11) * P1;
	h = (h ^ h >> 33) * P2;
	h = (h ^ h >> 29) * P3;
	return h ^ h >> 32;
}

/* ---- section 1: frames */
static void
check_frame_head(const unsigned char *p, size_t n)
{
	unsigned flags = n < 6 ? 0 : p[4];
	uint64_t window;

	if (!(flags & 4))
		refuse("frame without a checksum, or cut");
	if (flags & 3)
		refuse("frame with a dictionary");
	if (flags & 0x20)
		return;        /* single segment: no window descriptor, content size stated */
	if (!(flags >> 6))
		refuse("frame without its content size");
	window = 1ull << (10 + (p[5] >> 3));
	window += window / 8 * (p[5] & 7);
	if (window > 8 * MIB)
		refuse("window of %llu bytes", (unsigned long long)window);
}

/* The next frame with content into `frame`; 0 at the end of the file. */
static int
next_frame(void)
{
	const unsigned char *p;
	unsigned long long content;
	size_t left, n;

	for (frame_at = frame_size = 0; file_at < file_size; ) {
		p = file + file_at;
		left = file_size - file_at;
		if (left >= 8 && le(p, 4) >= 0x184D2A50 && le(p, 4) <= 0x184D2A5F) {
			if (le(p + 4, 4) > left - 8)
				refuse("truncated skippable frame");
			file_at += 8 + le(p + 4, 4);
			continue;
		}
		if (left < 4 || le(p, 4) != 0xFD2FB528)
			refuse("no frame at byte %zu", file_at);
		check_frame_head(p, left);
		content = ZSTD_getFrameContentSize(p, left);
		if (content == ZSTD_CONTENTSIZE_UNKNOWN || content == ZSTD_CONTENTSIZE_ERROR || content > 64 * MIB)
			refuse("bad content size");
		n = ZSTD_findFrameCompressedSize(p, left);
		if (ZSTD_isError(n))
			refuse("damaged or truncated frame");
		if (n > content + MIB)
			refuse("frame of %zu bytes for %llu", n, content);
		frame = memory(frame, content);
		frame_size = ZSTD_decompress(frame, content, p, n);
		if (ZSTD_isError(frame_size) || frame_size != content)
			refuse("damaged frame");
		file_at += n;
		if (content > 0)
			return 1;
	}
	return 0;
}

/* ---- section 3: the header */
static void
check_structure(const char *s, size_t n)
{
	size_t i, depth = 0, marks = 0;
	int in = 0;

	for (i = 0; i < n; i++) {
		if (in) {
			if (s[i] == '\\')
				i++;
			else if (s[i] == '"')
				in = 0;
			continue;
		}
		in = s[i] == '"';
		marks += s[i] == '{' || s[i] == '[' || s[i] == ',';
		depth += s[i] == '{' || s[i] == '[';
		if (depth > 64 || marks > 262144)
			refuse("header too deep or too long");
		depth -= (s[i] == '}' || s[i] == ']') && depth > 0;
	}
}

static void
check_header(const unsigned char *p, size_t n)
{
	json_error_t e;
	json_t *h, *v;
	size_t i;

	if (n > 16 * MIB)
		refuse("header of %zu bytes", n);
	check_structure((const char *)p, n);
	h = json_loadb((const char *)p, n, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, &e);
	if (!json_is_object(h))
		refuse("header: %s", h == NULL ? e.text : "not an object");
	for (i = (size_t)e.position; i < n; i++)
		if (p[i] != ' ')
			refuse("header: bytes after the object");
	v = json_object_get(h, "rill");
	if (!json_is_integer(v) || json_integer_value(v) != 1)
		refuse("header: version is not 1");
	if ((v = json_object_get(h, "vocab")) != NULL &&
	    (!json_is_string(json_object_get(v, "name")) || !json_is_string(json_object_get(v, "digest"))))
		refuse("header: vocab");
	for (i = 0; i < 2; i++)
		if ((v = json_object_get(h, i ? "tokens" : "records")) != NULL &&
		    (!json_is_integer(v) || json_integer_value(v) < 0))
			refuse("header: totals");
	if ((v = json_object_get(h, "provenance")) != NULL && !json_is_array(v))
		refuse("header: provenance");
	for (i = 0; i < json_array_size(v); i++)
		if (!json_is_object(json_array_get(v, i)))
			refuse("header: provenance");
	json_decref(h);
}

/* ---- section 4: records */
struct field {
	int dtype, ndim;
	char name[64];
	uint64_t dims[8], count;
	const unsigned char *data;
};

static const int element[11] = {0, 1, 4, 4, 8, 8, 2, 2, 4, 8, 1};

static void
check_zero(const unsigned char *p, size_t n)
{
	while (n-- > 0)
		if (*p++ != 0)
			refuse("reserved or padding byte not zero");
}

/* Reads the field at p, of which n bytes are there; returns its size. */
static size_t
read_field(struct field *f, const unsigned char *p, size_t n)
{
	static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_", more[] = "0123456789.-";
	uint64_t product = 1, bytes;
	size_t at, k;
	int i;

	if (n < 8)
		refuse("field beyond the payload");
	f->dtype = p[0], f->ndim = p[1], k = p[2];
	check_zero(p + 3, 5);
	at = 8 + (k + 7) / 8 * 8;
	if (f->dtype < 1 || f->dtype > 10 || f->ndim > 8 || (f->dtype == 10 && f->ndim != 1))
		refuse("bad dtype or number of dimensions");
	if (at + 8 * (size_t)f->ndim > n)
		refuse("field beyond the payload");
	memset(f->name, 0, sizeof(f->name));
	memcpy(f->name, p + 8, k < 64 ? k : 0);
	for (i = 0; f->name[i] != 0 && (strchr(first, f->name[i]) || (i > 0 && strchr(more, f->name[i]))); i++)
		;
	if (i == 0 || (size_t)i != k)
		refuse("bad field name");
	check_zero(p + 8 + k, at - 8 - k);
	for (f->count = 1, i = 0; i < f->ndim; i++, at += 8) {
		f->dims[i] = le(p + at, 8);
		f->count *= f->dims[i];
		if (f->dims[i] > 0 && f->dims[i] > (1ull << 48) / product)
			refuse("dimensions too large");
		product *= f->dims[i] ? f->dims[i] : 1;
	}
	bytes = f->count * (unsigned)element[f->dtype];
	if (bytes > n - at || (bytes + 7) / 8 * 8 > n - at)
		refuse("data beyond the payload");
	f->data = p + at;
	check_zero(p + at + bytes, (bytes + 7) / 8 * 8 - bytes);
	return at + (bytes + 7) / 8 * 8;
}

/* Code point at s, its length in *len; -1 when it is not UTF-8. */
static long
code_point(const unsigned char *s, size_t n, size_t *len)
{
	static const long least[5] = {0, 0, 0x80, 0x800, 0x10000};
	size_t want = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0, i;
	long c = want == 1 ? s[0] : s[0] & (0x7f >> want);

	*len = 1;
	if (want == 0 || want > n)
		return -1;
	for (i = 1; i < want; i++) {
		if (s[i] >> 6 != 2)
			return -1;
		c = c << 6 | (s[i] & 63);
	}
	if (c < least[want] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return -1;
	*len = want;
	return c;
}

/* Control codes, and what turns the direction of a line or can't be seen: rna-view escapes them. */
static int
control(long c)
{
	return c < 32 || (c >= 127 && c < 160) || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb);
}

static void
print_string(const unsigned char *s, size_t n)
{
	static const char brief[] = "\bb\ff\nn\rr\tt\"\"\\\\";
	const char *b;
	size_t len;
	long c;

	putchar('"');
	for (; n > 0; s += len, n -= len) {
		c = code_point(s, n, &len);
		b = c > 0 && c < 128 ? strchr(brief, (int)c) : NULL;
		if (c < 0)
			printf("\\ufffd");
		else if (b != NULL && (c < 32 || c == '"' || c == '\\'))
			printf("\\%c", c < 32 ? b[1] : (int)c);
		else if (control(c))
			printf("\\u%04lx", c);
		else
			fwrite(s, 1, len, stdout);
	}
	putchar('"');
}

static double
half(unsigned h)
{
	int e = h >> 10 & 31, m = h & 1023;
	double v = e == 31 ? (m ? NAN : INFINITY) : e ? ldexp(m + 1024, e - 25) : ldexp(m, -24);

	return h >> 15 ? -v : v;
}

static void
print_element(const struct field *f, uint64_t i)
{
	uint64_t bits = le(f->data + i * (unsigned)element[f->dtype], element[f->dtype]);
	uint32_t word = (uint32_t)(f->dtype == 7 ? bits << 16 : bits);
	int named = f->dtype == 1 && (!strcmp(f->name, "type") || !strcmp(f->name, "types"));
	double d = 0;
	float s;

	memcpy(&s, &word, 4);
	if (named && vocab[bits] != NULL)
		print_string((unsigned char *)vocab[bits], strlen(vocab[bits]));
	else if (f->dtype == 2 || f->dtype == 4)
		printf("%lld", f->dtype == 2 ? (long long)(int32_t)bits : (long long)bits);
	else if (f->dtype == 5)
		printf("\"%llu\"", (unsigned long long)bits);
	else if (f->dtype < 6)
		printf("%llu", (unsigned long long)bits);
	else {
		if (f->dtype == 9)
			memcpy(&d, &bits, 8);
		else
			d = f->dtype == 6 ? half((unsigned)bits) : (double)s;
		printf(!isfinite(d) ? "null" : f->dtype == 9 ? "%.17g" : "%.9g", d);
	}
}

static void
print_field(const struct field *f, int dim, uint64_t *at)
{
	uint64_t i;

	if (f->dtype == 10)
		print_string(f->data, f->count);
	else if (f->count == 0)
		printf("[]");
	else if (dim == f->ndim)
		print_element(f, (*at)++);
	else
		for (i = 0; i < f->dims[dim]; i++) {
			putchar(i ? ',' : '[');
			print_field(f, dim + 1, at);
			if (i + 1 == f->dims[dim])
				putchar(']');
		}
}

static void
print_record(const unsigned char *p, size_t n)
{
	static struct field f[4096];
	uint64_t fields, i, j, at = 8, element_at;

	if (n < 8 || (fields = le(p, 4)) > 4096)
		refuse("bad number of fields");
	check_zero(p + 4, 4);
	for (i = 0; i < fields; i++) {
		at += read_field(f + i, p + at, n - at);
		for (j = 0; j < i; j++)
			if (!strcmp(f[i].name, f[j].name))
				refuse("a field twice");
	}
	if (at != n)
		refuse("bytes after the last field");
	for (i = 0; i < fields; i++) {
		printf("%s\"%s\":", i ? "," : "{", f[i].name);
		element_at = 0;
		print_field(f + i, 0, &element_at);
	}
	printf("%s}\n", fields ? "" : "{");
}

/* ---- section 2: blocks */

/* A block over 64 MiB: its first frame is in hand; returns the payload put together. */
static unsigned char *
long_block(uint64_t n)
{
	unsigned char *p;
	uint64_t have;

	if (frame_at != 0 || frame_size != 64 * MIB || n > 16384 * MIB)
		refuse("long block not in frames of 64 MiB");
	p = memory(NULL, frame_size);
	memcpy(p, frame + 16, have = frame_size - 16);
	while (have < n) {
		if (!next_frame() || (frame_size != 64 * MIB && frame_size != n - have) || frame_size > n - have)
			refuse("long block not in frames of 64 MiB");
		p = memory(p, have + frame_size);
		memcpy(p + have, frame, frame_size);
		have += frame_size;
	}
	frame_at = frame_size;
	return p;
}

static int
read_block(int in_stream)
{
	unsigned char *head = frame + frame_at, *p, *own = NULL;
	char kind[9] = {0};
	uint64_t n;

	if (frame_size - frame_at < 16)
		refuse("block beyond its frame");
	memcpy(kind, head, 8);
	n = le(head + 8, 8);
	if (n % 8 != 0)
		refuse("size no multiple of 8");
	if (n > 64 * MIB - 16 && !memcmp(kind, "RECORD\0", 8)) {
		p = own = long_block(n);
	} else {
		if (n > frame_size - frame_at - 16)
			refuse("block beyond its frame");
		p = head + 16;
		frame_at += 16 + n;
	}
	if (!in_stream) {
		if (memcmp(kind, "\x89RIL\r\n\x1a\n", 8) != 0)
			refuse("no header");
		check_header(p, n);
		records = 0;
		streams++;
		digest = xxh64(p, n, 0);
	} else if (!memcmp(kind, "RECORD\0", 8)) {
		digest = digest * P1 + xxh64(p, n, 0);
		print_record(p, n);
		records++;
	} else if (!memcmp(kind, "END\0\0\0\0", 8)) {
		if (n != 16 || le(p, 8) != records || le(p + 8, 8) != digest)
			refuse("end: count or digest differs");
		return 0;
	} else {
		refuse("unknown block");
	}
	free(own);
	return 1;
}

int
main(int argc, char **argv)
{
	char line[256];
	size_t n = 0;
	int in_stream = 0;
	FILE *fp;

	if (argc == 3 && !strcmp(argv[1], "-v") && (fp = fopen(argv[2], "r")) != NULL) {
		for (; n < 256 && fgets(line, sizeof(line), fp) != NULL; n++)
			vocab[n] = strndup(line, strcspn(line, "\r\n"));
		fclose(fp);
	}
	do {
		file = memory(file, file_size + MIB);
		file_size += n = fread(file + file_size, 1, MIB, stdin);
	} while (n > 0);
	while (next_frame())
		while (frame_at < frame_size)
			in_stream = read_block(in_stream);
	if (in_stream || streams == 0)
		refuse("truncated");
	return ferror(stdin) || fflush(stdout) != 0;
}
