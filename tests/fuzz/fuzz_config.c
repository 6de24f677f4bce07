// SPDX-License-Identifier: GPL-2.0-or-later
/* Any text as a configuration file. */
#include "tests/fuzz/check_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1);
	struct config cfg, untouched;
	size_t nr_lines = 1;

	must(text);
	memcpy(text, data, size);
	for (size_t i = 0; i < size; i++)
		nr_lines += text[i] == '\n';
	config_init(&cfg);
	must(config_parse(&cfg, text, size, "fuzz", NULL) <= nr_lines);
	check_config(&cfg);
	config_init(&untouched);
	check_config(&untouched);
	free(text);
	return 0;
}
