// Rows in PostgreSQL's binary COPY format, as copy_parser.h reads them: a header, then for each row its
// number of fields and so many fields, then the trailer. Whether it all fitted, the buffer tells at the end.
#ifndef LATCHKEY_COMMON_DB_COPY_WRITER_H
#define LATCHKEY_COMMON_DB_COPY_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/bytes.h"
#include "common/base/uuid.h"
#include "common/ip/prefix.h"

void copy_write_header(struct buffer *to);
void copy_write_row(struct buffer *to, unsigned columns);
void copy_write_trailer(struct buffer *to);

void copy_write_bool(struct buffer *to, bool value);
void copy_write_char(struct buffer *to, char value);
void copy_write_int16(struct buffer *to, int16_t value);
void copy_write_uuid(struct buffer *to, const struct uuid *uuid);
void copy_write_uuid_or_null(struct buffer *to, const struct uuid *uuid); // zero is NULL
void copy_write_bytes(struct buffer *to, struct bytes value);             // and text; never NULL

// `null_value` is NULL. A time that PostgreSQL has no value for fails the buffer.
void copy_write_time_ms(struct buffer *to, int64_t ms, int64_t null_value);

void copy_write_prefix(struct buffer *to, const struct ip_prefix *prefix);

void copy_write_texts(struct buffer *to, const struct bytes *texts, size_t count);
void copy_write_uuids(struct buffer *to, const struct uuid *uuids, size_t count);
void copy_write_prefixes(struct buffer *to, const struct ip_prefix *prefixes, size_t count); // cidr[]

#endif
