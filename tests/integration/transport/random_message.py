"""Random messages of any type, by its descriptor, that ProtoJSON can write."""

import string
import struct

from google.protobuf.descriptor import FieldDescriptor

_TEXTS = string.printable + "éß☺😈\u2028\x7f\u0080"
_SECONDS = {"Timestamp": (-62135596800, 253402300799), "Duration": (-315576000000, 315576000000)}
_INTEGERS = {
    FieldDescriptor.TYPE_INT32: (-2**31, 2**31 - 1), FieldDescriptor.TYPE_SINT32: (-2**31, 2**31 - 1),
    FieldDescriptor.TYPE_SFIXED32: (-2**31, 2**31 - 1), FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED32: (0, 2**32 - 1), FieldDescriptor.TYPE_INT64: (-2**63, 2**63 - 1),
    FieldDescriptor.TYPE_SINT64: (-2**63, 2**63 - 1), FieldDescriptor.TYPE_SFIXED64: (-2**63, 2**63 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1), FieldDescriptor.TYPE_FIXED64: (0, 2**64 - 1),
}


class RandomMessages:
    """`classes[name]` is the class of a type; `any_names` are those that an Any may hold."""

    def __init__(self, random, classes, any_names):
        self._random = random
        self._classes = classes
        self._any_names = any_names

    def make(self, name, depth=3):
        message = self._classes[name]()
        self._fill(message, depth)
        return message

    def _fill(self, message, depth):
        fill = getattr(self, "_fill_" + message.DESCRIPTOR.name, None)
        if message.DESCRIPTOR.file.package == "google.protobuf" and fill:
            fill(message, depth)
            return
        density = self._random.choice((0, 0.1, 0.5, 1))
        for field in message.DESCRIPTOR.fields:
            if self._random.random() < density:
                self._fill_field(message, field, depth)

    def _fill_field(self, message, field, depth):
        if depth == 0 and field.type == field.TYPE_MESSAGE:
            return
        if _is_map(field):
            self._fill_map(message, field, depth)
        elif field.label == field.LABEL_REPEATED:
            self._fill_list(getattr(message, field.name), field, depth)
        elif field.type == field.TYPE_MESSAGE:
            getattr(message, field.name).SetInParent()
            self._fill(getattr(message, field.name), depth - 1)
        else:
            setattr(message, field.name, self._scalar(field))

    def _fill_list(self, items, field, depth):
        for _ in range(self._random.randrange(4)):
            if field.type == field.TYPE_MESSAGE:
                self._fill(items.add(), depth - 1)
            else:
                items.append(self._scalar(field))

    def _fill_map(self, message, field, depth):
        key_field, value_field = (field.message_type.fields_by_name[name] for name in ("key", "value"))
        pairs = getattr(message, field.name)
        for _ in range(self._random.randrange(4)):
            key = self._scalar(key_field)
            if value_field.type == field.TYPE_MESSAGE:
                self._fill(pairs[key], depth - 1)
            else:
                pairs[key] = self._scalar(value_field)

    def _scalar(self, field):
        if field.type in _INTEGERS:
            return self._integer(*_INTEGERS[field.type])
        if field.type == field.TYPE_ENUM:
            return self._random.choice([value.number for value in field.enum_type.values])
        return {field.TYPE_BOOL: self._bool, field.TYPE_STRING: self._text, field.TYPE_BYTES: self._bytes,
                field.TYPE_FLOAT: self._float, field.TYPE_DOUBLE: self._double}[field.type]()

    def _integer(self, low, high):
        return self._random.choice((low, high, self._random.randint(low, high), self._random.randint(0, 9)))

    def _bool(self):
        return self._random.random() < 0.5

    def _text(self):
        return "".join(self._random.choices(_TEXTS, k=self._random.randrange(12)))

    def _bytes(self):
        return self._random.randbytes(self._random.randrange(9))

    def _float(self):
        """Any but -0, which is set in one library and unset in another."""
        return struct.unpack("<f", self._random.randbytes(4))[0] or 1.0

    def _double(self):
        return self._random.choice((struct.unpack("<d", self._random.randbytes(8))[0], 0.1, 1e20, 5e-324)) or 1.0

    # ---- types with a JSON of their own ----

    def _fill_Timestamp(self, message, _):
        message.seconds = self._integer(*_SECONDS["Timestamp"]) if self._bool() else self._random.randrange(2**32)
        message.nanos = self._random.choice((0, 500_000_000, 1_000, 999_999_999, self._random.randrange(10**9)))

    def _fill_Duration(self, message, _):
        message.seconds = self._integer(*_SECONDS["Duration"])
        nanos = self._random.choice((0, 250_000_000, 1, self._random.randrange(10**9)))
        message.nanos = -nanos if message.seconds < 0 else nanos

    def _fill_FieldMask(self, message, _):
        for _ in range(self._random.randrange(4)):
            message.paths.append(self._random.choice(("label", "expires_at", "a.b_c.d2", "x1_y")))

    def _fill_Any(self, message, depth):
        if depth > 0 and self._any_names:
            message.Pack(self.make(self._random.choice(self._any_names), depth - 1))

    def _fill_Value(self, message, depth):
        kind = self._random.randrange(6 if depth > 0 else 4)
        if kind == 0:
            message.null_value = 0
        elif kind == 1:
            message.number_value = self._random.choice((0, -1, 1.5, 1e300, 2**60))
        elif kind == 2:
            message.string_value = self._text()
        elif kind == 3:
            message.bool_value = self._bool()
        elif kind == 4:
            message.struct_value.SetInParent()
            self._fill(message.struct_value, depth - 1)
        else:
            message.list_value.SetInParent()
            self._fill(message.list_value, depth - 1)


def _is_map(field):
    return field.type == field.TYPE_MESSAGE and field.message_type.GetOptions().map_entry

