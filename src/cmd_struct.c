// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/object.h"
#include "src/cmd.h"
#include "src/type_print.h"

static const char help[] =
	"usage: kcapture struct [OPTIONS] CORE NAME[.MEMBER] [ADDR]\n"
	"\n"
	"Show the layout of a type (structure, union, enum, typedef) of the crashed kernel or one of its modules, with offsets\n"
	"and sizes in bytes; with ADDR (a symbol too) the object of that type there. MEMBER may go deeper: se.avg.load_sum,\n"
	"comm[0]; ADDR is always the address of the whole NAME.\n"
	"\n"
	"      --json       one object\n"
	"  -h, --help       this text\n";

#define OBJECT_MAX (16U << 20)

struct request {
	const struct btf *btf;
	uint32_t id;
	struct btf_field field;		/* of the member; of the whole without one */
	const char *label;		/* NAME.MEMBER as asked */
	const char *member;		/* "" = none */
	bool json;
};

static int show_layout(const struct request *rq)
{
	struct json json;
	char text[256];

	if (rq->json) {
		json_init(&json, stdout);
		json_layout(&json, rq->btf, rq->field.type);
		json_newline(&json);
		return 0;
	}
	if (rq->member[0]) {
		btf_declare(rq->btf, rq->field.type, rq->member, text, sizeof(text));
		printf("/* %s: offset %llu, size %llu */\n", text, (unsigned long long)rq->field.off,
		       (unsigned long long)rq->field.size);
	}
	print_layout(rq->btf, rq->field.type);
	return 0;
}

static void show_object(const struct request *rq, struct object *object)
{
	struct json json;

	if (!rq->json) {
		print_value(object, rq->member, &rq->field);
		return;
	}
	json_init(&json, stdout);
	json_object(&json, NULL);
	json_string(&json, "type", rq->label);
	json_address(&json, "address", object->addr);
	json_value(&json, object, "value", &rq->field);
	json_end_object(&json);
	json_newline(&json);
}

static int show_value(struct session *s, const struct request *rq, const char *where)
{
	struct object object = { .session = s, .btf = rq->btf };
	uint64_t size = max_u64(btf_type_size(rq->btf, rq->id), rq->field.off + rq->field.size);
	struct error err;
	uint8_t *bytes;

	if (session_address(s, where, &object.addr, &err))
		return cmd_fail("%s: %s", s->path, err.text);
	if (!rq->field.size || size > OBJECT_MAX)
		return cmd_fail("%s: %s has %llu bytes", s->path, rq->label, (unsigned long long)rq->field.size);
	bytes = malloc(size);
	if (!bytes)
		return cmd_fail("no memory for %llu bytes", (unsigned long long)size);
	object.bytes = bytes;
	/* Only a member is asked for: what lies before it may well be missing. */
	if (!kernel_read_vaddr(&s->kernel, object.addr + rq->field.off, bytes + rq->field.off, rq->field.size))
		object.len = rq->field.off + rq->field.size;
	else
		object.len = kernel_read_prefix(&s->kernel, object.addr, bytes, size);
	if (object.len > rq->field.off)
		show_object(rq, &object);
	free(bytes);
	if (object.len > rq->field.off)
		return 0;
	return cmd_fail("%s: 0x%llx is not in the dump", s->path, (unsigned long long)(object.addr + rq->field.off));
}

/* NAME[.MEMBER]; "struct page.flags" as one argument too. */
static int look_up(struct session *s, char *label, struct request *rq)
{
	char *dot = strpbrk(label, ".[");
	char name[256];
	size_t len = dot ? (size_t)(dot - label) : strlen(label);

	rq->label = label;
	rq->member = dot ? dot + (*dot == '.') : "";
	if (len >= sizeof(name))
		return cmd_fail("a name of %zu characters", len);
	memcpy(name, label, len);
	name[len] = 0;
	if (session_find_type(s, name, &rq->btf, &rq->id))
		return cmd_fail("%s: no type \"%s\" in the crashed kernel", s->path, name);
	if (btf_type_member(rq->btf, rq->id, rq->member, &rq->field))
		return cmd_fail("%s: %s has no member \"%s\"", s->path, name, rq->member);
	return 0;
}

int cmd_struct(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	static struct session s;
	struct request rq = { 0 };
	struct error err;
	int opt, rc;

	while ((opt = cmd_getopt(argc, argv, ":h", options, help, -2)) != -1) {
		switch (opt) {
		case 'j': rq.json = true; break;
		case 'h': return 0;
		default: return 2;
		}
	}
	if (argc - optind > 3)
		return usage_error(argv[0], "unexpected argument \"%s\"", argv[optind + 3]);
	if (session_open(&s, argv[optind], SESSION_TYPES, stderr_log(), &err))
		return cmd_fail("%s", err.text);
	rc = look_up(&s, argv[optind + 1], &rq);
	if (!rc)
		rc = optind + 2 < argc ? show_value(&s, &rq, argv[optind + 2]) : show_layout(&rq);
	session_close(&s);
	return rc;
}
