"""Our ProtoJSON and protobuf's own, by Python: the same messages both ways. LATCHKEY_SEED repeats a run."""

import json
import os
import random
import subprocess
import tempfile
import unittest

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

from latchkey_test import program
from latchkey_test.paths import ROOT
from latchkey_test.vectors import read_byte_vectors
from random_message import RandomMessages

SEED = int(os.environ.get("LATCHKEY_SEED") or random.SystemRandom().randrange(2**32))
EVERYTHING = "latchkey.test.v1.Everything"
MESSAGES_A_TYPE = 6
MESSAGES_OF_EVERYTHING = 300

# Read otherwise by Python 3.21, which takes no exponent in a text, reads 1.0 as a double, holds the largest float to be too
# large, and writes and reads Empty within Any without "value" only.
READ_OTHERWISE = (
    b'{"aInt32":"1e5"}', b'{"aInt32":"0.0"}', b'{"aUint64":9007199254740993.0}', b'{"aUint64":900719925474099.3e1}',
    b'{"aFloat":3.4028235e38,"aDouble":1.7976931348623157e308}',
    b'{"aAny":{"@type":"type.googleapis.com/google.protobuf.Empty","value":{}}}')


class Converter:
    """build/bin/tests/protojson-convert, which says "unknown" to a type that it was not built with."""

    def __enter__(self):
        self._process = subprocess.Popen([program("tests/protojson-convert")], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE)
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.stdout.close()
        assert self._process.wait() == 0

    def ask(self, direction, name, data):
        self._process.stdin.write(b"%s %s %s\n" % (direction, name.encode(), data))
        self._process.stdin.flush()
        word, _, result = self._process.stdout.readline().rstrip(b"\n").partition(b" ")
        return word.decode(), result

    def to_json(self, message):
        word, result = self.ask(b"json", message.DESCRIPTOR.full_name, message.SerializeToString().hex().encode())
        assert word == "ok", result
        return result.decode()

    def to_wire(self, name, text):
        word, result = self.ask(b"wire", name, text)
        assert word == "ok", (text, result)
        return bytes.fromhex(result.decode())


def compile_protos():
    """The contract and everything.proto, in a pool of their own."""
    protos = [str(path.relative_to(root)) for root in (ROOT / "proto", ROOT / "tests/proto")
              for path in sorted(root.rglob("*.proto")) if "latchkey" in path.parts or "rpc" in path.parts]
    with tempfile.NamedTemporaryFile() as output:
        subprocess.run(["protoc", f"-I{ROOT}/proto", f"-I{ROOT}/tests/proto", "--include_imports",
                        f"--descriptor_set_out={output.name}", *protos], check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(output.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return pool, [pool.FindFileByName(file.name) for file in files.file]


class ProtojsonTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"LATCHKEY_SEED={SEED}", flush=True)
        cls.pool, files = compile_protos()
        factory = message_factory.MessageFactory(cls.pool)
        cls.converter = cls.enterClassContext(Converter())
        types = [type_ for file in files for type_ in file.message_types_by_name.values()]
        cls.classes = {type_.full_name: factory.GetPrototype(type_) for type_ in types}
        cls.known = [name for name in cls.classes if cls.converter.ask(b"json", name, b"")[0] != "unknown"]
        cls.messages = RandomMessages(random.Random(SEED), cls.classes, cls.known)

    def parse(self, name, text):
        return json_format.Parse(text, self.classes[name](), descriptor_pool=self.pool)

    def to_dict(self, message):
        """NaN is a text there, and equal to itself; and what an Any holds has no order."""
        return json_format.MessageToDict(message, descriptor_pool=self.pool)

    def compare(self, message):
        name = message.DESCRIPTOR.full_name
        ours = self.converter.to_json(message)
        theirs = json_format.MessageToJson(message, descriptor_pool=self.pool, indent=None)
        self.assertEqual(json.loads(ours), json.loads(theirs))
        self.assertEqual(self.to_dict(self.parse(name, ours)), self.to_dict(message))
        for text in (ours, theirs):
            read = self.classes[name].FromString(self.converter.to_wire(name, text.encode()))
            self.assertEqual(self.to_dict(read), self.to_dict(message))

    def test_every_type_of_the_contract_is_the_same_both_ways(self):
        self.assertGreater(len([name for name in self.known if name.startswith("latchkey.v1.")]), 100)
        for name in self.known:
            with self.subTest(name):
                for _ in range(MESSAGES_A_TYPE):
                    self.compare(self.messages.make(name))

    def test_every_kind_of_field_is_the_same_both_ways(self):
        for number in range(MESSAGES_OF_EVERYTHING):
            with self.subTest(number):
                self.compare(self.messages.make(EVERYTHING))

    def test_protobuf_reads_the_vectors_as_we_do(self):
        count = 0
        for expected, text in read_byte_vectors("protojson.txt"):
            if expected.startswith("{") and text not in READ_OTHERWISE:
                with self.subTest(text=text):
                    self.assertEqual(self.to_dict(self.parse(EVERYTHING, text)),
                                     self.to_dict(self.parse(EVERYTHING, expected)))
                    count += 1
        self.assertGreater(count, 100)


if __name__ == "__main__":
    unittest.main()
