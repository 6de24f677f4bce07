// SPDX-License-Identifier: GPL-2.0-or-later
/* Any kernel command line: our own parameters in it, and the capture kernel's command line that arming makes of it. */
#include "tests/fuzz/check_config.h"

#include "initramfs/cmdline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = copy_string(data, size), capture[CAPTURE_CMDLINE_SIZE];
	struct config cfg;
	struct error err;

	config_init(&cfg);
	config_parse_cmdline(&cfg, line, NULL);
	check_config(&cfg);
	if (!capture_cmdline(line, "x86_64", NULL, capture, sizeof(capture), &err)) {
		must(memchr(capture, 0, sizeof(capture)));
		must(strlen(capture) <= CAPTURE_CMDLINE_SIZE - CAPTURE_CMDLINE_RESERVE);
	}
	capture_cmdline("console=ttyS0", "aarch64", line, capture, 64, &err);
	must(memchr(capture, 0, sizeof(capture)));
	free(line);
	return 0;
}
