// Runs api.test.mjs and src/**/*.test.ts: bundles the latter first, since Node 18 and 20 read no TypeScript. The last line is `N passed, M failed`, which is what
// tests/run.sh counts.

import {build} from "esbuild";
import {mkdtempSync, readdirSync, rmSync} from "node:fs";
import {join} from "node:path";
import {run} from "node:test";
import {spec} from "node:test/reporters";
import {fileURLToPath} from "node:url";
import {generate} from "./api.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));

function testsBelow(directory) {
    return readdirSync(directory, {withFileTypes: true}).flatMap(entry => {
        const path = join(directory, entry.name);
        return entry.isDirectory() ? testsBelow(path) : /\.test\.tsx?$/.test(path) ? [path] : [];
    });
}

generate();
// Below HERE, so that the bundles find node_modules.
const out = mkdtempSync(join(HERE, "gen/test-"));
process.on("exit", () => rmSync(out, {recursive: true, force: true}));
await build({
    absWorkingDir: HERE,
    entryPoints: testsBelow(join(HERE, "src")),
    outdir: out,
    outbase: "src",
    outExtension: {".js": ".mjs"},
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    jsx: "automatic",
    jsxImportSource: "preact",
    sourcemap: "inline",
    logLevel: "warning",
});

const bundles = readdirSync(out, {recursive: true}).filter(name => name.endsWith(".mjs")).map(name => join(out, name));
let passed = 0;
let failed = 0;
// A suite is no test of its own.
const counts = event => event.details.type !== "suite";
run({files: [join(HERE, "api.test.mjs"), ...bundles], concurrency: 2})
    .on("test:pass", event => { passed += counts(event); })
    .on("test:fail", event => { failed += counts(event); })
    .on("end", () => setImmediate(() => {
        console.log(`${passed} passed, ${failed} failed`);
        process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
    }))
    .compose(new spec())
    .pipe(process.stdout);
