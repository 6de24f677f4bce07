# SPDX-License-Identifier: GPL-2.0-or-later
#
# kcapture: one source tree, built three ways: for klibc (the static /init), for the host (the command), and for the
# host with sanitizers (the tests). Everything made is under build/.

VERSION := 0.1
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd/system
B := build

CC ?= gcc
CLANG ?= clang
KLCC ?= klcc
PYTHON := /usr/bin/python3

WARN := -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wno-clobbered -Wno-format-truncation
WARN += $(if $(WERROR),-Werror)
CFLAGS_COMMON := -std=gnu11 -I. -I/usr/include/bearssl $(WARN) -DKCAPTURE_VERSION='"$(VERSION)"' -DKCAPTURE_PREFIX='"$(PREFIX)"'
CFLAGS_HOST := $(CFLAGS_COMMON) -O2 -g -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
CFLAGS_ASAN := $(CFLAGS_HOST) -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
# klibc's compiler must not see the system's headers: those of the libraries that it may use are linked into a place of their own.
KLIBC_HEADERS := zstd.h zstd_errors.h libdeflate.h lzo
CFLAGS_KLIBC := $(CFLAGS_COMMON) -I$(B)/klibc/include -O2 -Wframe-larger-than=16384 -ffunction-sections -fdata-sections
LIBS_CODEC := -ldeflate -llzo2 -lzstd
# Static like in /init: a program of a tenth of a second shows what relocating libcrypto costs.
LIBS_HOST := -lelf -Wl,-Bstatic -lbearssl -lcrypto $(LIBS_CODEC) -Wl,-Bdynamic

ELFCORE := $(wildcard elfcore/*.c)
# In src/: of both programs, of /init alone, and all the rest of the command.
SRC_BOTH := $(patsubst %,src/%.c, \
	blkid capture config config_format config_net config_target crosscheck device digest dump_options dumps guard identity input \
	input_file input_live mem_devmem mem_file mem_flat mem_vmcore mem_window net_sock option_walk progress pump sender sender_link \
	sink_block sink_file sink_stream sink_sum sink_tcp sink_zeros sums sys wire wire_auth workers writeback)
SRC_INIT := $(patsubst %,src/%.c, \
	assemble console crash_json dmesg_file init last_words log_ring modules netif netif6 notes_console notes_file program rescue \
	target target_fs target_raw target_tcp watchdog)
SRC_HOST := $(filter-out $(SRC_BOTH) $(SRC_INIT) src/cli.c, $(wildcard src/*.c)) $(wildcard initramfs/*.c)

# What /init takes from the distribution's static libraries, and the glue that lets them link with klibc.
INIT_ARCHIVES := libbearssl.a libcrypto.a libdeflate.a liblzo2.a libzstd.a
INIT_OBJS := $(patsubst %.c,$(B)/klibc/%.o,$(ELFCORE) $(SRC_BOTH) $(SRC_INIT) klibc/ssp.c klibc/fortify.c)
LIB_OBJS := $(patsubst %.c,%.o,$(ELFCORE) $(SRC_BOTH) $(SRC_HOST))
HOST_LIB := $(addprefix $(B)/host/,$(LIB_OBJS))
ASAN_LIB := $(addprefix $(B)/asan/,$(LIB_OBJS))

UNIT_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

.PHONY: all print-init-sources demo check check-quick check-unit check-format check-e2e bench fuzz install clean deps test-programs fuzz-programs
.DELETE_ON_ERROR:
.SECONDARY:

all: $(B)/init $(B)/kcapture

# --- the three builds ------------------------------------------------------------------------------------------------

$(B)/klibc/include/done: Makefile
	@mkdir -p $(@D)
	ln -sfn $(addprefix /usr/include/,$(KLIBC_HEADERS)) $(@D)/
	touch $@

$(B)/klibc/%.o: %.c | $(B)/klibc/include/done
	@mkdir -p $(@D)
	$(KLCC) $(CFLAGS_KLIBC) -MMD -MP -c -o $@ $<

$(B)/host/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_HOST) -MMD -MP -c -o $@ $<

$(B)/asan/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ASAN) -MMD -MP -c -o $@ $<

LIBDIR_DEB := /usr/lib/$(shell $(CC) -print-multiarch)
# The link map shows which archive each object came from: the check lets nothing in but klibc and what is named.
$(B)/init: $(INIT_OBJS) klibc/check-link
	$(KLCC) -static -Wl,--gc-sections,-Map=$(B)/init.map -o $@.full $(INIT_OBJS) $(addprefix $(LIBDIR_DEB)/,$(INIT_ARCHIVES))
	klibc/check-link $(B)/init.map $@.full $(INIT_ARCHIVES)
	strip -s -o $@ $@.full

$(B)/kcapture: $(HOST_LIB) $(B)/host/src/cli.o
	$(CC) $(CFLAGS_HOST) -o $@ $^ $(LIBS_HOST)

$(B)/kcapture.asan: $(ASAN_LIB) $(B)/asan/src/cli.o
	$(CC) $(CFLAGS_ASAN) -o $@ $^ $(LIBS_HOST)

# --- tests -----------------------------------------------------------------------------------------------------------

TEST_LIB := $(addprefix $(B)/asan/tests/lib/, capture_bed.o corebuilder.o crash_scene.o kdumpbuilder.o small_kernel.o)

$(B)/unit/%: $(B)/asan/tests/unit/%.o $(TEST_LIB) $(ASAN_LIB)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ASAN) -o $@ $^ -lcmocka -lsnappy -lz $(LIBS_HOST)

LINK_ARCHIVES := libz.a libdeflate.a libzstd.a libcrypto.a libbearssl.a
$(B)/unit/klibc_link: $(patsubst %,$(B)/klibc/%.o,tests/unit/klibc_link klibc/ssp klibc/fortify src/digest) klibc/check-link
	@mkdir -p $(@D)
	$(KLCC) -static -Wl,--gc-sections,-Map=$@.map -o $@ $(filter %.o,$^) $(addprefix $(LIBDIR_DEB)/,$(LINK_ARCHIVES))
	klibc/check-link $@.map $@ $(LINK_ARCHIVES)

# Programs that tests in Python use.
$(B)/tools/%: $(B)/host/tests/lib/%.o $(HOST_LIB)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_HOST) -o $@ $^ $(LIBS_HOST)

TEST_TOOLS := $(addprefix $(B)/tools/, page_set synth measure dump_sender)

test-programs: $(addprefix $(B)/unit/,$(UNIT_TESTS) klibc_link) $(B)/kcapture.asan $(TEST_TOOLS)

CFLAGS_FUZZ := -std=gnu11 -I. -DFLAT_MARKS_MAX=4 -I/usr/include/bearssl -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=undefined
FUZZ_SRC := $(ELFCORE) initramfs/cmdline.c $(patsubst %,src/%.c, \
	config config_format config_net config_target digest dump_options gdb_stub mem_flat net_sock option_walk sys wire wire_auth)
FUZZ_OBJS := $(patsubst %.c,$(B)/clang/%.o,$(FUZZ_SRC))

$(B)/clang/%.o: %.c
	@mkdir -p $(@D)
	$(CLANG) $(CFLAGS_FUZZ) -fsanitize=fuzzer-no-link,address,undefined -MMD -MP -c -o $@ $<

$(B)/fuzz/%: $(B)/clang/tests/fuzz/%.o $(FUZZ_OBJS)
	@mkdir -p $(@D)
	$(CLANG) $(CFLAGS_FUZZ) -fsanitize=fuzzer,address,undefined -o $@ $^ -lbearssl -lcrypto $(LIBS_CODEC)

fuzz-programs: $(addprefix $(B)/fuzz/,$(FUZZERS))

print-init-sources:
	@echo $(ELFCORE) $(SRC_BOTH) $(SRC_INIT)

deps:
	@tests/lib/install-deps

demo: deps
	@$(MAKE) --no-print-directory -s -j$$(nproc) all
	$(PYTHON) tests/demo.py

check-unit: all test-programs
	$(PYTHON) tests/unit/run.py

check-format: all $(TEST_TOOLS)
	$(PYTHON) tests/format/run.py

check-e2e: all
	$(PYTHON) tests/e2e/run.py

check-quick: deps
	@$(MAKE) --no-print-directory -s -j$$(nproc) all test-programs
	$(PYTHON) tests/check.py --quick unit format

check: deps
	@$(MAKE) --no-print-directory -s -j$$(nproc) WERROR=1 all test-programs fuzz-programs
	$(PYTHON) tests/check.py unit format fuzz e2e

bench: deps
	@$(MAKE) --no-print-directory -s -j$$(nproc) all $(TEST_TOOLS)
	$(PYTHON) tests/bench/run.py

FUZZ_SECONDS ?= 60
fuzz: deps
	@$(MAKE) --no-print-directory -s -j$$(nproc) fuzz-programs
	$(PYTHON) tests/fuzz/run.py --seconds $(FUZZ_SECONDS)

# --- installation ----------------------------------------------------------------------------------------------------

install: all
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/lib/kcapture $(DESTDIR)$(PREFIX)/share/man/man8 \
		$(DESTDIR)$(SYSCONFDIR) $(DESTDIR)$(UNITDIR)
	install -m 755 $(B)/kcapture $(DESTDIR)$(PREFIX)/sbin/kcapture
	install -m 755 $(B)/init $(DESTDIR)$(PREFIX)/lib/kcapture/init
	ln -sfn ../../sbin/kcapture $(DESTDIR)$(PREFIX)/lib/kcapture/makedumpfile
	for unit in kcapture kcapture-receive; do \
		sed 's|@PREFIX@|$(PREFIX)|g' initramfs/$$unit.service > $(DESTDIR)$(UNITDIR)/$$unit.service; done
	test -e $(DESTDIR)$(SYSCONFDIR)/kcapture.conf || \
		install -m 644 initramfs/kcapture.conf $(DESTDIR)$(SYSCONFDIR)/kcapture.conf
	install -m 644 kcapture.8 $(DESTDIR)$(PREFIX)/share/man/man8/kcapture.8

clean:
	rm -rf $(B)/klibc $(B)/host $(B)/asan $(B)/clang $(B)/unit $(B)/unit-logs $(B)/fuzz $(B)/e2e $(B)/init* $(B)/kcapture*

-include $(wildcard $(B)/*/*/*.d $(B)/*/*/*/*.d)
