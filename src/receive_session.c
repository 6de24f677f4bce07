// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "src/net_sock.h"
#include "src/receive.h"
#include "src/sys.h"

#define GREETING_MS 10000
#define ANSWER_MS 30000
#define TAKE_OVER_MS 10000
#define ALIVE_MS 2000

struct session {
	const struct receive *r;
	struct receive_slot *slot;
	const char *peer;
	int fd;
	struct wire_keys link, dump;
	uint64_t answer_seq;
	uint64_t answered_ms;
	uint64_t start_ms, start_bytes;
	bool ended;			/* the sender has said END */
	struct store store;
	size_t len;			/* of what is in buf */
	uint8_t buf[2 * WIRE_FRAME_MAX];
};

static int answer(struct session *s, enum wire_type type, uint64_t off, const uint8_t *payload, size_t len)
{
	uint8_t frame[WIRE_HEADER_SIZE + WIRE_ANSWER_MAX + WIRE_TAG_LEN];
	struct wire_frame header = { .len = len, .type = type, .seq = s->answer_seq, .off = off };

	wire_frame_encode(&header, frame);
	if (len)
		memcpy(frame + WIRE_HEADER_SIZE, payload, len);
	wire_seal(s->link.answers, s->answer_seq++, frame, WIRE_HEADER_SIZE + len, frame + WIRE_HEADER_SIZE + len);
	s->answered_ms = now_ms();
	return net_send_all(s->fd, frame, WIRE_HEADER_SIZE + len + WIRE_TAG_LEN, s->answered_ms + ANSWER_MS);
}

static void refuse(struct session *s, enum wire_status code, const char *text)
{
	uint8_t payload[WIRE_ANSWER_MAX];
	size_t len = wire_refuse_encode(code, text, payload);

	if (!s->store.state.refused)
		receive_log("%s: refused: %s", s->peer, text);
	s->store.state.refused = 1;
	answer(s, WIRE_REFUSE, s->store.state.next_seq, payload, len);
}

/* Something takes long: say again what was said last, so that the sender knows that somebody is there. */
static void alive(struct store *store)
{
	struct session *s = container_of(store, struct session, store);

	if (now_ms() - s->answered_ms >= ALIVE_MS && !s->ended)
		answer(s, WIRE_ACK, store->state.next_seq, NULL, 0);
}

/* --- the greeting: see wire.h */

/* A connection that its own end does not know to be dead yet still has the dump: it has to go. */
static void take_over(struct session *s, const uint8_t id[WIRE_DUMP_ID_LEN])
{
	for (unsigned int i = 0; i < RECEIVE_MAX_CONNECTIONS; i++) {
		struct receive_slot *slot = &s->r->shared->slots[i];

		if (slot != s->slot && slot->state == SLOT_SENDER && slot->pid > 0 && !memcmp(slot->dump_id, id, WIRE_DUMP_ID_LEN))
			kill(slot->pid, SIGKILL);
	}
}

static enum wire_status resume(struct session *s, const uint8_t id[WIRE_DUMP_ID_LEN])
{
	uint64_t until = now_ms() + TAKE_OVER_MS;
	struct error err;
	int rc;

	store_init(&s->store, s->r, id);
	s->store.alive = alive;
	while ((rc = store_resume(&s->store, &err)) == -EBUSY && now_ms() < until) {
		take_over(s, id);
		usleep(20000);
	}
	if (rc) {
		receive_log("%s: cannot go on: %s", s->peer, err.text);
		return rc == -EBUSY ? WIRE_BUSY : WIRE_UNKNOWN_DUMP;
	}
	wire_keys_derive(&s->dump, &s->r->key, s->store.state.sender_nonce, s->store.state.receiver_nonce);
	/* The name of a file is no proof. */
	if (memcmp(s->dump.dump_id, id, WIRE_DUMP_ID_LEN))
		return WIRE_UNKNOWN_DUMP;
	memcpy(s->slot->dump_id, id, WIRE_DUMP_ID_LEN);
	return WIRE_OK;
}

static enum wire_status admit(struct session *s, const struct wire_hello *hello, const struct wire_challenge *challenge,
			      const struct wire_proof *proof)
{
	static const uint8_t none[WIRE_DUMP_ID_LEN];

	s->slot->state = SLOT_SENDER;
	if (proof->purpose == WIRE_DUMP && memcmp(hello->dump_id, none, sizeof(none)))
		return resume(s, hello->dump_id);
	s->dump = s->link;
	memcpy(s->slot->dump_id, s->dump.dump_id, WIRE_DUMP_ID_LEN);
	store_init(&s->store, s->r, s->dump.dump_id);
	s->store.alive = alive;
	memcpy(s->store.state.sender_nonce, hello->nonce, WIRE_NONCE_LEN);
	memcpy(s->store.state.receiver_nonce, challenge->nonce, WIRE_NONCE_LEN);
	return WIRE_OK;
}

static int exchange_greetings(struct session *s, uint8_t *greetings, struct wire_hello *hello, struct wire_challenge *challenge,
			      struct wire_proof *proof, struct error *err)
{
	uint64_t deadline_ms = now_ms() + GREETING_MS;
	int rc = net_recv_all(s->fd, greetings, WIRE_GREETING_SIZE, deadline_ms);

	if (rc)
		return fail(err, rc, "no hello: %s", strerror(-rc));
	rc = wire_hello_decode(greetings, hello, err);
	if (rc)
		return rc;
	if (getrandom(challenge->nonce, sizeof(challenge->nonce), 0) != sizeof(challenge->nonce))
		return fail(err, -EIO, "no random numbers");
	challenge->version = WIRE_VERSION;
	challenge->status = hello->version == WIRE_VERSION ? WIRE_OK : WIRE_BAD_VERSION;
	wire_challenge_encode(challenge, greetings + WIRE_GREETING_SIZE);
	rc = net_send_all(s->fd, greetings + WIRE_GREETING_SIZE, WIRE_GREETING_SIZE, deadline_ms);
	if (!rc && challenge->status)
		return fail(err, -EPROTO, "version %u of the protocol", hello->version);
	if (!rc)
		rc = net_recv_all(s->fd, greetings + 2 * WIRE_GREETING_SIZE, WIRE_GREETING_SIZE, deadline_ms);
	if (rc)
		return fail(err, rc, "no proof: %s", strerror(-rc));
	return wire_proof_decode(greetings + 2 * WIRE_GREETING_SIZE, proof, err);
}

static int greet(struct session *s, bool *probe, struct error *err)
{
	uint8_t greetings[4 * WIRE_GREETING_SIZE], mac[WIRE_MAC_LEN];
	struct wire_welcome welcome = { .status = WIRE_DENIED };
	struct wire_challenge challenge;
	struct wire_hello hello;
	struct wire_proof proof;
	int rc = exchange_greetings(s, greetings, &hello, &challenge, &proof, err);

	if (rc)
		return rc;
	wire_keys_derive(&s->link, &s->r->key, hello.nonce, challenge.nonce);
	wire_proof_mac(s->link.sender_proof, greetings, 3, mac);
	if (digest_equal(mac, proof.mac, sizeof(mac))) {
		welcome.status = admit(s, &hello, &challenge, &proof);
		welcome.next_seq = s->store.state.next_seq;
		welcome.room = quota_room(s->r, s->store.machine);
		if (proof.purpose == WIRE_DUMP && !welcome.next_seq && welcome.room < RECEIVE_RESERVE)
			welcome.status = WIRE_FULL;
	}
	/* Who cannot prove himself gets a MAC of no use. */
	wire_welcome_encode(&welcome, greetings + 3 * WIRE_GREETING_SIZE);
	if (welcome.status != WIRE_DENIED)
		wire_proof_mac(s->link.receiver_proof, greetings, 4, welcome.mac);
	wire_welcome_encode(&welcome, greetings + 3 * WIRE_GREETING_SIZE);
	rc = net_send_all(s->fd, greetings + 3 * WIRE_GREETING_SIZE, WIRE_GREETING_SIZE, now_ms() + GREETING_MS);
	*probe = proof.purpose == WIRE_PROBE;
	if (welcome.status)
		return fail(err, -EACCES, "refused: %s", welcome.status == WIRE_DENIED ? "wrong key" :
			    wire_status_text(welcome.status));
	return rc ? fail(err, rc, "%s", strerror(-rc)) : 0;
}

/* --- the frames */

static int take_begin(struct session *s, const uint8_t *payload, size_t len, struct error *err)
{
	const char *host, *name;
	int rc = wire_begin_decode(payload, len, &host, &name, err);

	if (!rc)
		rc = store_begin(&s->store, host, name, err);
	if (!rc)
		receive_log("%s: %s/%s: begins", s->peer, s->store.state.host, s->store.state.name);
	return rc;
}

static int take_commit(struct session *s, const struct wire_frame *frame, const uint8_t *payload, struct error *err)
{
	struct wire_commit commit;
	int rc = wire_commit_decode(payload, frame->len, &commit, err);

	if (rc)
		return rc;
	/* What was refused is missing. */
	if (frame->file == WIRE_VMCORE && s->store.state.refused && commit.flags & WIRE_COMPLETE)
		return fail(err, -EPROTO, "called complete, but a part of it was refused");
	return store_commit(&s->store, frame->file, &commit, err);
}

static int take(struct session *s, const struct wire_frame *frame, const uint8_t *payload, struct error *err)
{
	if ((frame->type == WIRE_BEGIN) != (frame->seq == 0))
		return fail(err, -EPROTO, "frame %llu of type %u", (unsigned long long)frame->seq, frame->type);
	switch (frame->type) {
	case WIRE_BEGIN:
		return take_begin(s, payload, frame->len, err);
	case WIRE_DATA:
		return store_write(&s->store, frame->file, frame->off, payload, frame->len, err);
	case WIRE_COMMIT:
		return take_commit(s, frame, payload, err);
	case WIRE_SYNC:
		return store_sync(&s->store, err);
	case WIRE_END:
		s->ended = true;
		return 0;
	default:
		return fail(err, -EPROTO, "frame of type %u from a sender", frame->type);
	}
}

static enum wire_status status_of(int rc)
{
	return rc == -ENOSPC || rc == -EDQUOT || rc == -EFBIG ? WIRE_FULL : rc == -EBADMSG ? WIRE_MISMATCH :
	       rc == -EPROTO ? WIRE_PROTOCOL : WIRE_FAILED;
}

/* Deal with the first frame in buf: its size, 0 = it is not whole yet, or -errno when the connection is to end. */
static int take_one(struct session *s, size_t pos, struct error *err)
{
	const uint8_t *p = s->buf + pos;
	size_t have = s->len - pos, sealed;
	struct wire_frame frame;
	int rc;

	if (have < WIRE_HEADER_SIZE)
		return 0;
	rc = wire_frame_decode(p, &frame, err);
	if (rc)
		return rc;
	sealed = WIRE_HEADER_SIZE + frame.len;
	if (have < sealed + WIRE_TAG_LEN)
		return 0;
	if (frame.seq != s->store.state.next_seq)
		return fail(err, -EPROTO, "frame %llu where %llu was to come", (unsigned long long)frame.seq,
			    (unsigned long long)s->store.state.next_seq);
	if (!wire_seal_matches(s->dump.frames, frame.seq, p, sealed, p + sealed))
		return fail(err, -EPROTO, "frame %llu has a wrong tag", (unsigned long long)frame.seq);
	rc = take(s, &frame, p + WIRE_HEADER_SIZE, err);
	if (rc) {
		enum wire_status code = status_of(rc);

		refuse(s, code, err->text);
		if (code != WIRE_FULL || frame.type == WIRE_BEGIN)
			return rc;
	}
	s->store.state.next_seq++;
	return sealed + WIRE_TAG_LEN;
}

/* All whole frames in buf; then how far we are is put on record and acknowledged. */
static int take_all(struct session *s, struct error *err)
{
	uint64_t before = s->store.state.next_seq;
	size_t pos = 0;
	int rc;

	while ((rc = take_one(s, pos, err)) > 0 && !s->ended)
		pos += rc;
	if (s->ended)
		pos = s->len;
	s->len -= pos;
	memmove(s->buf, s->buf + pos, s->len);
	if (rc < 0 || s->store.state.next_seq == before)
		return rc < 0 ? rc : 0;
	rc = store_record(&s->store, err);
	if (rc)
		return rc;
	rc = answer(s, WIRE_ACK, s->store.state.next_seq, NULL, 0);
	return rc ? fail(err, rc, "%s", strerror(-rc)) : 0;
}

static int take_frames(struct session *s, struct error *err)
{
	while (!s->ended) {
		int rc = net_wait(s->fd, POLLIN, now_ms() + s->r->idle_ms);
		ssize_t n = rc ? 0 : recv(s->fd, s->buf + s->len, sizeof(s->buf) - s->len, MSG_DONTWAIT);

		if (rc)
			return fail(err, rc, "nothing came for %u s", s->r->idle_ms / 1000);
		if (!n)
			return fail(err, -ECONNRESET, "the connection ended early");
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0)
			return fail(err, -errno, "%s", strerror(errno));
		s->len += n;
		rc = take_all(s, err);
		if (rc)
			return rc;
	}
	return 0;
}

static enum session_end conclude(struct session *s, int rc, const struct error *err)
{
	const struct store_state *state = &s->store.state;
	bool saved = state->committed & (1U << WIRE_VMCORE);
	uint64_t ms = now_ms() - s->start_ms;

	if (rc) {
		receive_log("%s: %s%s%s: %s; %s", s->peer, state->host, state->host[0] ? "/" : "", state->name, err->text,
			    state->next_seq ? "may go on with another connection" : "nothing was kept");
		return state->next_seq ? SESSION_BROKEN : SESSION_NOTHING;
	}
	/* The sender is gone and content; what is left to do is ours. */
	signal(SIGTERM, SIG_IGN);
	store_end(&s->store);
	if (saved)
		receive_log("%s: saved %s/%s/%s/vmcore (%llu MB received, %llu.%llu s)", s->peer, s->r->dir, state->host, state->name,
			    (unsigned long long)(state->nr_bytes / 1000000), (unsigned long long)(ms / 1000),
			    (unsigned long long)(ms / 100 % 10));
	else
		receive_log("%s: %s/%s/%s is incomplete (%llu MB received)", s->peer, s->r->dir, state->host, state->name,
			    (unsigned long long)(state->nr_bytes / 1000000));
	return saved ? SESSION_SAVED : SESSION_INCOMPLETE;
}

enum session_end session_run(const struct receive *r, struct receive_slot *slot, int fd, const char *peer)
{
	static struct session s;
	enum session_end end;
	struct error err = { 0 };
	bool probe = false;
	int rc;

	s.r = r;
	s.slot = slot;
	s.fd = fd;
	s.peer = peer;
	s.start_ms = now_ms();
	rc = greet(&s, &probe, &err);
	if (rc || probe) {
		receive_log("%s: %s", peer, rc ? err.text : "probed, all is well");
		close(fd);
		return SESSION_NOTHING;
	}
	if (s.store.state.next_seq)
		receive_log("%s: %s/%s: goes on with frame %llu", peer, s.store.state.host, s.store.state.name,
			    (unsigned long long)s.store.state.next_seq);
	rc = take_frames(&s, &err);
	end = conclude(&s, rc, &err);
	store_deinit(&s.store);
	close(fd);
	return end;
}
