// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/wire.h"

#include <errno.h>
#include <string.h>

#include "elfcore/elf_codec.h"

static const char hello_magic[8] = "kcapture", challenge_magic[8] = "kc-recv1";

static const char *const files[NR_WIRE_FILES] = {
	[WIRE_VMCORE] = "vmcore",
	[WIRE_DMESG] = "vmcore-dmesg.txt",
	[WIRE_NOTES] = "vmcore-notes",
	[WIRE_JSON] = "crash.json",
	[WIRE_LOG] = "kcapture.log",
	[WIRE_SUMS] = "SHA256SUMS",
};

static const char *const status_texts[NR_WIRE_STATUS] = {
	[WIRE_OK] = "ok",
	[WIRE_BAD_VERSION] = "it speaks another version of the protocol",
	[WIRE_DENIED] = "it has another key",
	[WIRE_UNKNOWN_DUMP] = "it does not know the dump that was to go on",
	[WIRE_FULL] = "it has no room",
	[WIRE_BUSY] = "it is busy",
	[WIRE_FAILED] = "its storage failed",
	[WIRE_MISMATCH] = "what it has written has another SHA-256",
	[WIRE_PROTOCOL] = "it did not understand",
};

static void put(uint8_t *p, size_t size, uint64_t value)
{
	elf_put(ELFDATA2MSB, p, size, value);
}

static uint64_t get(const uint8_t *p, size_t size)
{
	return elf_get(ELFDATA2MSB, p, size);
}

static bool is_zero(const uint8_t *p, size_t len)
{
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= p[i];
	return !any;
}

/* 0 magic, 8 version, 10 zero, 16 nonce, 48 dump */
void wire_hello_encode(const struct wire_hello *hello, uint8_t buf[WIRE_GREETING_SIZE])
{
	memset(buf, 0, WIRE_GREETING_SIZE);
	memcpy(buf, hello_magic, 8);
	put(buf + 8, 2, hello->version);
	memcpy(buf + 16, hello->nonce, WIRE_NONCE_LEN);
	memcpy(buf + 48, hello->dump_id, WIRE_DUMP_ID_LEN);
}

int wire_hello_decode(const uint8_t buf[WIRE_GREETING_SIZE], struct wire_hello *ret, struct error *err)
{
	if (memcmp(buf, hello_magic, 8))
		return fail(err, -EPROTO, "this is no sender of dumps");
	ret->version = get(buf + 8, 2);
	/* What later versions put into the reserved bytes is theirs. */
	if (ret->version == WIRE_VERSION && !is_zero(buf + 10, 6))
		return fail(err, -EPROTO, "hello: reserved bytes are not zero");
	memcpy(ret->nonce, buf + 16, WIRE_NONCE_LEN);
	memcpy(ret->dump_id, buf + 48, WIRE_DUMP_ID_LEN);
	return 0;
}

/* 0 magic, 8 version, 10 zero, 12 status, 16 nonce, 48 zero */
void wire_challenge_encode(const struct wire_challenge *challenge, uint8_t buf[WIRE_GREETING_SIZE])
{
	memset(buf, 0, WIRE_GREETING_SIZE);
	memcpy(buf, challenge_magic, 8);
	put(buf + 8, 2, challenge->version);
	put(buf + 12, 4, challenge->status);
	memcpy(buf + 16, challenge->nonce, WIRE_NONCE_LEN);
}

int wire_challenge_decode(const uint8_t buf[WIRE_GREETING_SIZE], struct wire_challenge *ret, struct error *err)
{
	if (memcmp(buf, challenge_magic, 8))
		return fail(err, -EPROTO, "this is no receiver of dumps");
	ret->version = get(buf + 8, 2);
	ret->status = get(buf + 12, 4);
	memcpy(ret->nonce, buf + 16, WIRE_NONCE_LEN);
	if (ret->status >= NR_WIRE_STATUS || !is_zero(buf + 10, 2) || !is_zero(buf + 48, 16))
		return fail(err, -EPROTO, "challenge: reserved bytes are not zero");
	return 0;
}

/* 0 purpose, 4 zero, 32 mac */
void wire_proof_encode(const struct wire_proof *proof, uint8_t buf[WIRE_GREETING_SIZE])
{
	memset(buf, 0, WIRE_GREETING_SIZE);
	put(buf, 4, proof->purpose);
	memcpy(buf + 32, proof->mac, WIRE_MAC_LEN);
}

int wire_proof_decode(const uint8_t buf[WIRE_GREETING_SIZE], struct wire_proof *ret, struct error *err)
{
	ret->purpose = get(buf, 4);
	memcpy(ret->mac, buf + 32, WIRE_MAC_LEN);
	if ((ret->purpose != WIRE_DUMP && ret->purpose != WIRE_PROBE) || !is_zero(buf + 4, 28))
		return fail(err, -EPROTO, "proof: purpose %u, or reserved bytes that are not zero", ret->purpose);
	return 0;
}

/* 0 status, 4 zero, 8 next_seq, 16 room, 24 zero, 32 mac */
void wire_welcome_encode(const struct wire_welcome *welcome, uint8_t buf[WIRE_GREETING_SIZE])
{
	memset(buf, 0, WIRE_GREETING_SIZE);
	put(buf, 4, welcome->status);
	put(buf + 8, 8, welcome->next_seq);
	put(buf + 16, 8, welcome->room);
	memcpy(buf + 32, welcome->mac, WIRE_MAC_LEN);
}

int wire_welcome_decode(const uint8_t buf[WIRE_GREETING_SIZE], struct wire_welcome *ret, struct error *err)
{
	ret->status = get(buf, 4);
	ret->next_seq = get(buf + 8, 8);
	ret->room = get(buf + 16, 8);
	memcpy(ret->mac, buf + 32, WIRE_MAC_LEN);
	if (ret->status >= NR_WIRE_STATUS || !is_zero(buf + 4, 4) || !is_zero(buf + 24, 8))
		return fail(err, -EPROTO, "welcome: status %u, or reserved bytes that are not zero", ret->status);
	return 0;
}

void wire_frame_encode(const struct wire_frame *frame, uint8_t buf[WIRE_HEADER_SIZE])
{
	put(buf, 4, frame->len);
	buf[4] = frame->type;
	buf[5] = frame->file;
	put(buf + 6, 2, 0);
	put(buf + 8, 8, frame->seq);
	put(buf + 16, 8, frame->off);
}

static bool is_answer(uint8_t type)
{
	return type == WIRE_ACK || type == WIRE_REFUSE;
}

static int check_len(const struct wire_frame *frame, struct error *err)
{
	static const struct {
		uint32_t min, max;
	} lens[] = {
		[WIRE_BEGIN] = { 2, 2 * WIRE_NAME_MAX },
		[WIRE_DATA] = { 1, WIRE_PAYLOAD_MAX },
		[WIRE_COMMIT] = { WIRE_COMMIT_SIZE, WIRE_COMMIT_SIZE },
		[WIRE_SYNC] = { 0, 0 },
		[WIRE_END] = { 0, 0 },
		[WIRE_ACK] = { 0, 0 },
		[WIRE_REFUSE] = { 4, WIRE_ANSWER_MAX },
	};

	if ((!is_answer(frame->type) && frame->type > WIRE_END) || frame->type < WIRE_BEGIN)
		return fail(err, -EPROTO, "frame %llu: type %u", (unsigned long long)frame->seq, frame->type);
	if (frame->len < lens[frame->type].min || frame->len > lens[frame->type].max)
		return fail(err, -EPROTO, "frame %llu of type %u: length %u", (unsigned long long)frame->seq, frame->type,
			    frame->len);
	return 0;
}

int wire_frame_decode(const uint8_t buf[WIRE_HEADER_SIZE], struct wire_frame *ret, struct error *err)
{
	bool has_file;
	int rc;

	ret->len = get(buf, 4);
	ret->type = buf[4];
	ret->file = buf[5];
	ret->seq = get(buf + 8, 8);
	ret->off = get(buf + 16, 8);
	rc = check_len(ret, err);
	if (rc)
		return rc;
	has_file = ret->type == WIRE_DATA || ret->type == WIRE_COMMIT;
	if (!is_zero(buf + 6, 2) || ret->file >= (has_file ? NR_WIRE_FILES : 1))
		return fail(err, -EPROTO, "frame %llu of type %u: file %u, or reserved bytes that are not zero",
			    (unsigned long long)ret->seq, ret->type, ret->file);
	if (ret->type == WIRE_DATA ? ret->off > WIRE_OFFSET_MAX - ret->len : ret->off && !is_answer(ret->type))
		return fail(err, -EPROTO, "frame %llu of type %u: offset %llu", (unsigned long long)ret->seq, ret->type,
			    (unsigned long long)ret->off);
	return 0;
}

void wire_commit_encode(const struct wire_commit *commit, uint8_t buf[WIRE_COMMIT_SIZE])
{
	put(buf, 8, commit->size);
	put(buf + 8, 4, commit->flags);
	put(buf + 12, 4, 0);
	memcpy(buf + 16, commit->sha256, sizeof(commit->sha256));
}

int wire_commit_decode(const uint8_t *payload, size_t len, struct wire_commit *ret, struct error *err)
{
	if (len != WIRE_COMMIT_SIZE)
		return fail(err, -EPROTO, "commit: length %zu", len);
	ret->size = get(payload, 8);
	ret->flags = get(payload + 8, 4);
	memcpy(ret->sha256, payload + 16, sizeof(ret->sha256));
	if (ret->size > WIRE_OFFSET_MAX)
		return fail(err, -EPROTO, "commit: size %llu", (unsigned long long)ret->size);
	if (ret->flags & ~(uint32_t)(WIRE_COMPLETE | WIRE_HAS_SHA256) || !is_zero(payload + 12, 4))
		return fail(err, -EPROTO, "commit: flags 0x%x, or reserved bytes that are not zero", ret->flags);
	return 0;
}

size_t wire_begin_encode(const char *host, const char *name, uint8_t *buf, size_t size)
{
	size_t host_len = min_u64(strlen(host), WIRE_NAME_MAX - 1), name_len = min_u64(strlen(name), WIRE_NAME_MAX - 1);

	if (host_len + name_len + 2 > size)
		return 0;
	memcpy(buf, host, host_len);
	buf[host_len] = 0;
	memcpy(buf + host_len + 1, name, name_len);
	buf[host_len + 1 + name_len] = 0;
	return host_len + name_len + 2;
}

int wire_begin_decode(const uint8_t *payload, size_t len, const char **host, const char **name, struct error *err)
{
	const uint8_t *end = payload + len, *first = memchr(payload, 0, len);
	const uint8_t *second = first && first + 1 < end ? memchr(first + 1, 0, end - first - 1) : NULL;

	if (!second || second + 1 != end || first - payload >= WIRE_NAME_MAX || second - first > WIRE_NAME_MAX)
		return fail(err, -EPROTO, "begin: %zu bytes are not two names", len);
	*host = (const char *)payload;
	*name = (const char *)first + 1;
	return 0;
}

size_t wire_refuse_encode(enum wire_status code, const char *text, uint8_t buf[WIRE_ANSWER_MAX])
{
	size_t len = min_u64(strlen(text), WIRE_ANSWER_MAX - 4);

	put(buf, 4, code);
	memcpy(buf + 4, text, len);
	return 4 + len;
}

int wire_refuse_decode(const uint8_t *payload, size_t len, uint32_t *code, char *text, size_t size, struct error *err)
{
	size_t text_len;

	if (len < 4 || get(payload, 4) >= NR_WIRE_STATUS)
		return fail(err, -EPROTO, "refuse: length %zu or unknown code", len);
	*code = get(payload, 4);
	text_len = min_u64(len - 4, size - 1);
	for (size_t i = 0; i < text_len; i++)
		text[i] = payload[4 + i] < 0x20 || payload[4 + i] > 0x7e ? '?' : payload[4 + i];
	text[text_len] = 0;
	return 0;
}

const char *wire_file_name(enum wire_file file)
{
	return files[file];
}

int wire_file_find(const char *name)
{
	for (int i = 0; i < NR_WIRE_FILES; i++)
		if (!strcmp(files[i], name))
			return i;
	return -1;
}

const char *wire_status_text(uint32_t status)
{
	return status < NR_WIRE_STATUS ? status_texts[status] : "unknown status";
}
