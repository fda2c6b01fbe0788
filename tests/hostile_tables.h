/*
 * hostile_tables.h: headers and records that a reader must refuse; hostile_make.c puts each into a stream that is
 * right otherwise.
 */
#ifndef RNA_HOSTILE_TABLES_H
#define RNA_HOSTILE_TABLES_H

/* Headers that are refused, in a stream that is right otherwise. */
static const struct {
	const char *name, *words, *json;
} headers[] = {
	{"header-text", "not a JSON object", "rill 1"},
	{"header-array", "not a JSON object", "[1]"},
	{"header-newline-after", "not a JSON object", "{\"rill\":1}\n"},
	{"header-after", "not a JSON object", "{\"rill\":1} x"},
	{"header-two", "header: end of file expected", "{\"rill\":1}{}"},
	{"header-open", "not a JSON object", "{\"rill\":1"},
	{"header-twice", "duplicate", "{\"rill\":1,\"rill\":1}"},
	{"header-deep-twice", "duplicate", "{\"rill\":1,\"x\":{\"a\":1,\"a\":2}}"},
	{"header-nul", "NUL", "{\"rill\":1,\"x\":\"a\\u0000b\"}"},
	{"header-nul-key", "NUL", "{\"rill\":1,\"a\\u0000b\":1}"},
	{"header-surrogate", "header: ", "{\"rill\":1,\"x\":\"\\ud800\"}"},
	{"header-utf8", "header: unable to decode byte", "{\"rill\":1,\"x\":\"\xff\"}"},
	{"header-control", "header: control character", "{\"rill\":1,\"x\":\"\x1b[31m\"}"},
	{"header-large-integer", "header: too big integer", "{\"rill\":1,\"x\":99999999999999999999}"},
	{"header-no-version", "no format version", "{}"},
	{"header-version-0", "no format version", "{\"rill\":0}"},
	{"header-version-2", "format version 2", "{\"rill\":2}"},
	{"header-version-text", "no format version", "{\"rill\":\"1\"}"},
	{"header-version-real", "no format version", "{\"rill\":1.0}"},
	{"header-vocab", "vocab", "{\"rill\":1,\"vocab\":\"rnaernie\"}"},
	{"header-vocab-null", "vocab", "{\"rill\":1,\"vocab\":null}"},
	{"header-vocab-digest", "vocab", "{\"rill\":1,\"vocab\":{\"name\":\"x\",\"digest\":1}}"},
	{"header-records", "total", "{\"rill\":1,\"records\":-1}"},
	{"header-tokens", "total", "{\"rill\":1,\"tokens\":1.5}"},
	{"header-provenance", "provenance", "{\"rill\":1,\"provenance\":{}}"},
	{"header-provenance-text", "provenance", "{\"rill\":1,\"provenance\":[\"rna-x\"]}"},
};

/* Payloads of a record, in hex. */
#define ONE "01000000 00000000 "                     /* one field */
#define U8A "0100010000000000 6100000000000000 "     /* u8 scalar named a, its data follow */
static const struct {
	const char *name, *words, *hex;
} records[] = {
	{"record-0-bytes", "record of 0 bytes", ""},
	{"record-count", "4097 fields", "01100000 00000000"},
	{"record-count-bytes", "2 fields in a record of 32 bytes", "02000000 00000000" U8A "0100000000000000"},
	{"record-reserved", "reserved", "01000000 01000000" U8A "0100000000000000"},
	{"record-after", "8 bytes after the last field", ONE U8A "0100000000000000 0000000000000000"},
	{"record-no-fields-after", "8 bytes after the last field", "0000000000000000 0000000000000000"},
	{"field-cut", "field 2 runs over", "02000000 00000000" U8A "0100000000000000 0100010000000000"},
	{"field-name-cut", "runs over", ONE "01003f0000000000 6161616161616161"},
	{"field-dims-cut", "runs over", ONE "0101010000000000 6100000000000000"},
	{"field-data-cut", "data run over", ONE U8A},
	{"field-data-cut-more", "data run over", ONE "0801010000000000 6100000000000000"
	    "0300000000000000 0000803f00000000"},
	{"field-dtype-0", "unknown dtype 0", ONE "0000010000000000 6100000000000000 0100000000000000"},
	{"field-dtype-11", "unknown dtype 11", ONE "0b00010000000000 6100000000000000 0100000000000000"},
	{"field-rank-9", "9 dimensions", ONE "0109010000000000 6100000000000000 0100000000000000"},
	{"field-str-scalar", "impossible dimensions", ONE "0a00010000000000 6100000000000000 6100000000000000"},
	{"field-str-matrix", "impossible dimensions", ONE "0a02010000000000 6100000000000000"
	    "0100000000000000 0100000000000000 6100000000000000"},
	{"field-reserved", "padding is not zero", ONE "0100010000000001 6100000000000000 0100000000000000"},
	{"field-name-none", "bad name", ONE "0100000000000000 6100000000000000"},
	{"field-name-64", "bad name", ONE "0100400000000000"
	    "61616161616161616161616161616161 61616161616161616161616161616161"
	    "61616161616161616161616161616161 61616161616161616161616161616161 0100000000000000"},
	{"field-name-space", "bad name", ONE "0100020000000000 6120000000000000 0100000000000000"},
	{"field-name-digit", "bad name", ONE "0100020000000000 3161000000000000 0100000000000000"},
	{"field-name-nul", "bad name", ONE "0100020000000000 6100000000000000 0100000000000000"},
	{"field-name-utf8", "bad name", ONE "0100020000000000 c3a9000000000000 0100000000000000"},
	{"field-name-padding", "padding is not zero", ONE "0100010000000000 6161000000000000 0100000000000000"},
	{"field-twice", "there twice", "02000000 00000000" U8A "0100000000000000" U8A "0200000000000000"},
	{"field-padding", "padding is not zero", ONE U8A "0101000000000000"},
	{"field-padding-str", "padding is not zero", ONE "0a01010000000000 6100000000000000"
	    "0100000000000000 6161000000000000"},
	{"field-dims-overflow", "impossible dimensions", ONE "0102010000000000 6100000000000000"
	    "0000000000000080 0200000000000000"},
	{"field-dims-zero", "impossible dimensions", ONE "0103010000000000 6100000000000000"
	    "0000000000000000 0000000000000080 0000000000000080"},
	{"field-dims-huge", "impossible dimensions", ONE "0101010000000000 6100000000000000 0000000000000200"},
	{"field-dims-most", "data run over", ONE "0901010000000000 6100000000000000 0000000000000100"},
};

#endif
