// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "elfcore/crash_facts.h"
#include "elfcore/object.h"
#include "src/cmd.h"
#include "src/json.h"
#include "src/kobject.h"

static const char help[] =
	"usage: kcapture mods [OPTIONS] CORE\n"
	"\n"
	"List the modules that the crashed kernel had loaded, as lsmod(8) does, with addresses: the last loaded first.\n"
	"\n"
	"      --json       one array\n"
	"  -h, --help       this text\n";

#define USERS_MAX 512
#define NAME_WIDTH 20

static const char *state_name(unsigned int state)
{
	static const char *const names[] = { "Live", "Loading", "Unloading", "Unformed" };

	return state < ARRAY_SIZE(names) ? names[state] : "?";
}

typedef void user_fn(void *arg, const char *name);

/* The modules that use this one: its source_list of struct module_use. */
static void each_user(struct session *s, const struct module *mod, user_fn *fn, void *arg)
{
	int64_t list = btf_offset(&s->btf, "struct module", "source_list");
	int64_t entry = btf_offset(&s->btf, "struct module_use", "source_list");
	int64_t source = btf_offset(&s->btf, "struct module_use", "source");
	struct list_walk walk;
	vaddr_t at, user;

	if (list < 0 || entry < 0 || source < 0)
		return;
	list_walk_init(&walk, &s->kernel, mod->addr + list);
	while (list_walk_next(&walk, &at) && walk.steps < USERS_MAX) {
		if (kernel_read_word(&s->kernel, at - entry + source, &user))
			return;
		for (unsigned int i = 0; i < s->symbols.modules.nr; i++)
			if (s->symbols.modules.list[i].addr == user)
				fn(arg, s->symbols.modules.list[i].name);
	}
}

/* It can be loaded but never unloaded. */
static bool is_permanent(struct session *s, const struct module *mod)
{
	return kobject_get(s, mod->addr, "module", "init") && !kobject_get(s, mod->addr, "module", "exit");
}

/* In front of the first user stands what is left of the name's column. */
static void print_user(void *arg, const char *name)
{
	int *padding = arg;

	if (*padding >= 0)
		printf("%*s %s", *padding, "", name);
	else
		printf(",%s", name);
	*padding = -1;
}

static void json_user(void *arg, const char *name)
{
	json_string(arg, NULL, name);
}

static void print_module(struct session *s, const struct module *mod)
{
	char taints[TAINT_TEXT_MAX];
	int padding;

	taint_text(mod->taints, taints);
	printf("%016llx %8llu %5lld %-9s %-5s ", mod->nr_areas ? (unsigned long long)mod->areas[0].start : 0ULL,
	       (unsigned long long)mod->core_size, (long long)mod->refcount, state_name(mod->state), taints);
	padding = NAME_WIDTH - min_u64(printf("%s", mod->name), NAME_WIDTH);
	each_user(s, mod, print_user, &padding);
	if (is_permanent(s, mod))
		print_user(&padding, "[permanent]");
	putchar('\n');
}

static void json_module(struct session *s, struct json *json, const struct module *mod)
{
	char taints[TAINT_TEXT_MAX];

	taint_text(mod->taints, taints);
	json_object(json, NULL);
	json_string(json, "name", mod->name);
	json_address(json, "struct", mod->addr);
	json_array(json, "memory");
	for (unsigned int i = 0; i < mod->nr_areas; i++) {
		json_object(json, NULL);
		json_address(json, "address", mod->areas[i].start);
		json_int(json, "size", mod->areas[i].len);
		json_end_object(json);
	}
	json_end_array(json);
	json_int(json, "size", mod->core_size);
	json_int(json, "refs", mod->refcount);
	json_string(json, "state", state_name(mod->state));
	json_string(json, "taints", mod->taints ? taints : "");
	json_bool(json, "permanent", is_permanent(s, mod));
	json_array(json, "users");
	each_user(s, mod, json_user, json);
	json_end_array(json);
	json_end_object(json);
}

static void show(struct session *s, bool as_json)
{
	const struct modules *mods = &s->symbols.modules;
	struct json json;

	json_init(&json, stdout);
	if (as_json)
		json_array(&json, NULL);
	else
		printf("%-16s %8s %5s %-9s %-5s %-*s %s\n", "ADDRESS", "SIZE", "REFS", "STATE", "TAINT", NAME_WIDTH, "NAME",
		       "USED BY");
	for (unsigned int i = 0; i < mods->nr; i++) {
		if (as_json)
			json_module(s, &json, &mods->list[i]);
		else
			print_module(s, &mods->list[i]);
	}
	if (as_json) {
		json_end_array(&json);
		json_newline(&json);
	}
}

int cmd_mods(int argc, char **argv)
{
	static struct session s;
	struct error err;
	bool json = false;
	int code = cmd_only_json(argc, argv, help, 1, &json), broken;

	if (code >= 0)
		return code;
	if (session_open(&s, argv[optind], SESSION_ALL, stderr_log(), &err))
		return cmd_fail("%s", err.text);
	show(&s, json);
	broken = s.symbols.modules.error;
	session_close(&s);
	return broken ? cmd_fail("%s: the list of modules is broken behind these: %s", argv[optind], strerror(-broken)) : 0;
}
