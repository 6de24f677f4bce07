// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/cmd.h"
#include "src/json.h"
#include "src/kobject.h"

static const char help[] =
	"usage: kcapture irqs [OPTIONS] CORE\n"
	"\n"
	"List the interrupts that had handlers: number, count on all CPUs, chip, handlers, devices.\n"
	"\n"
	"      --json       one array\n"
	"  -h, --help       this text\n";

#define IRQS_MAX 65536
#define ACTIONS_MAX 64
#define TREE_DEPTH 16
#define SLOTS_MAX 256

struct show {
	struct session session;
	struct json json;
	bool as_json;
	vaddr_t *descs;		/* struct irq_desc, by number once sorted */
	size_t nr;
	bool broken;
};

/* --- where the kernel keeps them ---------------------------------------------------------------------------------------- */

/* One node that is still to be looked into. */
struct node {
	vaddr_t addr;
	unsigned int next;
};

static void found(struct show *show, vaddr_t desc)
{
	if (show->nr == IRQS_MAX)
		show->broken = true;
	else if (kernel_is_address(&show->session.kernel, desc))
		show->descs[show->nr++] = desc;
}

/* A tree of nodes with slots, walked without recursion. */
struct tree_kind {
	/* The number of slots of a node, at most SLOTS_MAX. */
	unsigned int (*nr_slots)(struct show *show, vaddr_t node);
	/* The value of a slot; 0 = empty. */
	vaddr_t (*slot)(struct show *show, vaddr_t node, unsigned int i);
	bool (*is_node)(struct show *show, vaddr_t parent, vaddr_t entry);
};

static void walk_tree(struct show *show, const struct tree_kind *kind, vaddr_t root)
{
	struct node stack[TREE_DEPTH] = { { root, 0 } };
	unsigned int depth = 1;
	size_t budget = IRQS_MAX;

	while (depth && budget--) {
		struct node *node = &stack[depth - 1];
		vaddr_t entry;

		if (node->next >= min_u64(kind->nr_slots(show, node->addr), SLOTS_MAX)) {
			depth--;
			continue;
		}
		entry = kind->slot(show, node->addr, node->next++);
		if (!entry)
			continue;
		if (!kind->is_node(show, node->addr, entry))
			found(show, entry);
		else if (depth < TREE_DEPTH)
			stack[depth++] = (struct node){ entry, 0 };
		else
			show->broken = true;
	}
}

/* XArray up to 6.4 (irq_desc_tree, a radix tree by its old name): a pointer to a node has bit 1 set (lib/xarray.c). */
static bool xa_is_node(struct show *show, vaddr_t parent, vaddr_t entry)
{
	(void)show, (void)parent;
	return (entry & 3) == 2 && entry > 4096;
}

static unsigned int xa_nr_slots(struct show *show, vaddr_t node)
{
	struct btf_field field;

	(void)node;
	return kobject_field(&show->session, "xa_node", "slots", &field) ?
	       field.size / kernel_word_size(&show->session.kernel) : 0;
}

static vaddr_t xa_slot(struct show *show, vaddr_t node, unsigned int i)
{
	vaddr_t slots = kobject_member(&show->session, node - 2, "xa_node", "slots"), value;
	size_t word = kernel_word_size(&show->session.kernel);

	return slots && !kernel_read_word(&show->session.kernel, slots + i * word, &value) ? value : 0;
}

static const struct tree_kind xarray = { xa_nr_slots, xa_slot, xa_is_node };

/*
 * Maple tree since 6.5 (sparse_irqs): nodes are 256 bytes and aligned so, the low byte of a pointer to one has its type in
 * bits 3 to 6 (include/linux/maple_tree.h). Slots behind the last pivot hold anything.
 */
enum { MAPLE_DENSE, MAPLE_LEAF_64, MAPLE_RANGE_64, MAPLE_ARANGE_64 };

static unsigned int mt_type(vaddr_t node)
{
	return node >> 3 & 0xf;
}

static bool mt_is_leaf(vaddr_t node)
{
	return mt_type(node) < MAPLE_RANGE_64;
}

static bool mt_is_node(struct show *show, vaddr_t parent, vaddr_t entry)
{
	(void)show, (void)entry;
	return !mt_is_leaf(parent);
}

static const char *mt_struct(vaddr_t node)
{
	return mt_type(node) == MAPLE_ARANGE_64 ? "maple_arange_64" : "maple_range_64";
}

static unsigned int mt_nr_slots(struct show *show, vaddr_t node)
{
	struct btf_field pivots;
	size_t word = kernel_word_size(&show->session.kernel);
	unsigned int nr = 0;
	uint64_t value;

	if (mt_type(node) == MAPLE_DENSE || !kobject_field(&show->session, mt_struct(node), "pivot", &pivots))
		return 0;
	/* A pivot of 0 behind the first, or of all ones, is the end. */
	for (; nr < pivots.size / word; nr++)
		if (kernel_read_word(&show->session.kernel, (node & ~0xffULL) + pivots.off + nr * word, &value) ||
		    (!value && nr) || value == UINT64_MAX)
			break;
	return nr + 1;
}

static vaddr_t mt_slot(struct show *show, vaddr_t node, unsigned int i)
{
	vaddr_t slots = kobject_member(&show->session, node & ~0xffULL, mt_struct(node), "slot"), value;
	size_t word = kernel_word_size(&show->session.kernel);

	if (!slots || kernel_read_word(&show->session.kernel, slots + i * word, &value))
		return 0;
	return value;
}

static const struct tree_kind maple = { mt_nr_slots, mt_slot, mt_is_node };

static int gather(struct show *show, struct error *err)
{
	struct session *s = &show->session;
	vaddr_t tree;
	uint64_t root;

	if (!symbols_find(&s->symbols, "sparse_irqs", &tree)) {
		root = kobject_get(s, tree, "maple_tree", "ma_root");
		if ((root & 3) == 2)	/* else it is empty, or one entry */
			walk_tree(show, &maple, root);
		return 0;
	}
	if (!symbols_find(&s->symbols, "irq_desc_tree", &tree)) {
		root = kobject_get(s, tree, "xarray", "xa_head");
		if (xa_is_node(show, 0, root))
			walk_tree(show, &xarray, root);
		return 0;
	}
	return fail(err, -1, "the crashed kernel has neither sparse_irqs nor irq_desc_tree");
}

/* --- one of them ---------------------------------------------------------------------------------------------------------- */

struct irq {
	vaddr_t desc;
	uint64_t number, hwirq;
	int64_t count;
	char chip[64], flow[64];
};

/* Since 6.11 (86d2a2f51fba) a per-CPU struct irqstat, before a per-CPU unsigned int. */
static void read_irq(struct session *s, vaddr_t desc, struct irq *ret)
{
	vaddr_t chip;

	memset(ret, 0, sizeof(*ret));
	ret->desc = desc;
	ret->number = kobject_get(s, desc, "irq_desc", "irq_data.irq");
	ret->hwirq = kobject_get(s, desc, "irq_desc", "irq_data.hwirq");
	ret->count = kobject_percpu_sum(s, kobject_get(s, desc, "irq_desc", "kstat_irqs"), 4);
	chip = kobject_get(s, desc, "irq_desc", "irq_data.chip");
	kobject_string(s, chip, "irq_chip", "name", ret->chip, sizeof(ret->chip));
	kobject_string(s, desc, "irq_desc", "name", ret->flow, sizeof(ret->flow));
}

static void show_actions(struct show *show, const struct irq *irq)
{
	struct session *s = &show->session;
	vaddr_t action = kobject_get(s, irq->desc, "irq_desc", "action");
	char name[64], handler[KSYM_NAME_MAX + 128];

	for (unsigned int i = 0; action && i < ACTIONS_MAX; i++, action = kobject_get(s, action, "irqaction", "next")) {
		kobject_string(s, action, "irqaction", "name", name, sizeof(name));
		symbols_format(&s->symbols, kobject_get(s, action, "irqaction", "handler"), handler, sizeof(handler));
		*strchrnul(handler, '+') = 0;
		if (!show->as_json) {
			printf("%s%s (%s)", i ? ", " : "  ", name, handler[0] ? handler : "?");
			continue;
		}
		json_object(&show->json, NULL);
		json_string(&show->json, "name", name);
		json_string(&show->json, "handler", handler);
		json_end_object(&show->json);
	}
}

static void show_irq(struct show *show, vaddr_t desc)
{
	struct irq irq;

	if (!kobject_get(&show->session, desc, "irq_desc", "action"))
		return;
	read_irq(&show->session, desc, &irq);
	if (!show->as_json) {
		printf("%5llu %10lld %-22s %6llu-%-8s", (unsigned long long)irq.number, (long long)irq.count, irq.chip,
		       (unsigned long long)irq.hwirq, irq.flow);
		show_actions(show, &irq);
		putchar('\n');
		return;
	}
	json_object(&show->json, NULL);
	json_int(&show->json, "irq", irq.number);
	json_int(&show->json, "count", irq.count);
	json_string(&show->json, "chip", irq.chip);
	json_int(&show->json, "hwirq", irq.hwirq);
	json_string(&show->json, "flow", irq.flow);
	json_array(&show->json, "actions");
	show_actions(show, &irq);
	json_end_array(&show->json);
	json_address(&show->json, "struct", desc);
	json_end_object(&show->json);
}

static int run(struct show *show, const char *path)
{
	struct error err;
	int rc;

	if (session_open(&show->session, path, SESSION_TYPES, stderr_log(), &err))
		return cmd_fail("%s", err.text);
	show->descs = calloc(IRQS_MAX, sizeof(*show->descs));
	rc = show->descs ? gather(show, &err) : fail(&err, -1, "no memory");
	if (!rc) {
		json_init(&show->json, stdout);
		if (show->as_json)
			json_array(&show->json, NULL);
		else
			printf("%5s %10s %-22s %6s-%-8s  %s\n", "IRQ", "COUNT", "CHIP", "HWIRQ", "FLOW", "HANDLERS");
		for (size_t i = 0; i < show->nr; i++)
			show_irq(show, show->descs[i]);
		if (show->as_json) {
			json_end_array(&show->json);
			json_newline(&show->json);
		}
	}
	free(show->descs);
	session_close(&show->session);
	if (rc)
		return cmd_fail("%s: %s", path, err.text);
	return show->broken ? cmd_fail("%s: the tree of interrupts is broken, there were more", path) : 0;
}

int cmd_irqs(int argc, char **argv)
{
	static struct show show;
	int rc = cmd_only_json(argc, argv, help, 1, &show.as_json);

	return rc < 0 ? run(&show, argv[optind]) : rc;
}
