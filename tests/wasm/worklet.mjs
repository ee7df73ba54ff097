// The shipped worklet without a browser: node worklet.mjs worklet.js kernel.wasm. One request a line, one answer a line:
// {options} makes the engine, {message} is for its port, {blocks} plays on: {ears: base64 of [block][2][128]}; `heap` is
// what the blocks left in JavaScript's memory. {limit: [block][2][128]} goes through a limiter.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { runInThisContext } from "node:vm";

const BLOCK = 128;
const [worklet, kernel] = process.argv.slice(2);
const processors = new Map();
globalThis.sampleRate = 48000;
const clock = new Float64Array(1); // no new number for every block
Object.defineProperty(globalThis, "currentTime", { get: () => clock[0] });
globalThis.AudioWorkletProcessor = class {
  port = { onmessage: null };
};
globalThis.registerProcessor = (name, processor) => processors.set(name, processor);
runInThisContext(readFileSync(worklet, "utf8"), { filename: worklet });

const KINDS = { f32: Float32Array, f64: Float64Array, i32: Int32Array };

/** JSON with arrays as {"f32" | "f64" | "i32": base64}. */
function revive(key, value) {
  const [[kind, base64] = []] = typeof value === "object" && value ? Object.entries(value) : [];
  if (!(kind in KINDS)) return value;
  const bytes = Buffer.from(base64, "base64");
  return new KINDS[kind](bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

let engine = null;

/** Runs a processor over so many blocks; `input(block)` is [left, right]. */
function run(processor, blocks, input) {
  const ears = new Float32Array(2 * BLOCK * blocks);
  const rows = Array.from({ length: 2 * blocks }, (_, row) => ears.subarray(row * BLOCK, (row + 1) * BLOCK));
  const pairs = Array.from({ length: blocks }, (_, block) => [[rows[2 * block], rows[2 * block + 1]]]);
  const inputs = Array.from({ length: blocks }, (_, block) => (input ? [input(block)] : []));
  const before = process.memoryUsage().heapUsed;
  for (let block = 0; block < blocks; block++) {
    processor.process(inputs[block], pairs[block]);
    clock[0] += BLOCK / sampleRate;
  }
  const heap = process.memoryUsage().heapUsed - before;
  return { ears: Buffer.from(ears.buffer).toString("base64"), heap };
}

function answer({ options, message, blocks, limit }) {
  if (options) {
    const bytes = readFileSync(kernel);
    const whole = { ...options, kernel: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) };
    engine = new (processors.get("sonoworld-engine"))({ processorOptions: whole });
  }
  if (message) engine.port.onmessage({ data: message });
  if (limit) {
    const row = (at) => limit.subarray(at * BLOCK, (at + 1) * BLOCK);
    const limiter = new (processors.get("sonoworld-limiter"))({});
    return run(limiter, limit.length / (2 * BLOCK), (block) => [row(2 * block), row(2 * block + 1)]);
  }
  return blocks ? run(engine, blocks, null) : {};
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(answer(JSON.parse(line, revive))));
}
