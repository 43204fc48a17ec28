import assert from "node:assert/strict";
import {test} from "node:test";
import {readBlocks, writeApi} from "./api.mjs";

const PROTO = `
// A message.
message Token {
  // Its id.
  string token_id = 1;
  repeated Channel channels = 8;
  map<string, string> metadata = 7;
  oneof optional_bits {
    uint32 checking_bits = 3;
  }
  uint64 count = 4;
  google.protobuf.Timestamp created_at = 5;
}

enum Channel {
  CHANNEL_UNSPECIFIED = 0;
  CHANNEL_API = 1;
}

message GetRequest {}

service TokenService {
  // One token.
  rpc Get(GetRequest) returns (Token);
  rpc Watch(stream GetRequest) returns (stream Token);
}
`;

const written = writeApi(readBlocks(PROTO));

test("fields are named and typed as protobuf's JSON has them", () => {
    const fields = ["tokenId?: string;", "channels?: Channel[];", "metadata?: Record<string, string>;", "checkingBits?: number;", "count?: string;", "createdAt?: string;"];
    assert.match(written, new RegExp(`interface Token {\\n    ${fields.join("\n    ").replace(/[?[\]]/g, "\\$&")}\\n}`));
});

test("an enum is the union of its names", () => {
    assert.match(written, /type Channel =\n {4}\| "CHANNEL_UNSPECIFIED"\n {4}\| "CHANNEL_API"\n {4};/);
});

test("a method has what it takes and answers, and one that streams is left out", () => {
    assert.match(written, /TokenService: {\n {8}Get: {request: GetRequest; response: Token};\n {4}};/);
    assert.match(written, /interface GetRequest {\n\n}/);
});
