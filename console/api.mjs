// Writes gen/api.ts: an interface for each message of proto/latchkey/v1, a union of names for each enum, and `Calls`, which says what each
// method takes and answers. In protobuf's JSON a field with its default value is left out, so every field is optional.
//
// The contract's own style (buf lint) is what makes a reader of lines enough: one statement a line, no nested types.

import {mkdirSync, readdirSync, readFileSync, writeFileSync} from "node:fs";
import {fileURLToPath} from "node:url";

const SCALARS = {
    string: "string", bytes: "string", bool: "boolean", double: "number", float: "number", int32: "number", uint32: "number",
    int64: "string", uint64: "string", fixed64: "string",
    "google.protobuf.Timestamp": "string", "google.protobuf.Duration": "string", "google.protobuf.FieldMask": "string",
    "google.rpc.Status": "ErrorStatus",
};
const OPENING = /^(message|enum|service) (\w+) \{(\})?$/;
const FIELD = /^(repeated )?(map<\w+, \w+>|[\w.]+) (\w+) = \d+;$/;
const VALUE = /^([A-Z]\w*) = \d+;$/;
const METHOD = /^rpc (\w+)\((stream )?(\w+)\) returns \((stream )?(\w+)\);$/;

function camelCase(name) {
    return name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
}

function typeOf(name) {
    const map = /^map<\w+, (\w+)>$/.exec(name);
    return map ? `Record<string, ${typeOf(map[1])}>` : SCALARS[name] ?? name;
}

function fieldLine([, repeated, type, name]) {
    return `    ${camelCase(name)}?: ${typeOf(type)}${repeated ? "[]" : ""};`;
}

// What streams is left out: a page asks in single calls.
function methodLine([, name, asksMany, request, answersMany, response]) {
    return asksMany || answersMany ? null : `        ${name}: {request: ${request}; response: ${response}};`;
}

const LINES = {
    message: text => match(FIELD, text, fieldLine),
    enum: text => match(VALUE, text, ([, name]) => `    | "${name}"`),
    service: text => match(METHOD, text, methodLine),
};

function match(pattern, text, write) {
    const found = pattern.exec(text);
    return found ? write(found) : null;
}

/** The blocks of a .proto file, in its order: kind, name, and their lines as TypeScript. */
export function readBlocks(proto) {
    const blocks = [];
    let open = null;
    for (const text of proto.split("\n").map(line => line.trim())) {
        const opening = OPENING.exec(text);
        if (opening) {
            open = {kind: opening[1], name: opening[2], lines: []};
            blocks.push(open);
        }
        const line = open && !opening ? LINES[open.kind](text) : null;
        if (line) open.lines.push(line);
    }
    return blocks;
}

function write(kind, blocks, before, after) {
    return blocks.filter(block => block.kind === kind)
        .map(({name, lines}) => `${before(name)}\n${lines.join("\n")}\n${after}\n`).join("\n");
}

export function writeApi(blocks) {
    return [
        "// Written by api.mjs from proto/latchkey/v1.\n",
        "export interface ErrorStatus {\n    code?: number;\n    message?: string;\n    details?: Record<string, unknown>[];\n}\n",
        write("enum", blocks, name => `export type ${name} =`, "    ;"),
        write("message", blocks, name => `export interface ${name} {`, "}"),
        `export interface Calls {\n${write("service", blocks, name => `    ${name}: {`, "    };")}}\n`,
    ].join("\n");
}

export function generate() {
    const protos = new URL("../proto/latchkey/v1/", import.meta.url);
    const blocks = readdirSync(protos).sort().flatMap(name => readBlocks(readFileSync(new URL(name, protos), "utf8")));
    mkdirSync(new URL("gen/", import.meta.url), {recursive: true});
    writeFileSync(new URL("gen/api.ts", import.meta.url), writeApi(blocks));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) generate();
