// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/config.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/page.h"
#include "elfcore/types.h"
#include "src/config_format.h"
#include "src/config_target.h"

#define LINE_MAX_LEN 1024
#define WORD_MAX_LEN 32		/* of a directive */

static const char *const actions[] = { "reboot", "halt", "poweroff" };
static const char *const sources[] = { "devmem", "vmcore" };
static const char *const consoles[] = { "auto", "plain", "screen" };

const char *action_name(enum action action)
{
	return actions[action];
}

const char *source_name(enum source_kind source)
{
	return sources[source];
}

void config_init(struct config *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	config_init_targets(cfg);
	strcpy(cfg->watchdog, "/dev/watchdog");
	cfg->crash_loop = 6;
	cfg->levels[0] = DUMP_LEVEL_MAX;
	cfg->nr_levels = 1;
	cfg->jobs = 1;
	cfg->aliases = true;
	cfg->checksum = true;
	cfg->sources[cfg->nr_sources++] = SOURCE_DEVMEM;
	cfg->sources[cfg->nr_sources++] = SOURCE_VMCORE;
}

static int word_index(const char *const *words, size_t nr, const char *word)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(words[i], word))
			return i;
	return -1;
}

static int set_action(struct config *cfg, const char *word, const char *value, struct error *err)
{
	int action = word_index(actions, ARRAY_SIZE(actions), value);

	if (action < 0)
		return fail(err, -EINVAL, "\"%s\" is none of reboot, halt, poweroff", value);
	if (!strcmp(word, "final_action"))
		cfg->final_action = action;
	else
		cfg->failure_action = action;
	return 0;
}

static int set_timeout(struct config *cfg, const char *word, const char *value, struct error *err)
{
	(void)word;
	return config_seconds(value, &cfg->timeout, err);
}

static int set_sources(struct config *cfg, const char *word, const char *value, struct error *err)
{
	enum source_kind list[NR_SOURCES];
	unsigned int nr = 0;
	char copy[64];

	(void)word;
	if (strlen(value) >= sizeof(copy))
		return fail(err, -EINVAL, "\"%.40s...\" is too long", value);
	strcpy(copy, value);
	for (char *save, *name = strtok_r(copy, " ,", &save); name; name = strtok_r(NULL, " ,", &save)) {
		int source = word_index(sources, ARRAY_SIZE(sources), name);

		if (source < 0)
			return fail(err, -EINVAL, "\"%s\" is none of devmem, vmcore", name);
		if (nr == NR_SOURCES)
			return fail(err, -EINVAL, "\"%s\" names a source twice", value);
		list[nr++] = source;
	}
	if (!nr || (nr == 2 && list[0] == list[1]))
		return fail(err, -EINVAL, "\"%s\" does not name each source once", value);
	memcpy(cfg->sources, list, nr * sizeof(list[0]));
	cfg->nr_sources = nr;
	return 0;
}

static int set_switch(struct config *cfg, const char *word, const char *value, struct error *err)
{
	bool on = !strcmp(value, "yes");

	if (!on && strcmp(value, "no"))
		return fail(err, -EINVAL, "\"%s\" is neither yes nor no", value);
	if (!strcmp(word, "crosscheck"))
		cfg->crosscheck = on;
	else if (!strcmp(word, "checksum"))
		cfg->checksum = on;
	else
		cfg->aliases = on;
	return 0;
}

static int read_number(const char *value, unsigned int max, unsigned int *ret, struct error *err)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (end == value || *end || value[0] == '-' || n > max)
		return fail(err, -EINVAL, "\"%s\" is not a number from 0 to %u", value, max);
	*ret = n;
	return 0;
}

static int set_count(struct config *cfg, const char *word, const char *value, struct error *err)
{
	return read_number(value, 10000, strcmp(word, "keep") ? &cfg->crash_loop : &cfg->keep, err);
}

/* A number of bytes with K, M, G or T behind it, powers of 1024. */
static int set_keep_bytes(struct config *cfg, const char *word, const char *value, struct error *err)
{
	static const char units[] = "KMGT";
	char *end;
	unsigned long long n = strtoull(value, &end, 10);
	const char *unit = *end ? strchr(units, *end) : NULL;
	unsigned int shift = unit ? 10 * (unit - units + 1) : 0;

	(void)word;
	if (end == value || value[0] == '-' || (*end && (!unit || end[1])) || n > UINT64_MAX >> shift)
		return fail(err, -EINVAL, "\"%s\" is not a number of bytes, or of K, M, G, T", value);
	cfg->keep_bytes = n << shift;
	return 0;
}

static int set_watchdog(struct config *cfg, const char *word, const char *value, struct error *err)
{
	(void)word;
	if (!strcmp(value, "yes"))
		value = "/dev/watchdog";
	else if (!strcmp(value, "no"))
		value = "";
	else if (strncmp(value, "/dev/", 5) || strlen(value) >= sizeof(cfg->watchdog))
		return fail(err, -EINVAL, "\"%s\" is none of yes, no, /dev/NAME", value);
	memset(cfg->watchdog, 0, sizeof(cfg->watchdog));
	strcpy(cfg->watchdog, value);
	return 0;
}

static int set_console(struct config *cfg, const char *word, const char *value, struct error *err)
{
	int kind = word_index(consoles, ARRAY_SIZE(consoles), value);

	(void)word;
	if (kind < 0)
		return fail(err, -EINVAL, "\"%s\" is none of auto, plain, screen", value);
	cfg->console = kind;
	return 0;
}

static int set_text(char *ret, size_t size, const char *value, struct error *err)
{
	if (strlen(value) >= size)
		return fail(err, -EINVAL, "list longer than %zu bytes", size - 1);
	memset(ret, 0, size);
	strcpy(ret, value);
	return 0;
}

static int set_extra_modules(struct config *cfg, const char *word, const char *value, struct error *err)
{
	(void)word;
	return set_text(cfg->extra_modules, sizeof(cfg->extra_modules), value, err);
}

/* One absolute path, or for extra_bins several. */
static int set_program(struct config *cfg, const char *word, const char *value, struct error *err)
{
	if (value[0] != '/' || strstr(value, "..") || (strchr(value, ' ') && strcmp(word, "extra_bins")))
		return fail(err, -EINVAL, "\"%s\" is not the absolute path of a program", value);
	if (!strcmp(word, "extra_bins"))
		return set_text(cfg->extra_bins, sizeof(cfg->extra_bins), value, err);
	return strcmp(word, "kdump_pre") ? set_text(cfg->kdump_post, sizeof(cfg->kdump_post), value, err) :
					   set_text(cfg->kdump_pre, sizeof(cfg->kdump_pre), value, err);
}

static int set_nothing(struct config *cfg, const char *word, const char *value, struct error *err)
{
	(void)cfg, (void)word, (void)value, (void)err;
	return 0;
}

/* hint: what is said of a word that is taken; a word without set is known from kdump.conf and wrong here. */
static const struct directive {
	const char *word;
	int (*set)(struct config *cfg, const char *word, const char *value, struct error *err);
	const char *hint;
} directives[] = {
	{ "ext2", config_set_filesystem, NULL },
	{ "ext3", config_set_filesystem, NULL },
	{ "ext4", config_set_filesystem, NULL },
	{ "xfs", config_set_filesystem, NULL },
	{ "btrfs", config_set_filesystem, NULL },
	{ "vfat", config_set_filesystem, NULL },
	{ "raw", config_set_raw, NULL },
	{ "tcp", config_set_tcp, NULL },
	{ "path", config_set_path, NULL },
	{ "subvol", config_set_subvol, NULL },
	{ "assemble", config_set_assemble, NULL },
	{ "luks_key", config_set_luks_key, NULL },
	{ "target_timeout", config_set_limit, NULL },
	{ "stall_timeout", config_set_limit, NULL },
	{ "target_limit", config_set_limit, NULL },
	{ "final_action", set_action, NULL },
	{ "failure_action", set_action, NULL },
	{ "timeout", set_timeout, NULL },
	{ "source", set_sources, NULL },
	{ "crosscheck", set_switch, NULL },
	{ "aliases", set_switch, NULL },
	{ "checksum", set_switch, NULL },
	{ "format", config_set_format, NULL },
	{ "compress", config_set_compress, NULL },
	{ "dump_level", config_set_levels, NULL },
	{ "jobs", config_set_jobs, NULL },
	{ "keep", set_count, NULL },
	{ "keep_bytes", set_keep_bytes, NULL },
	{ "crash_loop", set_count, NULL },
	{ "watchdog", set_watchdog, NULL },
	{ "console", set_console, NULL },
	{ "net", config_set_net, NULL },
	{ "key", config_set_key, NULL },
	{ "host", config_set_host, NULL },
	{ "extra_modules", set_extra_modules, NULL },
	{ "extra_bins", set_program, NULL },
	{ "kdump_pre", set_program, NULL },
	{ "kdump_post", set_program, NULL },

	/* kdump.conf's */
	{ "default", set_action, "failure_action is its present name" },
	{ "core_collector", config_set_collector,
	  "its -c, -l, -p (as lzo), -z, -E and -d (0 when not given) are taken; format, compress and dump_level say the same" },
	{ "dracut_args", set_nothing, "means nothing here, there is no dracut" },
	{ "force_rebuild", set_nothing, "means nothing here, every arming builds the image" },
	{ "force_no_rebuild", set_nothing, "means nothing here, every arming builds the image" },
	{ "auto_reset_crashkernel", set_nothing, "means nothing here" },
	{ "nfs", NULL, "not supported yet; use tcp and \"kcapture receive\"" },
	{ "ssh", NULL, "not supported yet; use tcp and \"kcapture receive\"" },
	{ "sshkey", NULL, "not supported yet; use tcp and \"kcapture receive\"" },
	{ "virtiofs", NULL, "not supported yet" },
	{ "minix", NULL, "not supported" },
	{ "fence_kdump_args", NULL, "not supported yet" },
	{ "fence_kdump_nodes", NULL, "not supported yet" },
};

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* How many letters have to be changed, added or left out to make a into b (Levenshtein's distance). */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_MAX_LEN + 1], len = strlen(b);

	for (size_t i = 0; i <= len; i++)
		row[i] = i;
	for (; *a; a++) {
		size_t diagonal = row[0]++;

		for (size_t i = 1; i <= len; i++) {
			size_t above = row[i];

			row[i] = min3(above + 1, row[i - 1] + 1, diagonal + (*a != b[i - 1]));
			diagonal = above;
		}
	}
	return row[len];
}

/* The directive that was probably meant, or NULL. */
static const char *nearest(const char *word)
{
	size_t best = strlen(word) / 3 + 2;
	const char *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(directives) && strlen(word) <= WORD_MAX_LEN; i++) {
		size_t d = distance(word, directives[i].word);

		if (d >= best || !directives[i].set)
			continue;
		best = d;
		found = directives[i].word;
	}
	return found;
}

/* On success *hint_ret says what is to be known about the word, NULL = nothing. */
static int apply(struct config *cfg, const char *word, const char *value, const char **hint_ret, struct error *err)
{
	const char *meant;

	for (size_t i = 0; i < ARRAY_SIZE(directives); i++) {
		const struct directive *d = &directives[i];

		if (strcmp(d->word, word))
			continue;
		if (!d->set)
			return fail(err, -EINVAL, "%s: %s", word, d->hint);
		if (!*value && d->set != set_nothing)
			return fail(err, -EINVAL, "%s needs a value", word);
		if (d->set(cfg, word, value, err))
			return fail_prefix(err, "%s", word);
		*hint_ret = d->hint;
		return 0;
	}
	meant = nearest(word);
	return fail(err, -EINVAL, "unknown directive \"%.40s\"%s%s%s", word, meant ? ", did you mean \"" : "", meant ? meant : "",
		    meant ? "\"?" : "");
}

/* Fold runs of blanks to one and drop comment and surrounding blanks, in place. */
static void normalise(char *line)
{
	char *out = line;

	for (const char *in = line; *in && *in != '#'; in++) {
		char c = *in == '\t' || *in == '\r' ? ' ' : *in;

		if (c != ' ' || (out > line && out[-1] != ' '))
			*out++ = c;
	}
	if (out > line && out[-1] == ' ')
		out--;
	*out = 0;
}

static int parse_line(struct config *cfg, char *line, const char **hint_ret, struct error *err)
{
	char *value;

	*hint_ret = NULL;
	normalise(line);
	if (!*line)
		return 0;
	value = strchr(line, ' ');
	if (value)
		*value++ = 0;
	return apply(cfg, line, value ? value : "", hint_ret, err);
}

unsigned int config_parse(struct config *cfg, const char *text, size_t len, const char *name, struct log *log)
{
	static const char mark[] = "\xef\xbb\xbf";	/* of UTF-8, which some editors put first and nobody sees */
	unsigned int wrong = 0, number = 0;
	const char *end = text + len;

	if (len >= strlen(mark) && !memcmp(text, mark, strlen(mark)))
		text += strlen(mark);
	while (text < end) {
		const char *eol = memchr(text, '\n', end - text);
		size_t n = (eol ? eol : end) - text;
		char line[LINE_MAX_LEN];
		const char *hint;
		struct error err;

		number++;
		if (n >= sizeof(line)) {
			log_warn(log, "%s:%u: line longer than %zu bytes, ignored", name, number, sizeof(line) - 1);
			wrong++;
		} else {
			memcpy(line, text, n);
			line[n] = 0;
			if (parse_line(cfg, line, &hint, &err)) {
				log_warn(log, "%s:%u: %s", name, number, err.text);
				wrong++;
			} else if (hint) {
				log_warn(log, "%s:%u: %s: %s", name, number, line, hint);
			}
		}
		text += n + 1;
	}
	return wrong;
}

/* One word of the command line, n bytes; false when it is one of ours and wrong. */
static bool parse_param(struct config *cfg, const char *word, size_t n, struct log *log)
{
	static const char prefix[] = "kcapture.";
	char param[LINE_MAX_LEN], *value;
	const char *hint;
	struct error err;

	if (n < sizeof(prefix) - 1 || strncmp(word, prefix, sizeof(prefix) - 1))
		return true;
	if (n >= sizeof(param)) {
		log_warn(log, "kernel command line: %.40s... is too long, ignored", word);
		return false;
	}
	memcpy(param, word, n);
	param[n] = 0;
	value = strchr(param, '=');
	if (value)
		*value++ = 0;
	if (!apply(cfg, param + sizeof(prefix) - 1, value ? value : "", &hint, &err))
		return true;
	log_warn(log, "kernel command line: %s", err.text);
	return false;
}

unsigned int config_parse_cmdline(struct config *cfg, const char *cmdline, struct log *log)
{
	unsigned int wrong = 0;

	cfg->overriding = true;
	cfg->net_overriding = true;
	while (*cmdline) {
		size_t n = strcspn(cmdline, " \n");

		wrong += !parse_param(cfg, cmdline, n, log);
		cmdline += n + (cmdline[n] != 0);
	}
	cfg->overriding = false;
	cfg->net_overriding = false;
	return wrong;
}

int config_check(const struct config *cfg, struct error *err)
{
	if (!cfg->nr_targets)
		return fail(err, -EINVAL, "no target: one line like \"ext4 UUID=...\" or \"raw /dev/sdb1\" is needed");
	return 0;
}
