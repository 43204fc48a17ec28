// Builds dist/: index.html, and the files that it names, whose names have a hash of what is in them and so may be kept for ever.
// `node build.mjs [DIRECTORY]` writes them to another place.

import {build} from "esbuild";
import {copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync} from "node:fs";
import {basename, join, resolve} from "node:path";
import {fileURLToPath} from "node:url";
import {generate} from "./api.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const OUT = resolve(process.argv[2] ?? join(HERE, "dist"));

generate();
rmSync(OUT, {recursive: true, force: true});
mkdirSync(OUT, {recursive: true});

const {metafile} = await build({
    absWorkingDir: HERE,
    entryPoints: {app: "src/main.tsx", style: "src/style/main.css"},
    outdir: OUT,
    entryNames: "[name]-[hash]",
    bundle: true,
    minify: true,
    format: "esm",
    target: ["es2022", "chrome109", "firefox109", "safari16.4"],
    jsx: "automatic",
    jsxImportSource: "preact",
    charset: "utf8",
    legalComments: "none",
    metafile: true,
});

const built = Object.keys(metafile.outputs).map(path => basename(path));
const nameOf = ending => built.find(name => name.endsWith(ending));
const page = readFileSync(join(HERE, "src/index.html"), "utf8")
    .replace("app.js", nameOf(".js"))
    .replace("style.css", nameOf(".css"));
writeFileSync(join(OUT, "index.html"), page);
copyFileSync(join(HERE, "src/icon.svg"), join(OUT, "icon.svg"));
writeFileSync(join(OUT, "licenses.txt"), licensesOf(Object.keys(metafile.inputs)));

// Whose code is in the bundle wants its notice to go along.
function licensesOf(inputs) {
    const packages = new Set(inputs.map(path => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]).filter(Boolean));
    return [...packages].sort().map(name => `${name}\n\n${readFileSync(join(HERE, "node_modules", name, "LICENSE"), "utf8")}`).join("\n");
}
