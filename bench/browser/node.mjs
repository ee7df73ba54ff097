// node node.mjs FOLDER: reads one case a line, answers with seconds of sound made per second of its processor time.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { runInThisContext } from "node:vm";
import { engineOptions } from "./world.mjs";

const folder = process.argv[2];
const read = (name) => {
  const { buffer, byteOffset, byteLength } = readFileSync(join(folder, name));
  return buffer.slice(byteOffset, byteOffset + byteLength);
};
const processors = {};
globalThis.sampleRate = 48000;
globalThis.currentTime = 0;
globalThis.AudioWorkletProcessor = class {
  port = {};
};
globalThis.registerProcessor = (name, processor) => {
  processors[name] = processor;
};
for (const name of ["hook.js", "worklet.js"]) runInThisContext(readFileSync(join(folder, name), "utf8"));

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  const processorOptions = engineOptions({ ...asked, kernel: read("kernel.wasm"), filters: read(`ears-${asked.order}.bin`) });
  const engine = new processors.bench({ processorOptions });
  const outputs = [[new Float32Array(128), new Float32Array(128)]];
  const make = (seconds) => {
    const blocks = Math.round((seconds * 48000) / 128);
    for (let block = 0; block < blocks; block++) {
      engine.process([], outputs);
      globalThis.currentTime += 128 / 48000;
    }
  };
  make(1);
  let best = Infinity;
  for (let turn = 0; turn < 3; turn++) {
    const start = process.cpuUsage();
    make(asked.seconds);
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, (user + system) / 1000);
  }
  console.log(JSON.stringify((1000 * asked.seconds) / best));
}
