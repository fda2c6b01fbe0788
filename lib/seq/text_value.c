/*
 * text_value.c: strings and numbers as text.  Nothing that a terminal or a page could take for a command gets through.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "seq/text_value.h"

void
rna_text_put_bytes(struct rna_text_sink *o, const char *s, size_t n)
{
	if (o->status == RNA_OK)
		o->status = rna_buf_add(o->buf, s, n);
}

void
rna_text_put(struct rna_text_sink *o, const char *s)
{
	rna_text_put_bytes(o, s, strlen(s));
}

void
rna_text_printf(struct rna_text_sink *o, const char *fmt, ...)
{
	char line[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n > 0)
		rna_text_put_bytes(o, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

/* Length of the UTF-8 sequence at s and its code point; 0 when the bytes are not UTF-8. */
static size_t
utf8(const unsigned char *s, size_t n, uint32_t *cp)
{
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = s[0] < 0x80             ? 1
	             : (s[0] & 0xe0) == 0xc0 ? 2
	             : (s[0] & 0xf0) == 0xe0 ? 3
	             : (s[0] & 0xf8) == 0xf0 ? 4
	                                     : 0;
	size_t i;

	if (len == 0 || len > n)
		return 0;
	*cp = len == 1 ? s[0] : s[0] & (0x7fu >> len);
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*cp = *cp << 6 | (s[i] & 0x3f);
	}
	if (*cp < least[len] || *cp > 0x10ffff || (*cp >= 0xd800 && *cp <= 0xdfff))
		return 0;
	return len;
}

/* Control codes (C0, DEL, C1) and what turns the direction of a line or can't be seen. */
static int
harmful(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) || (cp >= 0x200b && cp <= 0x200f) ||
	       (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff ||
	       (cp >= 0xfff9 && cp <= 0xfffb);
}

/* Printable, but not in this format. */
static int
special(enum rna_text_escape how, uint32_t cp)
{
	switch (how) {
	case RNA_TEXT_ESCAPE_JSON:
		return cp == '"' || cp == '\\';
	case RNA_TEXT_ESCAPE_XML:
		return cp == '&' || cp == '<' || cp == '>' || cp == '"' || cp == 0xfffe || cp == 0xffff;
	case RNA_TEXT_ESCAPE_TSV:
		return cp == '\\';
	case RNA_TEXT_ESCAPE_LINE:
	case RNA_TEXT_ESCAPE_LETTERS:
		break;
	}
	return 0;
}

static void
put_escape(struct rna_text_sink *o, enum rna_text_escape how, const unsigned char *s, size_t len, uint32_t cp)
{
	static const char marks[] = "&<>\"";
	static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;"};
	const char *brief = strchr("\bb\ff\nn\rr\tt\"\"\\\\", (int)cp);
	size_t i;

	if (how == RNA_TEXT_ESCAPE_XML && len == 1 && cp != 0 && strchr(marks, (int)cp) != NULL)
		rna_text_put(o, entities[strchr(marks, (int)cp) - marks]);
	else if (how == RNA_TEXT_ESCAPE_JSON && len == 0)
		rna_text_put(o, "\\ufffd");
	else if (cp != 0 && cp < 0x80 && brief != NULL &&
		 (how == RNA_TEXT_ESCAPE_JSON || strchr("\n\r\t\\", (int)cp) != NULL) && how != RNA_TEXT_ESCAPE_LINE &&
		 how != RNA_TEXT_ESCAPE_XML)
		rna_text_printf(o, "\\%c", brief[cp == '"' || cp == '\\' ? 0 : 1]);
	else if (how == RNA_TEXT_ESCAPE_JSON)
		rna_text_printf(o, "\\u%04x", cp);
	else
		for (i = 0; i < (len ? len : 1); i++)
			rna_text_printf(o, "\\x%02X", s[i]);
}

static void
put_letters(struct rna_text_sink *o, const char *s, size_t n)
{
	size_t i, start = 0;

	for (i = 0; i < n; i++)
		if (s[i] <= 0x20 || s[i] >= 0x7f || s[i] == '>') {
			rna_text_put_bytes(o, s + start, i - start);
			rna_text_put(o, "N");
			start = i + 1;
		}
	rna_text_put_bytes(o, s + start, n - start);
}

void
rna_text_string(struct rna_text_sink *o, enum rna_text_escape how, const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t i, len, start = 0;
	uint32_t cp = 0;

	if (how == RNA_TEXT_ESCAPE_LETTERS) {
		put_letters(o, s, n);
		return;
	}
	for (i = 0; i < n; i += len ? len : 1) {
		len = utf8(u + i, n - i, &cp);
		if (len > 0 && !harmful(cp) && !special(how, cp))
			continue;
		rna_text_put_bytes(o, s + start, i - start);
		put_escape(o, how, u + i, len, len ? cp : 0);
		start = i + (len ? len : 1);
	}
	rna_text_put_bytes(o, s + start, n - start);
}

static float
half(uint16_t h)
{
	int exponent = h >> 10 & 31, fraction = h & 1023;
	float v = exponent == 31  ? (fraction ? NAN : INFINITY)
	          : exponent == 0 ? ldexpf((float)fraction, -24)
	                          : ldexpf((float)(fraction + 1024), exponent - 25);

	return h & 0x8000 ? -v : v;
}

double
rna_text_number(enum rna_dtype dtype, const void *data, uint64_t i)
{
	uint32_t bits;
	float f;

	switch (dtype) {
	case RNA_U8:
	case RNA_STR:
		return ((const uint8_t *)data)[i];
	case RNA_I32:
		return ((const int32_t *)data)[i];
	case RNA_U32:
		return ((const uint32_t *)data)[i];
	case RNA_I64:
		return (double)((const int64_t *)data)[i];
	case RNA_U64:
		return (double)((const uint64_t *)data)[i];
	case RNA_F16:
		return half(((const uint16_t *)data)[i]);
	case RNA_BF16:
		bits = (uint32_t)((const uint16_t *)data)[i] << 16;
		memcpy(&f, &bits, sizeof(f));
		return f;
	case RNA_F32:
		return ((const float *)data)[i];
	case RNA_F64:
		return ((const double *)data)[i];
	}
	return 0;
}

void
rna_text_element(
    struct rna_text_sink *o, enum rna_text_escape how, const struct rna_field *f, const void *data, uint64_t i)
{
	double v;

	if (f->dtype == RNA_U64) {
		rna_text_printf(o, how == RNA_TEXT_ESCAPE_JSON ? "\"%llu\"" : "%llu",
		    (unsigned long long)((const uint64_t *)data)[i]);
		return;
	}
	if (f->dtype == RNA_I64) {
		rna_text_printf(o, "%lld", (long long)((const int64_t *)data)[i]);
		return;
	}
	v = rna_text_number(f->dtype, data, i);
	if (isfinite(v))
		rna_text_printf(o, f->dtype == RNA_F64 ? "%.17g" : f->dtype >= RNA_F16 ? "%.9g" : "%.0f", v);
	else
		rna_text_put(o, how == RNA_TEXT_ESCAPE_JSON ? "null" : isnan(v) ? "nan" : v > 0 ? "inf" : "-inf");
}

const char *
rna_text_token_name(const struct rna_text_options *opts, const struct rna_field *f, const void *data, uint64_t i)
{
	int id;

	if (opts->vocab == NULL || f->dtype != RNA_U8 ||
	    (strcmp(f->name, "type") != 0 && strcmp(f->name, "types") != 0))
		return NULL;
	id = ((const uint8_t *)data)[i];
	return id < opts->vocab->n ? opts->vocab->token[id] : NULL;
}

int
rna_text_energy(const struct rna_record *rec, double *energy)
{
	const struct rna_field *f = rna_record_find(rec, "energy");

	if (f == NULL || f->dtype != RNA_F32 || f->count != 1)
		return 0;
	*energy = *(const float *)rna_record_data(rec, f);
	return 1;
}

size_t
rna_text_columns(const struct rna_text_options *opts, const struct rna_record *rec)
{
	return opts->fields != NULL ? opts->nfields : rec->nfields;
}

const char *
rna_text_column(const struct rna_text_options *opts, const struct rna_record *rec, size_t i)
{
	return opts->fields != NULL ? opts->fields[i] : rec->fields[i].name;
}
