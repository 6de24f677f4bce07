/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initramfs/kernel_image.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elfcore/types.h"
#include "initramfs/tool.h"

int kernel_image_find(const char *root, const char *version, char *ret, size_t size, struct error *err)
{
	static const char *const places[] = {
		"boot/vmlinuz-%s",	"lib/modules/%s/vmlinuz", "usr/lib/modules/%s/vmlinuz", "boot/vmlinux-%s",
		"boot/Image-%s",	"boot/kernel-%s",
	};
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char name[PATH_MAX];
		const char *percent = strchr(places[i], '%');
		int before = (int)(percent - places[i]);
		if (path_join(name, sizeof(name), root, "%.*s%s%s", before, places[i], version, percent + 2) ||
		    strlen(name) >= size)
			continue;
		if (access(name, F_OK) == 0) {
			strcpy(ret, name);
			return 0;
		}
	}
	return fail(err, -ENOENT, "the image of kernel %s was not found (boot/vmlinuz-%s and other places)", version,
		    version);
}

/* Both headers are little-endian, whoever reads them. */
static uint64_t get_le(const unsigned char *p, unsigned int bytes)
{
	uint64_t n = 0;
	while (bytes--)
		n = n << 8 | p[bytes];
	return n;
}

int kernel_image_memory(const char *path, uint64_t *ret, struct error *err)
{
	unsigned char head[0x264] = { 0 };
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(err, -errno, "%s: %s", path, strerror(errno));
	ssize_t n = read(fd, head, sizeof(head));
	int rc = n < 0 || fstat(fd, &st) ? -errno : 0;
	close(fd);
	if (rc)
		return fail(err, rc, "%s: %s", path, strerror(-rc));
	if (!S_ISREG(st.st_mode))
		return fail(err, -EINVAL, "%s is not a file", path);
	*ret = (uint64_t)st.st_size;
	/* Documentation/arch/x86/boot.rst: "HdrS" at 0x202, version at 0x206, init_size at 0x260 since 2.10. */
	if (n == sizeof(head) && memcmp(head + 0x202, "HdrS", 4) == 0 && get_le(head + 0x206, 2) >= 0x20a)
		*ret = max_u64(*ret, get_le(head + 0x260, 4));
	/* Documentation/arch/arm64/booting.rst, arch/riscv/boot-image-header.rst: magic at 56, image_size at 16. */
	else if (n >= 64 && (memcmp(head + 56, "ARM\x64", 4) == 0 || memcmp(head + 56, "RSC\x05", 4) == 0))
		*ret = max_u64(*ret, get_le(head + 16, 8));
	return 0;
}
