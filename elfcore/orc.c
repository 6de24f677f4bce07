// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/orc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* More than any kernel has (some 500,000), and few enough to be multiplied. */
#define TABLE_MAX (1U << 24)

/* A kernel has as many tables as modules. */
#define TABLES_MAX 4096

#define FP_SP_OFFSET 16
#define FP_BP_OFFSET (-16)

static uint16_t get16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static int32_t get32(const uint8_t *p)
{
	return (int32_t)elf_get(ELFDATA2LSB, p, 4);
}

/* The two numberings of registers, up to 6.18 and since 6.19. */
static enum orc_reg decode_reg(const struct orc *orc, unsigned int n)
{
	static const uint8_t old[] = { ORC_REG_NONE, ORC_REG_PREV_SP, ORC_REG_DX, ORC_REG_DI, ORC_REG_BP, ORC_REG_SP,
				       ORC_REG_R10, ORC_REG_R13, ORC_REG_BP_INDIRECT, ORC_REG_SP_INDIRECT };
	static const uint8_t new[] = { ORC_REG_NONE, ORC_REG_AX, ORC_REG_DX, ORC_REG_SP, ORC_REG_BP, ORC_REG_DI,
				       ORC_REG_R10, ORC_REG_R13, ORC_REG_PREV_SP, ORC_REG_SP_INDIRECT, ORC_REG_BP_INDIRECT };

	if (orc->old_regs)
		return n < sizeof(old) ? old[n] : ORC_REG_NONE;
	return n < sizeof(new) ? new[n] : ORC_REG_NONE;
}

/* Up to 6.3 (fb799447ae29) the outermost frame was a bit of its own. */
static void decode_type(const struct orc *orc, uint8_t bits, struct orc_entry *ret)
{
	static const uint8_t old[] = { ORC_CALL, ORC_REGS, ORC_REGS_PARTIAL, ORC_CALL };
	static const uint8_t new[] = { ORC_UNDEFINED, ORC_END, ORC_CALL, ORC_REGS, ORC_REGS_PARTIAL };

	if (orc->old_types) {
		ret->type = old[bits & 3];
		ret->signal = ret->type != ORC_CALL;
		if (bits >> orc->end_bit & 1)
			ret->type = ORC_END;
		else if (ret->sp_reg == ORC_REG_NONE)
			ret->type = ORC_UNDEFINED;
	} else {
		ret->type = (bits & 7) < sizeof(new) ? new[bits & 7] : ORC_UNDEFINED;
		ret->signal = bits >> 3 & 1;
	}
}

void orc_decode(const struct orc *orc, const uint8_t raw[ORC_ENTRY_SIZE], struct orc_entry *ret)
{
	ret->sp_offset = (int16_t)get16(raw);
	ret->bp_offset = (int16_t)get16(raw + 2);
	ret->sp_reg = decode_reg(orc, raw[4] & 15);
	ret->bp_reg = decode_reg(orc, raw[4] >> 4);
	decode_type(orc, raw[5], ret);
}

void orc_init(struct orc *orc, struct kernel *kernel, const uint8_t fp_entry[ORC_ENTRY_SIZE], unsigned int end_bit)
{
	struct orc_entry fp;

	memset(orc, 0, sizeof(*orc));
	orc->kernel = kernel;
	orc->end_bit = end_bit;
	orc->old_types = (fp_entry[5] & 7) == 0;
	orc->old_regs = fp_entry[4] >> 4 == 1;
	orc_decode(orc, fp_entry, &fp);
	orc->usable = fp.type == ORC_CALL && fp.sp_reg == ORC_REG_BP && fp.bp_reg == ORC_REG_PREV_SP &&
		      fp.sp_offset == FP_SP_OFFSET && fp.bp_offset == FP_BP_OFFSET;
}

void orc_deinit(struct orc *orc)
{
	free(orc->tables);
	orc->tables = NULL;
	orc->nr_tables = orc->cap_tables = 0;
}

static int read_ip(struct orc *orc, const struct orc_table *table, uint32_t i, vaddr_t *ret)
{
	vaddr_t place = table->ips + 4ULL * i;
	uint8_t raw[4];
	int rc = kernel_read_vaddr(orc->kernel, place, raw, sizeof(raw));

	*ret = place + (int64_t)get32(raw);
	return rc;
}

int orc_add_table(struct orc *orc, vaddr_t ips, vaddr_t entries, uint64_t nr)
{
	struct orc_table table = { ips, entries, (uint32_t)nr, 0, 0 };
	int rc;

	if (!nr || nr > TABLE_MAX || ips > UINT64_MAX - 4 * nr || entries > UINT64_MAX - ORC_ENTRY_SIZE * nr)
		return -EINVAL;
	if (orc->nr_tables == TABLES_MAX)
		return -ENOMEM;
	rc = read_ip(orc, &table, 0, &table.first);
	if (!rc)
		rc = read_ip(orc, &table, table.nr - 1, &table.last);
	if (rc)
		return rc;
	if (table.first > table.last)
		return -EINVAL;
	if (orc->nr_tables == orc->cap_tables) {
		unsigned int cap = orc->cap_tables + 32;
		struct orc_table *tables = realloc(orc->tables, cap * sizeof(*tables));

		if (!tables)
			return -ENOMEM;
		orc->tables = tables;
		orc->cap_tables = cap;
	}
	orc->tables[orc->nr_tables++] = table;
	return 0;
}

/* The last entry that begins at or before ip; the caller knows that the first one does. */
static int search(struct orc *orc, const struct orc_table *table, vaddr_t ip, uint32_t *ret, vaddr_t *begin_ret)
{
	uint32_t low = 0, high = table->nr;	/* low begins at or before ip, high does not */
	int rc;

	*begin_ret = table->first;
	while (high - low > ORC_WINDOW) {
		uint32_t mid = low + (high - low) / 2;
		vaddr_t begin;

		rc = read_ip(orc, table, mid, &begin);
		if (rc)
			return rc;
		if (begin <= ip)
			low = mid;
		else
			high = mid;
	}
	rc = kernel_read_vaddr(orc->kernel, table->ips + 4ULL * low, orc->window, 4 * (high - low));
	if (rc)
		return rc;
	for (uint32_t i = low; i < high; i++) {
		vaddr_t begin = table->ips + 4ULL * i + (int64_t)get32(orc->window + 4 * (i - low));

		if (begin > ip)
			break;
		*ret = i;
		*begin_ret = begin;
	}
	return 0;
}

/* A module's table reaches from its code to its init code, which lie apart: the nearest entry of all tables counts. */
static int find(struct orc *orc, vaddr_t ip, struct orc_entry *ret)
{
	vaddr_t best = 0, entry = 0;
	uint8_t raw[ORC_ENTRY_SIZE];
	int rc = -ENOENT;

	for (unsigned int i = 0; i < orc->nr_tables; i++) {
		const struct orc_table *table = &orc->tables[i];
		vaddr_t begin;
		uint32_t n = 0;

		if (ip < table->first || ip > table->last)
			continue;
		rc = search(orc, table, ip, &n, &begin);
		if (rc)
			return rc;
		if (begin >= best) {
			best = begin;
			entry = table->entries + (uint64_t)ORC_ENTRY_SIZE * n;
		}
	}
	if (!entry)
		return -ENOENT;
	rc = kernel_read_vaddr(orc->kernel, entry, raw, sizeof(raw));
	if (!rc)
		orc_decode(orc, raw, ret);
	return rc;
}

int orc_find(struct orc *orc, vaddr_t ip, struct orc_entry *ret)
{
	unsigned int slot = (ip ^ ip >> 6 ^ ip >> 12) % ORC_CACHE;
	int rc;

	if (!orc->usable)
		return -ENOENT;
	if (ip && orc->cache[slot].ip == ip) {
		*ret = orc->cache[slot].entry;
		return 0;
	}
	rc = find(orc, ip, ret);
	if (!rc) {
		orc->cache[slot].ip = ip;
		orc->cache[slot].entry = *ret;
	}
	return rc;
}
