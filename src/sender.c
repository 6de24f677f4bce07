// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/sender.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "elfcore/elf_codec.h"
#include "src/sys.h"

/* A receiver that says nothing for so long while we wait for it is not there. TCP repeats 12.6 s after a link went down. */
#define SILENCE_MS 20000
#define CONNECT_MS 5000
#define RETRY_PAUSE_US 300000
#define FRUITLESS_MAX 20		/* connections one after another on which nothing was acknowledged */
#define SEND_STEP (128U << 10)		/* a system call is worth it from here on */
#define FRAME_EXTRA (WIRE_HEADER_SIZE + WIRE_TAG_LEN)
#define FRAME_MIN_ROOM (16U << 10)	/* of payload, rather than a frame cut small by the end of the ring */

static struct sender_frame *frame_at(struct sender *s, uint64_t seq)
{
	return &s->frames[seq % SENDER_MAX_FRAMES];
}

static void hang_up(struct sender *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static bool worth_retrying(int rc)
{
	return rc != -EACCES && rc != -ESTALE && rc != -EPROTONOSUPPORT && rc != -ENOSPC && rc != -EPROTO;
}

/* The connection is gone. cause is what ended it. */
static int reconnect(struct sender *s, int cause)
{
	uint64_t until = now_ms() + s->retry_ms, now;
	struct error err;
	int rc;

	hang_up(s);
	if (++s->fruitless > FRUITLESS_MAX) {
		s->error = fail(&s->why, cause, "%s hangs up again and again: %s", s->name, strerror(-cause));
		return s->error;
	}
	log_warn(s->log, "the connection to %s broke (%s), connecting again", s->name, strerror(-cause));
	while ((now = now_ms()) < until) {
		rc = sender_connect(s, min_u64(now + CONNECT_MS, until), &err);
		if (!rc) {
			log_info(s->log, "%s is back, going on with frame %llu", s->name, (unsigned long long)s->acked);
			return 0;
		}
		if (!worth_retrying(rc)) {
			s->error = fail(&s->why, rc, "%s: %.200s", s->name, err.text);
			return s->error;
		}
		usleep(RETRY_PAUSE_US);
	}
	s->error = fail(&s->why, -ETIMEDOUT, "%s did not come back within %u s", s->name, s->retry_ms / 1000);
	return s->error;
}

/* Unsent frames that lie one behind the other, as one piece. */
static size_t next_piece(struct sender *s, const uint8_t **ret)
{
	size_t len = 0, start = frame_at(s, s->sent)->pos;

	for (uint64_t seq = s->sent; seq < s->sealed && frame_at(s, seq)->pos == start + len; seq++)
		len += frame_at(s, seq)->size;
	*ret = s->ring + start + s->sent_bytes;
	return len - s->sent_bytes;
}

static void count_sent(struct sender *s, size_t n)
{
	n += s->sent_bytes;
	while (s->sent < s->sealed && n >= frame_at(s, s->sent)->size)
		n -= frame_at(s, s->sent++)->size;
	s->sent_bytes = n;
}

/* As much as the socket takes without waiting. */
static int send_some(struct sender *s)
{
	const uint8_t *piece;

	if (s->fd < 0)
		return -ENOTCONN;
	while (s->sent < s->sealed) {
		size_t len = next_piece(s, &piece);
		ssize_t n = send(s->fd, piece, len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			count_sent(s, n);
	}
	return 0;
}

static int take_refusal(struct sender *s, const struct wire_frame *answer, const uint8_t *payload)
{
	uint32_t code;
	struct error err;
	int rc = wire_refuse_decode(payload, answer->len, &code, s->refused_text, sizeof(s->refused_text), &err);

	if (rc)
		return rc;
	/* Not before the dump has begun: without its directory nothing else has a place either. */
	if (code == WIRE_FULL && answer->off && answer->off >= s->acked && answer->off < s->sealed) {
		uint8_t file = s->ring[frame_at(s, answer->off)->pos + 5];

		if (answer->off >= s->forgiven)
			s->refused[file] = fail(&s->why, -ENOSPC, "%s: %s", s->name, s->refused_text);
		return 0;
	}
	s->error = fail(&s->why, code == WIRE_FULL ? -ENOSPC : code == WIRE_MISMATCH ? -ESTALE : -EIO, "%s: %s: %s", s->name,
			wire_status_text(code), s->refused_text);
	return 0;
}

static int take_answer(struct sender *s, const struct wire_frame *answer)
{
	size_t sealed = WIRE_HEADER_SIZE + answer->len;

	if (answer->seq != s->answer_seq || !wire_seal_matches(s->link.answers, answer->seq, s->in, sealed, s->in + sealed))
		return -EBADMSG;
	s->answer_seq++;
	s->heard_ms = now_ms();
	if (s->moved)
		++*s->moved;
	if (answer->type == WIRE_REFUSE)
		return take_refusal(s, answer, s->in + WIRE_HEADER_SIZE);
	if (answer->type != WIRE_ACK || answer->off < s->acked || answer->off > s->sent)
		return -EPROTO;
	if (answer->off > s->acked)
		s->fruitless = 0;
	s->acked = answer->off;
	return 0;
}

static int take_answers(struct sender *s)
{
	struct wire_frame answer;
	struct error err;

	while (s->in_len >= WIRE_HEADER_SIZE) {
		size_t size;
		int rc = wire_frame_decode(s->in, &answer, &err);

		if (rc || answer.len > WIRE_ANSWER_MAX)
			return -EPROTO;
		size = WIRE_HEADER_SIZE + answer.len + WIRE_TAG_LEN;
		if (s->in_len < size)
			return 0;
		rc = take_answer(s, &answer);
		if (rc)
			return rc;
		s->in_len -= size;
		memmove(s->in, s->in + size, s->in_len);
	}
	return 0;
}

/* Whatever has arrived. */
static int receive_some(struct sender *s)
{
	for (;;) {
		ssize_t n = recv(s->fd, s->in + s->in_len, sizeof(s->in) - s->in_len, MSG_DONTWAIT);
		int rc;

		if (!n)
			return -ECONNRESET;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		s->in_len += n;
		rc = take_answers(s);
		if (rc)
			return rc;
	}
}

/* One round: send, wait for room or an answer, receive. */
static int exchange(struct sender *s)
{
	int rc = send_some(s);

	if (!rc)
		rc = net_wait(s->fd, POLLIN | (s->sent < s->sealed ? POLLOUT : 0), s->heard_ms + SILENCE_MS);
	if (!rc)
		rc = receive_some(s);
	if (s->error)
		return s->error;
	/* It has all and may go; if more comes, that will find out. */
	if (rc && s->acked == s->sealed)
		hang_up(s);
	else if (rc)
		rc = reconnect(s, rc);
	return rc;
}

static uint32_t tail(const struct sender *s)
{
	return s->acked < s->sealed ? s->frames[s->acked % SENDER_MAX_FRAMES].pos : s->end;
}

/*
 * Bytes in one piece for a new frame at s->end, which is moved to the beginning of the ring when that is better. One byte
 * always stays free: a full ring would look like an empty one.
 */
static uint32_t ring_room(struct sender *s, uint32_t wanted)
{
	if (s->acked == s->sealed)
		s->end = 0;
	if (s->sealed - s->acked == SENDER_MAX_FRAMES)
		return 0;
	if (s->end < tail(s))
		return tail(s) - s->end - 1;
	if (SENDER_RING - s->end < wanted && tail(s) > wanted && s->acked < s->sealed)
		s->end = 0;
	return s->end < tail(s) ? tail(s) - s->end - 1 : SENDER_RING - s->end;
}

/* Finish the frame that is being filled. */
static void seal(struct sender *s)
{
	uint8_t *frame = s->ring + s->open_pos;
	uint32_t len = WIRE_HEADER_SIZE + s->open.len;

	if (!s->open.type)
		return;
	wire_frame_encode(&s->open, frame);
	wire_seal(s->dump.frames, s->open.seq, frame, len, frame + len);
	*frame_at(s, s->sealed++) = (struct sender_frame){ s->open_pos, len + WIRE_TAG_LEN };
	s->end = s->open_pos + len + WIRE_TAG_LEN;
	s->open.type = 0;
}

/* Begin a frame with room for a payload of at least min bytes. */
static int begin_frame(struct sender *s, enum wire_type type, enum wire_file file, uint64_t off, uint32_t min)
{
	uint32_t room = 0;

	seal(s);
	s->heard_ms = now_ms();
	while (!s->error && (room = ring_room(s, min + FRAME_EXTRA)) < min + FRAME_EXTRA)
		exchange(s);
	if (s->error)
		return s->error;
	s->open = (struct wire_frame){ .type = type, .file = file, .seq = s->sealed, .off = off };
	s->open_pos = s->end;
	s->open_max = min_u64(room - FRAME_EXTRA, WIRE_PAYLOAD_MAX);
	return 0;
}

static int fill(struct sender *s, const void *payload, size_t len)
{
	memcpy(s->ring + s->open_pos + WIRE_HEADER_SIZE + s->open.len, payload, len);
	s->open.len += len;
	return s->error;
}

static uint64_t unsent(const struct sender *s)
{
	if (s->sent == s->sealed)
		return 0;
	return (s->end - s->frames[s->sent % SENDER_MAX_FRAMES].pos + SENDER_RING) % SENDER_RING;
}

static int take_refused(struct sender *s, enum wire_file file)
{
	int rc = s->error ? s->error : s->refused[file];

	/* What is on its way already will be refused, too: that is no news. */
	if (rc)
		s->forgiven = s->sealed + (s->open.type != 0);
	s->refused[file] = 0;
	return rc;
}

/* Everything sent and acknowledged. */
static int drain(struct sender *s)
{
	seal(s);
	if (s->acked < s->sealed)
		s->heard_ms = now_ms();
	while (!s->error && s->acked < s->sealed)
		exchange(s);
	return s->error;
}

int sender_write(struct sender *s, enum wire_file file, uint64_t off, const void *buf, size_t len)
{
	const uint8_t *p = buf;

	if (off > WIRE_OFFSET_MAX || (uint64_t)len > WIRE_OFFSET_MAX - off)
		return -EFBIG;
	while (len && !s->error && !s->refused[file]) {
		bool goes_on = s->open.type == WIRE_DATA && s->open.file == file && s->open.off + s->open.len == off &&
			       s->open.len < s->open_max;
		size_t n;

		if (!goes_on && begin_frame(s, WIRE_DATA, file, off, min_u64(len, FRAME_MIN_ROOM)))
			break;
		n = min_u64(len, s->open_max - s->open.len);
		fill(s, p, n);
		if (s->open.len == s->open_max)
			seal(s);
		p += n;
		off += n;
		len -= n;
		if (unsent(s) >= SEND_STEP) {
			int rc = send_some(s);

			/* Only what is asked for is heard: answers are read when there is something to wait for. */
			if (rc)
				reconnect(s, rc);
		}
	}
	return take_refused(s, file);
}

int sender_begin(struct sender *s, const char *host, const char *name, struct error *err)
{
	uint8_t payload[2 * WIRE_NAME_MAX];
	size_t len = wire_begin_encode(host, name, payload, sizeof(payload));

	if (!begin_frame(s, WIRE_BEGIN, 0, 0, len))
		fill(s, payload, len);
	drain(s);
	if (!s->error)
		s->error = take_refused(s, 0);
	if (s->error)
		*err = s->why;
	return s->error;
}

int sender_sync(struct sender *s)
{
	begin_frame(s, WIRE_SYNC, 0, 0, 0);
	return drain(s);
}

int sender_commit(struct sender *s, enum wire_file file, const struct wire_commit *commit)
{
	uint8_t payload[WIRE_COMMIT_SIZE];

	wire_commit_encode(commit, payload);
	if (!begin_frame(s, WIRE_COMMIT, file, 0, sizeof(payload)))
		fill(s, payload, sizeof(payload));
	drain(s);
	return take_refused(s, file);
}

int sender_open(struct sender *s, unsigned int timeout_ms, struct error *err)
{
	net_addr_text(&s->addr, s->name);
	s->fd = -1;
	s->error = 0;

	s->acked = s->sent = s->sealed = 0;
	s->sent_bytes = s->end = 0;
	s->forgiven = s->fruitless = 0;
	s->open.type = 0;
	memset(s->refused, 0, sizeof(s->refused));
	if (sender_connect(s, now_ms() + timeout_ms, err))
		return fail_prefix(err, "%s", s->name);
	return 0;
}

void sender_close(struct sender *s)
{
	if (!s->error && s->purpose == WIRE_DUMP && s->sealed) {
		begin_frame(s, WIRE_END, 0, 0, 0);
		drain(s);
	}
	hang_up(s);
}
