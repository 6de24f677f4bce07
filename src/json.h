/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON for machines on standard output, value by value: commas and quoting are done here. The writer nests no deeper than
 * JSON_DEPTH. Numbers that a program could not hold exactly (addresses) are written as strings "0x...".
 */
#ifndef SRC_JSON_H
#define SRC_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH 64

struct json {
	FILE *out;
	unsigned int depth;
	bool filled[JSON_DEPTH];	/* something stands at this level already */
};

void json_init(struct json *json, FILE *out);

/* key NULL inside arrays and at the top. */
void json_object(struct json *json, const char *key);
void json_array(struct json *json, const char *key);
void json_end_object(struct json *json);
void json_end_array(struct json *json);

void json_string(struct json *json, const char *key, const char *value);
void json_text(struct json *json, const char *key, const char *value, size_t len);
void json_int(struct json *json, const char *key, int64_t value);
void json_address(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

/* A newline after a value at the top. */
void json_newline(struct json *json);

#endif
