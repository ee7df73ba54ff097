// Bundles the page and the audio worklet: node build.mjs OUT. Run by buildhook/viewer.py.
import { build } from "esbuild";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const out = process.argv[2];
if (!out) throw new Error("usage: node build.mjs OUT");

const shared = { bundle: true, minify: true, sourcemap: false, legalComments: "none", target: "es2022" };
await mkdir(out, { recursive: true });
await build({ ...shared, format: "esm", entryPoints: { viewer: "src/main.ts" }, outdir: out });
await build({ ...shared, format: "iife", entryPoints: { worklet: "src/worklet/main.ts" }, outdir: out });
await build({ ...shared, entryPoints: { viewer: "src/viewer.css" }, outdir: out });
await build({ ...shared, format: "esm", entryPoints: { gallery: "src/gallery/main.ts" }, outdir: out });
await build({ ...shared, entryPoints: { gallery: "src/gallery/gallery.css" }, outdir: out });
await copyFile(join("src", "gallery", "gallery.html"), join(out, "gallery.html"));
for (const name of ["index.html", "icon.svg"]) await copyFile(join("src", name), join(out, name));

const engine = JSON.parse(await readFile("node_modules/playcanvas/package.json", "utf8"));
const licence = await readFile("node_modules/playcanvas/LICENSE", "utf8");
await writeFile(
  join(out, "LICENSES.txt"),
  `This page contains the following software.\n\nPlayCanvas Engine ${engine.version} (MIT)\n${engine.homepage}\n\n${licence}`,
);
