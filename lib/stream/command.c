/*
 * command.c: the command line that recreates a stream.
 */
#include <string.h>

#include "stream/command.h"

static enum rna_status
add_word(struct rna_buf *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+,./:@%";
	enum rna_status st;
	size_t n;

	if (*word != '\0' && word[strspn(word, plain)] == '\0')
		return rna_buf_str(out, word);
	st = rna_buf_str(out, "'");
	while (st == RNA_OK && *word != '\0') {
		n = strcspn(word, "'");
		st = rna_buf_add(out, word, n);
		word += n;
		if (st == RNA_OK && *word == '\'') {
			st = rna_buf_str(out, "'\\''");
			word++;
		}
	}
	return st == RNA_OK ? rna_buf_str(out, "'") : st;
}

static enum rna_status
add_entry(struct rna_buf *out, const json_t *entry, int first)
{
	const char *tool = json_string_value(json_object_get(entry, "tool"));
	const json_t *args = json_object_get(entry, "args"), *seed = json_object_get(entry, "seed");
	enum rna_status st = first ? RNA_OK : rna_buf_str(out, " | ");
	size_t i;

	if (st == RNA_OK)
		st = add_word(out, tool != NULL ? tool : "?");
	if (st == RNA_OK && json_is_integer(seed))
		st = rna_buf_printf(out, " -s %lld", (long long)json_integer_value(seed));
	for (i = 0; i < json_array_size(args) && st == RNA_OK; i++) {
		const char *word = json_string_value(json_array_get(args, i));

		if ((st = rna_buf_str(out, " ")) == RNA_OK)
			st = add_word(out, word != NULL ? word : "?");
	}
	if (st == RNA_OK && first)
		st = rna_buf_str(out, " INPUT");
	return st;
}

enum rna_status
rna_command_line(const struct rna_header *h, struct rna_buf *out)
{
	const json_t *list = json_object_get(h->json, "provenance");
	enum rna_status st = RNA_OK;
	size_t i;

	for (i = 0; i < json_array_size(list) && st == RNA_OK; i++)
		st = add_entry(out, json_array_get(list, i), i == 0);
	if (st == RNA_OK && (st = rna_buf_add(out, "", 1)) == RNA_OK)
		out->len--;
	return st;
}
