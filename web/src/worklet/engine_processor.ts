// The world's sound in one node: every source is played, the compiled kernel makes two ears of them.
import type { EngineMessage, EngineOptions, Law, Voice } from "../sound/messages";
import { Head } from "./head";
import { Kernel } from "./kernel";
import { Player } from "./player";

/** Frames of a render quantum where the browser does not say. */
const QUANTUM = 128;

interface Playing {
  readonly voice: Voice;
  /** First of its rows in the kernel's input. */
  readonly row: number;
  readonly player: Player;
  /** Whether the kernel has it. */
  placed: boolean;
}

export class EngineProcessor extends AudioWorkletProcessor {
  private readonly kernel: Kernel;
  private readonly head: Head;
  private readonly playing: (Playing | null)[];
  private readonly law: Law;

  constructor({ processorOptions }: { processorOptions: EngineOptions }) {
    super();
    const { kernel, decoder, law, voices, gains, pose } = processorOptions;
    const block = globalThis.renderQuantumSize ?? QUANTUM;
    this.law = law;
    let rows = 0;
    this.playing = voices.map((voice, index) => {
      if (!voice) return null;
      const row = rows;
      rows += voice.samples.length;
      const player = new Player(voice.samples, voice.pauseFrames, gains[index] ?? 0, block);
      return { voice, row, player, placed: false };
    });
    this.kernel = new Kernel(kernel, decoder, law, rows, block, sampleRate);
    this.head = new Head(pose, block / sampleRate);
    this.turn();
    this.placeAudible();
    this.port.onmessage = (event: MessageEvent<EngineMessage>): void => this.receive(event.data);
  }

  private receive(message: EngineMessage): void {
    if (message.kind === "pose") {
      this.head.follow(message.pose, currentTime);
    } else {
      this.playing.forEach((one, index) => one?.player.setGain(message.gains[index] ?? 0));
      this.placeAudible();
    }
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const ears = outputs[0];
    const left = ears?.[0];
    const right = ears?.[1];
    const { kernel, playing } = this;
    if (!left || !right || left.length !== kernel.block) return true;
    if (this.head.step()) this.turn();
    for (let i = 0; i < playing.length; i++) {
      const one = playing[i];
      if (!one) continue;
      if (one.placed && one.player.silent) this.drop(one);
      one.player.play(kernel.inputs, one.row * kernel.block);
    }
    kernel.process();
    left.set(kernel.left);
    right.set(kernel.right);
    return true;
  }

  private turn(): void {
    const { now } = this.head;
    this.kernel.listener(now[0]!, now[1]!, now[2]!, now[3]!, now[4]!);
    for (let i = 0; i < this.playing.length; i++) {
      const one = this.playing[i];
      if (one?.placed && one.voice.weights.length === 0) this.surround(one.row);
    }
  }

  /** Sources that are to be heard and that the kernel does not have. */
  private placeAudible(): void {
    for (const one of this.playing) {
      if (!one || one.placed || one.player.silent) continue;
      one.placed = true;
      this.place(one);
    }
  }

  private place({ row, voice }: Playing): void {
    const { points, weights, labels, directivity } = voice;
    if (weights.length === 0) this.surround(row);
    else if (weights.length === 1) this.kernel.place(row, points[0]!, points[1]!, points[2]!, weights[0]!);
    else this.kernel.surface(row, points, weights, labels);
    if (directivity) this.kernel.direct(row, directivity.facing, directivity.pattern, directivity.sharpness);
  }

  /** Ambience: W alone at gain 1. A point in the middle of the head has no direction, and σ(ε) there is taken out. */
  private surround(row: number): void {
    const { now } = this.head;
    const { nearM, alphaPerM } = this.law;
    this.kernel.place(row, now[0]!, now[1]!, now[2]!, nearM * Math.exp(alphaPerM * (nearM - 1)));
  }

  private drop(one: Playing): void {
    one.placed = false;
    this.kernel.remove(one.row);
  }
}
