// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "src/cmd.h"
#include "src/json.h"
#include "src/kobject.h"

static const char help[] =
	"usage: kcapture net [OPTIONS] CORE\n"
	"\n"
	"List network devices with their states and addresses, in all network namespaces.\n"
	"\n"
	"      --json       one array\n"
	"  -h, --help       this text\n";

#define HWADDR_MAX 32

struct device {
	vaddr_t addr;
	char name[16];
	uint64_t index, flags, mtu;
	const char *operstate;
	char hwaddr[3 * HWADDR_MAX];
};

struct show {
	struct session session;
	struct json json;
	bool as_json;
	uint64_t ns;		/* number of the namespace, as in /proc/PID/ns/net */
	int error;		/* of the first broken list */
};

/* RFC 2863, IF_OPER_ (include/uapi/linux/if.h) */
static const char *operstate_name(uint64_t state)
{
	static const char *const names[] = { "unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up" };

	return state < ARRAY_SIZE(names) ? names[state] : "?";
}

static void read_hwaddr(struct session *s, vaddr_t dev, char *ret)
{
	uint64_t len = min_u64(kobject_get(s, dev, "net_device", "addr_len"), HWADDR_MAX);
	struct btf_field field;
	uint8_t bytes[HWADDR_MAX];
	vaddr_t at = 0;

	/* A pointer today, an array in the structure long ago. */
	if (kobject_field(s, "net_device", "dev_addr", &field))
		at = field.size == kernel_word_size(&s->kernel) ? kobject_get(s, dev, "net_device", "dev_addr") : dev + field.off;
	ret[0] = 0;
	if (!at || kernel_read_vaddr(&s->kernel, at, bytes, len))
		return;
	for (uint64_t i = 0; i < len; i++)
		sprintf(ret + strlen(ret), "%s%02x", i ? ":" : "", bytes[i]);
}

static void read_device(struct session *s, vaddr_t addr, struct device *ret)
{
	ret->addr = addr;
	kobject_text(s, addr, "net_device", "name", ret->name, sizeof(ret->name));
	ret->index = kobject_get(s, addr, "net_device", "ifindex");
	ret->flags = kobject_get(s, addr, "net_device", "flags");
	ret->mtu = kobject_get(s, addr, "net_device", "mtu");
	ret->operstate = operstate_name(kobject_get(s, addr, "net_device", "operstate"));
	read_hwaddr(s, addr, ret->hwaddr);
}

static void show_address(struct show *show, int family, const uint8_t *bytes, uint64_t prefix)
{
	char text[INET6_ADDRSTRLEN], whole[INET6_ADDRSTRLEN + 24];

	inet_ntop(family, bytes, text, sizeof(text));
	snprintf(whole, sizeof(whole), "%s/%llu", text, (unsigned long long)prefix);
	if (show->as_json)
		json_string(&show->json, NULL, whole);
	else
		printf("      %s %s\n", family == AF_INET ? "inet" : "inet6", whole);
}

static void note_error(struct show *show, int error)
{
	if (error && !show->error)
		show->error = error;
}

static void show_ipv4(struct show *show, vaddr_t dev)
{
	struct session *s = &show->session;
	vaddr_t at = kobject_get(s, kobject_get(s, dev, "net_device", "ip_ptr"), "in_device", "ifa_list");

	/* A bounded chain: ifa_next is not the first member, so it is no list for list_walk. */
	for (unsigned int i = 0; at && i < 4096; i++, at = kobject_get(s, at, "in_ifaddr", "ifa_next")) {
		struct btf_field field;
		uint8_t bytes[4];

		if (kobject_field(s, "in_ifaddr", "ifa_local", &field) && !kernel_read_vaddr(&s->kernel, at + field.off, bytes, 4))
			show_address(show, AF_INET, bytes, kobject_get(s, at, "in_ifaddr", "ifa_prefixlen"));
	}
}

static void show_ipv6(struct show *show, vaddr_t dev)
{
	struct session *s = &show->session;
	vaddr_t list = kobject_member(s, kobject_get(s, dev, "net_device", "ip6_ptr"), "inet6_dev", "addr_list"), at;
	struct list_walk walk;

	if (!list)
		return;
	list_walk_init(&walk, &s->kernel, list);
	while (list_walk_next(&walk, &at)) {
		vaddr_t address = kobject_container(s, at, "inet6_ifaddr", "if_list");
		struct btf_field field;
		uint8_t bytes[16];

		if (kobject_field(s, "inet6_ifaddr", "addr", &field) &&
		    !kernel_read_vaddr(&s->kernel, address + field.off, bytes, sizeof(bytes)))
			show_address(show, AF_INET6, bytes, kobject_get(s, address, "inet6_ifaddr", "prefix_len"));
	}
	note_error(show, walk.error);
}

static void show_device(struct show *show, vaddr_t addr)
{
	struct device dev;

	read_device(&show->session, addr, &dev);
	if (!show->as_json) {
		printf("%3llu: %-15s %s, %s, mtu %llu%s%s, netns %llu\n", (unsigned long long)dev.index, dev.name,
		       dev.flags & 1 ? "UP" : "DOWN", dev.operstate, (unsigned long long)dev.mtu, dev.hwaddr[0] ? ", " : "",
		       dev.hwaddr, (unsigned long long)show->ns);
		show_ipv4(show, addr);
		show_ipv6(show, addr);
		return;
	}
	json_object(&show->json, NULL);
	json_int(&show->json, "netns", show->ns);
	json_int(&show->json, "index", dev.index);
	json_string(&show->json, "name", dev.name);
	json_bool(&show->json, "up", dev.flags & 1);
	json_string(&show->json, "operstate", dev.operstate);
	json_int(&show->json, "mtu", dev.mtu);
	json_string(&show->json, "address", dev.hwaddr);
	json_array(&show->json, "addresses");
	show_ipv4(show, addr);
	show_ipv6(show, addr);
	json_end_array(&show->json);
	json_address(&show->json, "struct", addr);
	json_end_object(&show->json);
}

static void show_namespace(struct show *show, vaddr_t net)
{
	struct session *s = &show->session;
	vaddr_t list = kobject_member(s, net, "net", "dev_base_head"), at;
	struct list_walk walk;

	show->ns = kobject_get(s, net, "net", "ns.inum");
	if (!list)
		return;
	list_walk_init(&walk, &s->kernel, list);
	while (list_walk_next(&walk, &at))
		show_device(show, kobject_container(s, at, "net_device", "dev_list"));
	note_error(show, walk.error);
}

static int run(struct show *show, const char *path)
{
	struct session *s = &show->session;
	struct list_walk walk;
	struct error err;
	vaddr_t head, at;

	if (session_open(s, path, SESSION_TYPES, stderr_log(), &err))
		return cmd_fail("%s", err.text);
	if (symbols_find(&s->symbols, "net_namespace_list", &head)) {
		session_close(s);
		return cmd_fail("%s: the crashed kernel has no network namespaces", path);
	}
	json_init(&show->json, stdout);
	if (show->as_json)
		json_array(&show->json, NULL);
	list_walk_init(&walk, &s->kernel, head);
	while (list_walk_next(&walk, &at))
		show_namespace(show, kobject_container(s, at, "net", "list"));
	note_error(show, walk.error);
	if (show->as_json) {
		json_end_array(&show->json);
		json_newline(&show->json);
	}
	session_close(s);
	return show->error ? cmd_fail("%s: a list of devices is broken: %s", path, strerror(-show->error)) : 0;
}

int cmd_net(int argc, char **argv)
{
	static struct show show;
	int rc = cmd_only_json(argc, argv, help, 1, &show.as_json);

	return rc < 0 ? run(&show, argv[optind]) : rc;
}
