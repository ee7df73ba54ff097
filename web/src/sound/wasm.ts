// The compiled kernel's bytes, and whether this browser can run them.
import { addressOf } from "../inline";

/** The smallest module with a 128-bit instruction: () -> v128, the splat of a constant. */
const VECTOR_MODULE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic, version 1
  ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b], // one type: () -> v128
  ...[0x03, 0x02, 0x01, 0x00], // one function of it
  ...[0x0a, 0x08, 0x01, 0x06, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x0b], // i32.const 0, i8x16.splat, end
);

export function hasVectors(): boolean {
  return typeof WebAssembly === "object" && WebAssembly.validate(VECTOR_MODULE);
}

export async function loadKernel(): Promise<ArrayBuffer> {
  const answer = await fetch(addressOf("kernel.wasm"));
  if (!answer.ok) throw new Error(`the audio kernel did not load (HTTP ${answer.status})`);
  const bytes = await answer.arrayBuffer();
  if (!WebAssembly.validate(bytes)) throw new Error("the audio kernel's file is damaged");
  return bytes;
}
