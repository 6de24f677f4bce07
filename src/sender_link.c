// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "src/sender.h"
#include "src/sys.h"

static int make_nonce(uint8_t nonce[WIRE_NONCE_LEN])
{
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, nonce, WIRE_NONCE_LEN);

	if (fd >= 0)
		close(fd);
	return n == WIRE_NONCE_LEN ? 0 : -EIO;
}

/* The receiver's answer to our proof; what it says is believed only with its MAC. */
static int check_welcome(struct sender *s, const uint8_t *greetings, struct error *err)
{
	uint8_t mac[WIRE_MAC_LEN];
	struct wire_welcome welcome;
	int rc = wire_welcome_decode(greetings + 3 * WIRE_GREETING_SIZE, &welcome, err);

	if (rc)
		return rc;
	wire_proof_mac(s->link.receiver_proof, greetings, 4, mac);
	if (!digest_equal(mac, welcome.mac, sizeof(mac)))
		return fail(err, -EACCES, welcome.status == WIRE_DENIED ? "the receiver has another key" :
			    "this is no receiver that knows the key");
	switch (welcome.status) {
	case WIRE_OK:
		break;
	case WIRE_FULL:
		return fail(err, -ENOSPC, "the receiver has no room");
	case WIRE_UNKNOWN_DUMP:
		return fail(err, -ESTALE, "the receiver has forgotten the beginning of the dump");
	default:
		return fail(err, -EIO, "the receiver refuses: %s", wire_status_text(welcome.status));
	}
	if (welcome.next_seq < s->acked || welcome.next_seq > s->sealed)
		return fail(err, -ESTALE, "the receiver wants frame %llu, those from %llu to %llu are left",
			    (unsigned long long)welcome.next_seq, (unsigned long long)s->acked, (unsigned long long)s->sealed);
	s->room = welcome.room;
	if (welcome.next_seq > s->acked)
		s->fruitless = 0;
	s->acked = s->sent = welcome.next_seq;
	s->sent_bytes = 0;
	return 0;
}

static int greet(struct sender *s, int fd, uint64_t deadline_ms, struct error *err)
{
	uint8_t greetings[4 * WIRE_GREETING_SIZE], *p = greetings;
	struct wire_hello hello = { .version = WIRE_VERSION };
	struct wire_proof proof = { .purpose = s->purpose };
	struct wire_challenge challenge;
	int rc = make_nonce(hello.nonce);

	if (rc)
		return fail(err, rc, "/dev/urandom: %s", strerror(-rc));
	if (s->acked)
		memcpy(hello.dump_id, s->dump.dump_id, WIRE_DUMP_ID_LEN);
	wire_hello_encode(&hello, p);
	rc = net_send_all(fd, p, WIRE_GREETING_SIZE, deadline_ms);
	p += WIRE_GREETING_SIZE;
	rc = rc ? rc : net_recv_all(fd, p, WIRE_GREETING_SIZE, deadline_ms);
	if (rc)
		return fail(err, rc, "no challenge from the receiver: %s", strerror(-rc));
	rc = wire_challenge_decode(p, &challenge, err);
	if (rc)
		return rc;
	if (challenge.version != WIRE_VERSION || challenge.status != WIRE_OK)
		return fail(err, -EPROTONOSUPPORT, "the receiver refuses: %s", wire_status_text(challenge.status));
	wire_keys_derive(&s->link, &s->key, hello.nonce, challenge.nonce);
	p += WIRE_GREETING_SIZE;
	wire_proof_encode(&proof, p);
	wire_proof_mac(s->link.sender_proof, greetings, 3, proof.mac);
	wire_proof_encode(&proof, p);
	rc = net_send_all(fd, p, WIRE_GREETING_SIZE, deadline_ms);
	rc = rc ? rc : net_recv_all(fd, p + WIRE_GREETING_SIZE, WIRE_GREETING_SIZE, deadline_ms);
	if (rc)
		return fail(err, rc, "no welcome from the receiver: %s", strerror(-rc));
	return check_welcome(s, greetings, err);
}

/* The receiver has nothing of the dump yet, so this connection is its first: its keys are the dump's. */
static void start_anew(struct sender *s)
{
	s->dump = s->link;
	for (uint64_t seq = 0; seq < s->sealed; seq++) {
		const struct sender_frame *frame = &s->frames[seq % SENDER_MAX_FRAMES];
		uint8_t *tag = s->ring + frame->pos + frame->size - WIRE_TAG_LEN;

		wire_seal(s->dump.frames, seq, s->ring + frame->pos, frame->size - WIRE_TAG_LEN, tag);
	}
}

int sender_connect(struct sender *s, uint64_t deadline_ms, struct error *err)
{
	int rc, fd = net_connect(&s->addr, deadline_ms);

	if (fd < 0)
		return fail(err, fd, "%s", strerror(-fd));
	rc = greet(s, fd, deadline_ms, err);
	if (rc) {
		close(fd);
		return rc;
	}
	if (!s->acked)
		start_anew(s);
	s->fd = fd;
	s->in_len = 0;
	s->answer_seq = 0;
	s->heard_ms = now_ms();
	return 0;
}
