// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/option_walk.h"

#include <errno.h>
#include <string.h>

static int next_letter(struct option_walk *walk, struct error *err)
{
	char letter = *walk->cluster++;
	const char *known = letter == ':' ? NULL : strchr(walk->letters, letter);

	if (!known)
		return fail(err, -EINVAL, "There is no option -%c.", letter);
	walk->option = letter;
	walk->name = walk->value = NULL;
	if (known[1] != ':')
		return 1;
	if (*walk->cluster)
		walk->value = walk->cluster;
	else if (walk->at < walk->argc)
		walk->value = walk->argv[walk->at++];
	walk->cluster = "";
	return walk->value ? 1 : fail(err, -EINVAL, "-%c needs a value.", letter);
}

/* By its whole name, or by the start of one; names that start alike must mean the same. */
static const struct option *find_name(const struct option *names, const char *word, size_t len)
{
	const struct option *found = NULL;
	bool several = false;

	for (const struct option *o = names; o->name; o++) {
		if (strncmp(o->name, word, len))
			continue;
		if (!o->name[len])
			return o;
		several |= found && o->val != found->val;
		found = found ? found : o;
	}
	return several ? NULL : found;
}

/* word is behind the two dashes. */
static int take_name(struct option_walk *walk, const char *word, struct error *err)
{
	size_t len = strcspn(word, "=");
	const struct option *found = find_name(walk->names, word, len);

	if (!found)
		return fail(err, -EINVAL, "There is no option --%s.", word);
	walk->option = found->val;
	walk->name = found->name;
	walk->value = word[len] ? word + len + 1 : NULL;
	if (!found->has_arg)
		return walk->value ? fail(err, -EINVAL, "--%s has no value.", found->name) : 1;
	if (!walk->value && walk->at < walk->argc)
		walk->value = walk->argv[walk->at++];
	return walk->value ? 1 : fail(err, -EINVAL, "--%s needs a value.", found->name);
}

int option_walk_next(struct option_walk *walk, struct error *err)
{
	if (walk->cluster && *walk->cluster)
		return next_letter(walk, err);
	while (walk->at < walk->argc) {
		char *word = walk->argv[walk->at++];

		if (walk->only_operands || word[0] != '-' || !word[1]) {
			walk->argv[++walk->nr_operands] = word;
		} else if (word[1] != '-') {
			walk->cluster = word + 1;
			return next_letter(walk, err);
		} else if (word[2]) {
			return take_name(walk, word + 2, err);
		} else {
			walk->only_operands = true;
		}
	}
	return 0;
}
