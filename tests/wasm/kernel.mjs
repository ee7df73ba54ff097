// The compiled kernel for whoever speaks JSON: node kernel.mjs kernel.wasm. One call a line, one answer a line.
// Arrays travel as {"f32" | "f64" | "i32": base64}; they are copied in, and freed after the call.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const KINDS = { f32: Float32Array, f64: Float64Array, i32: Int32Array };
const refuse = () => 52;
const system = { fd_close: refuse, fd_seek: refuse, fd_write: refuse };
const module = new WebAssembly.Module(readFileSync(process.argv[2]));
const kernel = new WebAssembly.Instance(module, { wasi_snapshot_preview1: system }).exports;
kernel._initialize();

function put(array) {
  const [[kind, base64]] = Object.entries(array);
  if (!(kind in KINDS)) throw new Error(`expected f32, f64 or i32, got ${kind}`);
  const bytes = Buffer.from(base64, "base64");
  const at = kernel.sonoworld_bytes(bytes.length);
  new Uint8Array(kernel.memory.buffer, at, bytes.length).set(bytes);
  return at;
}

/** {keep: array} -> {result}: where it lies now, for good. {name, args} -> {result}; {name: "process", block, args: [engine, inputs]} -> {result, out}. */
function answer({ keep, name, args, block }) {
  if (keep) return { result: put(keep) };
  const copies = [];
  const plain = args.map((value) => {
    if (value === null) return 0;
    if (typeof value !== "object") return value;
    copies.push(put(value));
    return copies.at(-1);
  });
  const out = block ? kernel.sonoworld_bytes(8 * block) : 0;
  const result = kernel[`sonoworld_${name}`](...plain, ...(out ? [out] : []));
  const ears = out ? Buffer.from(kernel.memory.buffer.slice(out, out + 8 * block)).toString("base64") : "";
  for (const at of [...copies, out]) kernel.sonoworld_release(at);
  return { result: Number(result ?? 0), out: ears, bytes: kernel.memory.buffer.byteLength };
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(answer(JSON.parse(line))));
}
