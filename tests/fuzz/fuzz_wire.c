// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a sender with the key can say to a receiver. The first byte chooses: 0 the greetings and the answers as bytes,
 * else frames: a header as it comes, the payload behind it, and a tag that is right unless the input says otherwise, so
 * that the bytes get past it. The receiver's session is the real one over a store that only checks what it is asked.
 */
#include "tests/fuzz/fuzz.h"

#include "elfcore/elf_codec.h"

/* No socket is there: the session's calls end in functions of ours. */
#define net_send_all fuzz_send_all
#define net_recv_all fuzz_recv_all
#define net_wait fuzz_wait
#include "src/receive_session.c"

static struct {
	bool begun, ended;
	uint64_t committed;
} asked;

void receive_log(const char *fmt, ...)
{
	(void)fmt;
}

int net_send_all(int fd, const void *buf, size_t len, uint64_t deadline_ms)
{
	(void)fd, (void)buf, (void)deadline_ms;
	must(len <= WIRE_HEADER_SIZE + WIRE_ANSWER_MAX + WIRE_TAG_LEN);
	return 0;
}

int net_recv_all(int fd, void *buf, size_t len, uint64_t deadline_ms)
{
	(void)fd, (void)buf, (void)len, (void)deadline_ms;
	return -ECONNRESET;
}

int net_wait(int fd, short events, uint64_t deadline_ms)
{
	(void)fd, (void)events, (void)deadline_ms;
	return -ETIMEDOUT;
}

uint64_t quota_room(const struct receive *r, const struct receive_machine *machine)
{
	(void)r, (void)machine;
	return 0;
}

void store_init(struct store *store, const struct receive *r, const uint8_t dump_id[WIRE_DUMP_ID_LEN])
{
	(void)store, (void)r, (void)dump_id;
}

int store_resume(struct store *store, struct error *err)
{
	(void)store;
	return fail(err, -ENOENT, "not here");
}

int store_begin(struct store *store, const char *host, const char *name, struct error *err)
{
	(void)store, (void)err;
	must(!asked.begun);
	must(strlen(host) < WIRE_NAME_MAX && strlen(name) < WIRE_NAME_MAX);
	asked.begun = true;
	return 0;
}

int store_write(struct store *store, enum wire_file file, uint64_t off, const void *buf, size_t len, struct error *err)
{
	volatile uint8_t last = ((const uint8_t *)buf)[len - 1];

	(void)store, (void)last;
	must(asked.begun && !asked.ended && file < NR_WIRE_FILES);
	must(len && len <= WIRE_PAYLOAD_MAX && off <= WIRE_OFFSET_MAX - len);
	return off > WIRE_OFFSET_MAX / 2 ? fail(err, -ENOSPC, "full") : 0;
}

int store_sync(struct store *store, struct error *err)
{
	(void)store, (void)err;
	must(asked.begun && !asked.ended);
	return 0;
}

int store_commit(struct store *store, enum wire_file file, const struct wire_commit *commit, struct error *err)
{
	must(asked.begun && !asked.ended && file < NR_WIRE_FILES && commit->size <= WIRE_OFFSET_MAX);
	must(file != WIRE_VMCORE || !(commit->flags & WIRE_COMPLETE) || !store->state.refused);
	store->alive(store);
	return commit->flags & WIRE_HAS_SHA256 ? fail(err, -EBADMSG, "another sum") : 0;
}

int store_record(struct store *store, struct error *err)
{
	(void)store, (void)err;
	return 0;
}

void store_end(struct store *store)
{
	(void)store;
}

void store_deinit(struct store *store)
{
	(void)store;
}

static void greetings(const uint8_t *data, size_t size)
{
	uint8_t buf[WIRE_GREETING_SIZE] = { 0 }, again[WIRE_GREETING_SIZE];
	char text[WIRE_ANSWER_MAX];
	struct wire_challenge challenge;
	struct wire_welcome welcome;
	struct wire_commit commit;
	struct wire_hello hello;
	struct wire_proof proof;
	struct error err;
	uint32_t code;

	memcpy(buf, data, min_u64(size, sizeof(buf)));
	if (!wire_hello_decode(buf, &hello, &err) && hello.version == WIRE_VERSION) {
		wire_hello_encode(&hello, again);
		must(!memcmp(buf, again, sizeof(buf)));
	}
	if (!wire_challenge_decode(buf, &challenge, &err)) {
		wire_challenge_encode(&challenge, again);
		must(!memcmp(buf, again, sizeof(buf)));
	}
	if (!wire_proof_decode(buf, &proof, &err)) {
		wire_proof_encode(&proof, again);
		must(!memcmp(buf, again, sizeof(buf)));
	}
	if (!wire_welcome_decode(buf, &welcome, &err)) {
		wire_welcome_encode(&welcome, again);
		must(!memcmp(buf, again, sizeof(buf)));
	}
	if (!wire_commit_decode(data, size, &commit, &err)) {
		wire_commit_encode(&commit, again);
		must(!memcmp(data, again, WIRE_COMMIT_SIZE));
	}
	if (!wire_refuse_decode(data, size, &code, text, sizeof(text), &err))
		must(code < NR_WIRE_STATUS && strlen(text) < sizeof(text));
}

/* Header, whether the tag is right, payload as long as the header says or there is. */
static size_t add_frame(struct session *s, const uint8_t *data, size_t size)
{
	uint8_t *p = s->buf + s->len;
	size_t len;

	if (size < WIRE_HEADER_SIZE + 1 || sizeof(s->buf) - s->len < WIRE_HEADER_SIZE + WIRE_TAG_LEN)
		return 0;
	memcpy(p, data, WIRE_HEADER_SIZE);
	len = elf_get(ELFDATA2MSB, p, 4);
	if (len > size - WIRE_HEADER_SIZE - 1)
		len = size - WIRE_HEADER_SIZE - 1;
	if (len > sizeof(s->buf) - s->len - WIRE_HEADER_SIZE - WIRE_TAG_LEN)
		return 0;
	/* Numbers are small here, so that they come right by chance. */
	memset(p + 8, 0, 7);
	memcpy(p + WIRE_HEADER_SIZE, data + WIRE_HEADER_SIZE + 1, len);
	wire_seal(s->dump.frames, elf_get(ELFDATA2MSB, p + 8, 8), p, WIRE_HEADER_SIZE + len, p + WIRE_HEADER_SIZE + len);
	p[WIRE_HEADER_SIZE + len] ^= data[WIRE_HEADER_SIZE] & 1;
	s->len += WIRE_HEADER_SIZE + len + WIRE_TAG_LEN;
	return WIRE_HEADER_SIZE + 1 + len;
}

static void frames(const uint8_t *data, size_t size)
{
	static struct session s;
	struct error err;
	size_t n;

	memset(&s, 0, offsetof(struct session, buf));
	memset(&asked, 0, sizeof(asked));
	s.store.alive = alive;
	s.peer = "fuzz";
	while ((n = add_frame(&s, data, size))) {
		uint64_t before = s.store.state.next_seq;
		int rc = take_all(&s, &err);

		must(rc <= 0 && s.len < sizeof(s.buf));
		must(s.store.state.next_seq == before || s.store.state.next_seq > before);
		asked.ended |= s.ended;
		if (rc || s.ended)
			return;
		data += n;
		size -= n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (data[0])
		frames(data + 1, size - 1);
	else
		greetings(data + 1, size - 1);
	return 0;
}
