// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/assemble.h"
#include "src/dmesg_file.h"
#include "src/identity.h"
#include "src/notes_file.h"
#include "src/sys.h"

#define CORE_NAME "vmcore"
#define STORY_GROWTH 1024		/* of crash.json, at most, by how the dump ended */
#define ASSEMBLE_POLL_US 200000

static const struct target_ops *const kinds[] = {
	[TARGET_FS] = &target_fs,
	[TARGET_RAW] = &target_raw,
	[TARGET_TCP] = &target_tcp,
};

static void say_room(struct target *target, const struct plan *plan)
{
	uint64_t room = target->ops->room ? target->ops->room(target) : UINT64_MAX;

	if (room < plan->file_size)
		log_warn(&target->ring->log, "%llu MB free for up to %llu MB: it fits only if enough pages are zero",
			 (unsigned long long)(room / 1000000), (unsigned long long)(plan->file_size / 1000000));
}

/* Open a file through the stage that makes its digest; a target that takes only a stream makes its own. */
static int open_summed(struct target *target, const char *name, struct sink_sum *sum, struct sink **ret, struct error *err)
{
	int rc = target->ops->open_file(target, name, ret, err);

	if (rc || !((*ret)->ops->caps & SINK_SEEK))
		return rc;
	*ret = sink_sum_init(sum, *ret);
	sum->unknown = !target->checksum;
	return 0;
}

static void close_summed(struct target *target, const char *name, struct sink_sum *sum, struct sink *sink, int rc)
{
	uint8_t digest[DIGEST_LEN];

	if (!rc && sink == &sum->sink && sink_sum_result(sum, digest))
		sums_add(&target->sums, name, digest);
	sink_close(sink);
}

/* Before any memory: if nothing else can be saved, this was. Its failure costs nothing else. */
static int save_dmesg(struct target *target, const struct kernel *kernel)
{
	struct log *log = &target->ring->log;
	struct dmesg_summary *summary = &target->dmesg;
	struct kernel copy = *kernel;
	struct sink *sink;
	struct error err;
	int rc;

	rc = open_summed(target, DMESG_FILE_NAME, &target->small_sum, &sink, &err);
	if (!rc) {
		rc = dmesg_file_write(sink, &copy, summary, &err);
		close_summed(target, DMESG_FILE_NAME, &target->small_sum, sink, rc);
	}
	if (rc)
		log_warn(log, "no whole " DMESG_FILE_NAME ": %s", err.text);
	else
		log_info(log, "wrote " DMESG_FILE_NAME ", %u records", summary->nr_records);
	if (summary->panic[0])
		log_info(log, "the last words: %s", summary->panic);
	return rc;
}

static int save_notes(struct target *target, const struct crash *crash)
{
	struct sink *sink;
	struct error err;
	int rc = open_summed(target, NOTES_FILE_NAME, &target->small_sum, &sink, &err);

	if (!rc) {
		rc = notes_file_write(sink, crash, &err);
		close_summed(target, NOTES_FILE_NAME, &target->small_sum, sink, rc);
	}
	if (rc)
		log_warn(&target->ring->log, "no " NOTES_FILE_NAME ": %s", err.text);
	return rc;
}

static int write_story(struct target *target, const char *text, size_t len)
{
	struct sink *sink;
	struct error err;
	int rc = open_summed(target, CRASH_JSON_NAME, &target->small_sum, &sink, &err);

	if (rc)
		return rc;
	rc = sink_write(sink, 0, text, len);
	if (!rc)
		rc = sink_commit(sink, len);
	close_summed(target, CRASH_JSON_NAME, &target->small_sum, sink, rc);
	return rc;
}

/* The dump has filled the disk: the blocks of the first version must do. */
static int rewrite_story(struct target *target, const char *text, size_t len)
{
	uint8_t digest_bytes[DIGEST_LEN];
	struct digest digest;
	int rc = target->ops->rewrite(target, CRASH_JSON_NAME, text, len);

	if (rc || !target->checksum)
		return rc;
	digest_init(&digest);
	digest_update(&digest, text, len);
	digest_final(&digest, digest_bytes);
	sums_add(&target->sums, CRASH_JSON_NAME, digest_bytes);
	return 0;
}

/* The first version is as long, by blank lines behind it, as the last one will be. */
static void save_story(struct target *target, const struct crash_story *story)
{
	static char text[CRASH_JSON_MAX + STORY_GROWTH];
	size_t len = crash_json_text(story, text);
	int rc;

	if (!story->capture) {
		memset(text + len, '\n', STORY_GROWTH);
		len += STORY_GROWTH;
	}
	rc = write_story(target, text, len);
	if (rc == -ENOSPC && target->ops->rewrite)
		rc = rewrite_story(target, text, len);
	if (rc)
		log_warn(&target->ring->log, "no " CRASH_JSON_NAME ": %s", strerror(-rc));
}

static void save_facts(struct target *target, const struct kernel *kernel)
{
	const struct crash_story story = { .facts = &target->facts, .dmesg = &target->dmesg, .kernel = kernel, .status = "saving" };
	char signature[SIGNATURE_LEN];

	crash_facts_gather(&target->facts, kernel, &target->ring->log);
	target->have_facts = true;
	signature_text(&target->facts.signature, signature);
	if (signature[0])
		log_info(&target->ring->log, "it happened at %s, signature %s", target->facts.place, signature);
	save_story(target, &story);
}

void target_save_verdict(struct target *target, const struct capture *capture, int rc, const char *reason)
{
	const struct crash_story story = { .facts = &target->facts, .dmesg = &target->dmesg, .kernel = &capture->kernel,
		.capture = target->memory_skipped ? NULL : capture, .reason = rc ? reason : NULL,
		.status = rc ? "failed" : target->memory_skipped ? "skipped" : "complete" };

	if (target->have_facts)
		save_story(target, &story);
}

/* Once, also when the dump is tried more than once. */
static void save_first(struct target *target, const struct kernel *kernel, const struct crash *crash)
{
	int rc;

	if (!target->ops->make_dir || target->saved_first)
		return;
	target->saved_first = true;
	rc = save_dmesg(target, kernel);
	rc = save_notes(target, crash) || rc;
	if (!rc && target->remains)
		snprintf(target->remains, TARGET_NAME_MAX, "%.*s", (int)(strrchr(target->name, '/') - target->name), target->name);
	save_facts(target, kernel);
}

/* A machine that crashes again and again must not fill its disk, and wants to be up again. */
static int check_loop(struct target *target, int64_t crashtime, struct error *err)
{
	unsigned int nr;

	if (!target->crash_loop || !target->ops->lately || !crashtime)
		return 0;
	nr = target->ops->lately(target, crashtime) + 1;
	if (nr < target->crash_loop)
		return 0;
	target->memory_skipped = true;
	return fail(err, -ECANCELED, "this is crash number %u within an hour", nr);
}

static int target_open_sink(struct output *out, const struct kernel *kernel, const struct plan *plan, struct sink **ret,
			    struct error *err)
{
	struct target *target = container_of(out, struct target, out);
	int rc = target_make_dir(target, kernel->nodename, kernel->crashtime, err);

	if (rc)
		return rc;
	save_first(target, kernel, plan->crash);
	rc = check_loop(target, kernel->crashtime, err);
	if (rc)
		return rc;
	say_room(target, plan);
	log_info(&target->ring->log, "saving to %s", target->name);
	target_save_log(target);
	return open_summed(target, CORE_NAME, &target->sum, ret, err);
}

/* The target outlives the dump: its log is written after it. */
static void target_close_sink(struct output *out)
{
	(void)out;
}

void target_init(struct target *target, const struct config *cfg, unsigned int index, struct log_ring *ring)
{
	memset(target, 0, sizeof(*target));
	target->out.open = target_open_sink;
	target->out.close = target_close_sink;
	target->out.name = target->name;
	target->cfg = &cfg->targets[index];
	target->all = cfg;
	target->index = index;
	target->ring = ring;
	target->log_fd = -1;
	target->checksum = cfg->checksum;
	target->crash_loop = cfg->crash_loop;
	snprintf(target->mount_point, sizeof(target->mount_point), TARGET_MOUNT_POINT "/%u", index);
}

int target_open(struct target *target, struct error *err)
{
	enum target_kind kind = target->cfg->kind;
	int rc;

	if (kind >= ARRAY_SIZE(kinds) || !kinds[kind])
		return fail(err, -EPROTONOSUPPORT, "%s targets are not built in", target->cfg->word);
	rc = kinds[kind]->open(target, err);
	if (!rc)
		target->ops = kinds[kind];
	return rc;
}

int target_make_dir(struct target *target, const char *nodename, int64_t crashtime, struct error *err)
{
	char name[IDENTITY_MAX];

	if (!target->ops->make_dir || target->dir[0])
		return 0;
	identity_name(nodename, crashtime, name);
	return target->ops->make_dir(target, name, err);
}

/* Past the page cache where the filesystem can: it is the medium that is asked. */
static int check_head(struct target *target, struct error *err)
{
	static uint8_t head[SUM_HEAD_SIZE] __attribute__((aligned(4096)));
	const struct sink_sum *sum = &target->sum;
	int fd = open(target->path, O_RDONLY | O_DIRECT | O_CLOEXEC), rc = -EIO;

	for (int direct = 1; direct >= 0 && rc; direct--) {
		ssize_t n;

		if (!direct)
			fd = open(target->path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		n = read(fd, head, sizeof(head));
		if (n >= (ssize_t)sum->head_len)
			rc = memcmp(head, sum->head, sum->head_len) ? -EILSEQ : 0;
		close(fd);
		if (rc == -EILSEQ)
			break;
	}
	if (rc == -EILSEQ)
		return fail(err, rc, "%s: its first block does not read back as it was written", target->name);
	return rc ? fail(err, rc, "%s: its first block cannot be read back", target->name) : 0;
}

static int digest_again(struct target *target, uint8_t ret[DIGEST_LEN], struct error *err)
{
	static uint8_t buf[65536];
	int fd = open(target->path, O_RDONLY | O_CLOEXEC);
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	struct digest digest;
	ssize_t n = fd < 0 ? -1 : 0;

	digest_init(&digest);
	progress_begin(target->progress, "checksum", size);
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0) {
		digest_update(&digest, buf, n);
		progress_advance(target->progress, n);
	}
	if (n < 0)
		fail(err, -errno, "%s: reading it back failed: %s", target->name, strerror(errno));
	if (fd >= 0)
		close(fd);
	digest_final(&digest, ret);
	return n < 0 ? err->code : 0;
}

int target_verify(struct target *target, struct error *err)
{
	uint8_t digest[DIGEST_LEN];
	int rc;

	if (!target->path[0]) {
		/* Whoever has it has checked it; all we can do is to say what it was. */
		if (target->checksum && target->ops->make_dir && sink_sum_result(&target->sum, digest))
			sums_add(&target->sums, CORE_NAME, digest);
		return 0;
	}
	rc = check_head(target, err);
	if (!rc && target->checksum && target->ops->make_dir) {
		if (!sink_sum_result(&target->sum, digest))
			rc = digest_again(target, digest, err);
		if (!rc)
			sums_add(&target->sums, CORE_NAME, digest);
	}
	if (rc && target->ops->distrust)
		target->ops->distrust(target);
	return rc;
}

void target_prune(struct target *target, const struct config *cfg)
{
	const struct dumps_limits limits = { .keep = cfg->keep, .keep_bytes = cfg->keep_bytes };

	if (target->ops->prune && (limits.keep || limits.keep_bytes))
		target->ops->prune(target, &limits);
}

void target_save_log(struct target *target)
{
	if (target->ops && target->ops->save_log)
		target->ops->save_log(target, false);
}

/* The log as it was saved last. */
static void save_sums(struct target *target)
{
	uint8_t digest_bytes[DIGEST_LEN];
	struct digest digest;
	const char *piece[2];
	struct sink *sink;
	struct error err;
	size_t len[2];

	if (!target->sums.nr)
		return;
	log_ring_text(target->ring, piece, len);
	digest_init(&digest);
	digest_update(&digest, piece[0], len[0]);
	digest_update(&digest, piece[1], len[1]);
	digest_final(&digest, digest_bytes);
	sums_add(&target->sums, "kcapture.log", digest_bytes);
	if (target->ops->open_file(target, SUMS_FILE_NAME, &sink, &err))
		return;
	sums_write(&target->sums, sink);
	sink_close(sink);
}

void target_close(struct target *target)
{
	if (!target->ops)
		return;
	if (target->ops->save_log)
		target->ops->save_log(target, true);
	save_sums(target);
	target->ops->close(target);
	target->ops = NULL;
}

/* By the tools in the image, again and again while disks appear; arrays without one of theirs only in the second half. */
static int find_assembled(struct target *target, uint64_t deadline_ms, struct error *err)
{
	const struct target_config *cfg = target->cfg;
	uint64_t start_ms = now_ms();
	struct assemble as = { .cfg = cfg, .index = target->index, .deadline_ms = deadline_ms, .memo = target->memo,
			       .log = &target->ring->log };
	int rc;

	log_info(as.log, "putting together %s", cfg->assemble);
	for (;;) {
		rc = device_look(cfg->place, target->memo, target->device, sizeof(target->device), err);
		if (rc != -ENOENT)
			return rc;
		if (now_ms() >= deadline_ms)
			return fail(err, -ETIMEDOUT, "target %s did not appear", cfg->place);
		assemble(&as, now_ms() - start_ms > (deadline_ms - start_ms) / 2);
		usleep(ASSEMBLE_POLL_US);
	}
}

int target_find_device(struct target *target, uint64_t deadline_ms, struct error *err)
{
	const struct device_wait wait = { .deadline_ms = deadline_ms, .memo = target->memo, .log = &target->ring->log };
	int rc = target->cfg->assemble[0] ? find_assembled(target, deadline_ms, err) :
		 device_wait(target->cfg->place, &wait, target->device, sizeof(target->device), err);

	if (!rc && strcmp(target->device, target->cfg->place))
		log_info(&target->ring->log, "%s is %s", target->cfg->place, target->device);
	return rc;
}
