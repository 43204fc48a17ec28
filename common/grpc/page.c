#include "common/grpc/page.h"

#include <assert.h>

#include "common/crypto/digest.h"
#include "common/protobuf/base64.h"
#include "common/protobuf/field.h"
#include "common/protobuf/message.h"

// The request without what differs from page to page, as a digest. Copying the message's own struct is
// enough: only two of its members are replaced.
static enum status digest_question(const ProtobufCMessage *request, struct arena *arena,
                                   struct digest *ret_digest) {
    ProtobufCMessage *question = arena_allocate(arena, request->descriptor->sizeof_message);
    if (!question)
        return STATUS_NO_MEMORY;
    memcpy(question, request, request->descriptor->sizeof_message);
    enum status status = field_set_text(arena, question, "page_token", "");
    if (status == STATUS_OK)
        status = field_set_integer(question, "page_size", 0);
    if (status != STATUS_OK)
        return status;
    struct bytes packed = message_pack(question, 0, arena);
    if (!packed.data)
        return STATUS_NO_MEMORY;
    digest_sha256(packed, ret_digest);
    return STATUS_OK;
}

// What the MAC covers: the parts of fixed length, the method by its request's name, and behind the NUL of
// that the cursor.
static enum status compute_mac(const struct page_scope *scope, const ProtobufCMessage *request,
                               struct bytes cursor, struct arena *arena, struct digest *ret_mac) {
    struct digest question;
    enum status status = digest_question(request, arena, &question);
    if (status != STATUS_OK)
        return status;
    size_t name_size = strlen(request->descriptor->name) + 1;
    size_t head_size = sizeof(question.bytes) + sizeof(scope->company_id.bytes);
    uint8_t *covered = arena_allocate(arena, head_size + name_size + cursor.len);
    if (!covered)
        return STATUS_NO_MEMORY;
    memcpy(covered, question.bytes, sizeof(question.bytes));
    memcpy(covered + sizeof(question.bytes), scope->company_id.bytes, sizeof(scope->company_id.bytes));
    memcpy(covered + head_size, request->descriptor->name, name_size);
    memcpy(covered + head_size + name_size, cursor.data, cursor.len);
    return digest_hmac_sha256(scope->key, bytes_of(covered, head_size + name_size + cursor.len), ret_mac);
}

static void refuse_token(struct fault *fault) {
    fault_add_field(
        fault, "page_token",
        "type the next_page_token of the page before, with the same arguments otherwise, or leave "
        "it empty for the first page");
}

// Tokens travel in URLs too: `-` and `_` stand for the two characters of base64 that can't.
static void replace_in(char *text, const char *from, const char *to) {
    for (; *text; text++)
        for (size_t i = 0; from[i]; i++)
            if (*text == from[i])
                *text = to[i];
}

static enum status decode_token(struct bytes text, struct arena *arena, struct bytes *ret_token) {
    char *copy = arena_copy_bytes(arena, text);
    if (!copy)
        return STATUS_NO_MEMORY;
    if (strpbrk(copy, "+/="))
        return STATUS_INVALID;
    replace_in(copy, "-_", "+/");
    return base64_decode(arena, bytes_of_text(copy), ret_token);
}

static enum status parse_token(const struct page_scope *scope, const ProtobufCMessage *request,
                               struct bytes text, struct arena *arena, struct bytes *ret_cursor) {
    struct bytes token;
    struct digest told, mac;
    enum status status = decode_token(text, arena, &token);
    if (status != STATUS_OK)
        return status;
    if (token.len <= DIGEST_LENGTH || token.len > DIGEST_LENGTH + PAGE_CURSOR_MAX)
        return STATUS_INVALID;
    struct bytes cursor = bytes_of(token.data + DIGEST_LENGTH, token.len - DIGEST_LENGTH);
    if ((status = compute_mac(scope, request, cursor, arena, &mac)) != STATUS_OK)
        return status;
    memcpy(told.bytes, token.data, DIGEST_LENGTH);
    if (!digest_is_equal(&told, &mac))
        return STATUS_INVALID;
    *ret_cursor = cursor;
    return STATUS_OK;
}

void page_parse(const struct page_scope *scope, const ProtobufCMessage *request, size_t cursor_length,
                struct arena *arena, struct fault *fault, struct page *ret_page) {
    *ret_page = (struct page){.size = PAGE_SIZE_DEFAULT};
    int64_t size = field_get_integer(request, "page_size");
    if (size < 0)
        fault_add_field(fault, "page_size",
                        "type 0 or a positive number: 0 stands for %d, and a page has at most %d",
                        PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
    else if (size > 0)
        ret_page->size = size > PAGE_SIZE_MAX ? PAGE_SIZE_MAX : (int32_t)size;

    struct bytes text = bytes_of_text(field_get_text(request, "page_token"));
    if (text.len == 0)
        return;
    struct bytes cursor;
    enum status status = parse_token(scope, request, text, arena, &cursor);
    if (status == STATUS_NO_MEMORY)
        fault_set_no_memory(fault);
    else if (status != STATUS_OK || (cursor_length && cursor.len != cursor_length))
        refuse_token(fault);
    else
        ret_page->cursor = cursor;
}

char *page_make_token(const struct page_scope *scope, const ProtobufCMessage *request, struct bytes cursor,
                      struct arena *arena) {
    assert(cursor.len > 0 && cursor.len <= PAGE_CURSOR_MAX);
    uint8_t token[DIGEST_LENGTH + PAGE_CURSOR_MAX];
    struct digest mac;
    if (compute_mac(scope, request, cursor, arena, &mac) != STATUS_OK)
        return NULL;
    memcpy(token, mac.bytes, DIGEST_LENGTH);
    memcpy(token + DIGEST_LENGTH, cursor.data, cursor.len);
    struct bytes text = base64_encode(arena, bytes_of(token, DIGEST_LENGTH + cursor.len));
    char *copy = text.data ? arena_copy_bytes(arena, text) : NULL;
    if (copy)
        replace_in(copy, "+/", "-_");
    return copy;
}
