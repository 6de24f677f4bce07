// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/json.h"

#include <string.h>

void json_init(struct json *json, FILE *out)
{
	memset(json, 0, sizeof(*json));
	json->out = out;
}

/* Bytes that are no ASCII come from a kernel that nobody can ask for their encoding: Latin-1 keeps them apart. */
static void quoted(struct json *json, const char *text, size_t len)
{
	putc('"', json->out);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = text[i];

		if (c == '"' || c == '\\')
			fprintf(json->out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			fprintf(json->out, "\\u%04x", c);
		else
			putc(c, json->out);
	}
	putc('"', json->out);
}

static void begin(struct json *json, const char *key)
{
	if (json->depth && json->filled[json->depth])
		putc(',', json->out);
	json->filled[json->depth] = true;
	if (key) {
		quoted(json, key, strlen(key));
		putc(':', json->out);
	}
}

static void open_level(struct json *json, char c)
{
	putc(c, json->out);
	if (json->depth < JSON_DEPTH - 1)
		json->depth++;
	json->filled[json->depth] = false;
}

static void close_level(struct json *json, char c)
{
	putc(c, json->out);
	if (json->depth)
		json->depth--;
}

void json_object(struct json *json, const char *key)
{
	begin(json, key);
	open_level(json, '{');
}

void json_array(struct json *json, const char *key)
{
	begin(json, key);
	open_level(json, '[');
}

void json_end_object(struct json *json)
{
	close_level(json, '}');
}

void json_end_array(struct json *json)
{
	close_level(json, ']');
}

void json_text(struct json *json, const char *key, const char *value, size_t len)
{
	begin(json, key);
	quoted(json, value, len);
}

void json_string(struct json *json, const char *key, const char *value)
{
	if (value)
		json_text(json, key, value, strlen(value));
	else
		json_null(json, key);
}

void json_int(struct json *json, const char *key, int64_t value)
{
	begin(json, key);
	fprintf(json->out, "%lld", (long long)value);
}

void json_address(struct json *json, const char *key, uint64_t value)
{
	begin(json, key);
	fprintf(json->out, "\"0x%llx\"", (unsigned long long)value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin(json, key);
	fputs(value ? "true" : "false", json->out);
}

void json_null(struct json *json, const char *key)
{
	begin(json, key);
	fputs("null", json->out);
}

void json_newline(struct json *json)
{
	putc('\n', json->out);
}
