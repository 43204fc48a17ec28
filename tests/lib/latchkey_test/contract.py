"""What the servers serve, by their own word, and the messages of it by the contract: for tests that hold of every method.

    for method in contract.served_methods():
        client.call(method, method.request())
"""

import subprocess
from dataclasses import dataclass
from functools import cache

from google.protobuf.descriptor import FieldDescriptor

from . import stubs
from .paths import ROOT, program


@dataclass(frozen=True)
class Method:
    """`kind`: "change" or "read", in a transaction. `permission`: its name, "-" (the handler decides), or "anybody"."""

    path: str
    kind: str
    permission: str
    request: type
    response: type

    @property
    def name(self):
        return self.path.rsplit("/", 1)[1]

    @property
    def service(self):
        return self.path.split("/")[1].rsplit(".", 1)[1]

    @property
    def is_change(self):
        return self.kind == "change"

    @property
    def is_open(self):
        return self.permission == "anybody"

    def __str__(self):
        return self.name


@cache
def served_methods():
    """Those of latchkeyd that work with the database, in its order."""
    listed = subprocess.run([program("latchkeyd"), "methods"], stdout=subprocess.PIPE, text=True, check=True).stdout
    rows = (line.split("\t") for line in listed.splitlines())
    return tuple(Method(path, kind, permission, *_messages_of(path)) for path, kind, permission in rows
                 if kind != "memory")


def _messages_of(path):
    service, name = path[1:].split("/")
    method = _services()[service].methods_by_name[name]
    return _class_of(method.input_type), _class_of(method.output_type)


@cache
def _services():
    found = {}
    for proto in sorted((ROOT / "proto/latchkey/v1").glob("*.proto")):
        for service in stubs.messages(f"latchkey/v1/{proto.name}").DESCRIPTOR.services_by_name.values():
            found[service.full_name] = service
    return found


def _class_of(descriptor):
    return getattr(stubs.messages(descriptor.file.name), descriptor.name)


def walk(message, path=()):
    """(path, message, field) of every field that a message of ours may have, unset ones too; of lists that hold
    messages the fields of the elements that are there. `path` is made of names and indices."""
    for field in message.DESCRIPTOR.fields:
        here = (*path, field.name)
        yield here, message, field
        if field.message_type is None or _is_map(field) or not field.message_type.full_name.startswith("latchkey."):
            continue
        if field.label == FieldDescriptor.LABEL_REPEATED:
            for index, element in enumerate(getattr(message, field.name)):
                yield from walk(element, (*here, index))
        elif message.HasField(field.name):
            yield from walk(getattr(message, field.name), here)


def _is_map(field):
    return field.message_type.GetOptions().map_entry


def path_text(path):
    """As BadRequest names it: entries[3].address."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
