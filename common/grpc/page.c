#include "common/grpc/page.h"

#include <assert.h>

#include "common/crypto/digest.h"
#include "common/grpc/base64.h"
#include "common/grpc/field.h"
#include "common/grpc/message.h"

// Of the digest that binds a token to its question: enough against accidents, which is all it guards against.
#define BINDING_LENGTH 8

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
    if (strpbrk(copy, "+/"))
        return STATUS_INVALID;
    replace_in(copy, "-_", "+/");
    return base64_decode(arena, bytes_of_text(copy), ret_token);
}

static enum status parse_token(const ProtobufCMessage *request, struct bytes text, struct arena *arena,
                               struct bytes *ret_cursor) {
    struct bytes token;
    struct digest digest;
    enum status status = decode_token(text, arena, &token);
    if (status == STATUS_OK)
        status = digest_question(request, arena, &digest);
    if (status != STATUS_OK)
        return status;
    if (!bytes_has_prefix(token, bytes_of(digest.bytes, BINDING_LENGTH)))
        return STATUS_INVALID;
    *ret_cursor = bytes_of(token.data + BINDING_LENGTH, token.len - BINDING_LENGTH);
    return STATUS_OK;
}

static bool cursor_fits(struct bytes cursor, size_t length) {
    return length ? cursor.len == length : cursor.len > 0 && cursor.len <= PAGE_CURSOR_MAX;
}

void page_parse(const ProtobufCMessage *request, size_t cursor_length, struct arena *arena,
                struct fault *fault, struct page *ret_page) {
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
    enum status status = parse_token(request, text, arena, &cursor);
    if (status == STATUS_NO_MEMORY)
        fault_set_no_memory(fault);
    else if (status != STATUS_OK || !cursor_fits(cursor, cursor_length))
        refuse_token(fault);
    else
        ret_page->cursor = cursor;
}

char *page_make_token(const ProtobufCMessage *request, struct bytes cursor, struct arena *arena) {
    assert(cursor.len > 0 && cursor.len <= PAGE_CURSOR_MAX);
    uint8_t token[BINDING_LENGTH + PAGE_CURSOR_MAX];
    struct digest digest;
    if (digest_question(request, arena, &digest) != STATUS_OK)
        return NULL;
    memcpy(token, digest.bytes, BINDING_LENGTH);
    memcpy(token + BINDING_LENGTH, cursor.data, cursor.len);
    struct bytes text = base64_encode(arena, bytes_of(token, BINDING_LENGTH + cursor.len));
    char *copy = text.data ? arena_copy_bytes(arena, text) : NULL;
    if (copy)
        replace_in(copy, "+/", "-_");
    return copy;
}
