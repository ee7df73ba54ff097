// The world's sound in one node: every source is played, the compiled kernel makes two ears of them.
import type { EngineMessage, EngineOptions } from "../sound/messages";
import { Head } from "./head";
import { Kernel } from "./kernel";
import { Placed } from "./placed";
import { Player } from "./player";

/** Frames of a render quantum where the browser does not say. */
const QUANTUM = 128;

interface Playing {
  readonly player: Player;
  readonly placed: Placed;
}

export class EngineProcessor extends AudioWorkletProcessor {
  private readonly kernel: Kernel;
  private readonly head: Head;
  private readonly playing: readonly (Playing | null)[];
  private readonly blockS: number;
  /** Whether any source ever goes anywhere. */
  private readonly moves: boolean;

  constructor({ processorOptions }: { processorOptions: EngineOptions }) {
    super();
    const { kernel, decoder, law, voices, gains, pose } = processorOptions;
    const block = globalThis.renderQuantumSize ?? QUANTUM;
    const rows = voices.reduce((sum, voice) => sum + (voice?.samples.length ?? 0), 0);
    this.blockS = block / sampleRate;
    this.moves = voices.some((voice) => voice?.path);
    this.kernel = new Kernel(kernel, decoder, law, rows, block, sampleRate);
    this.head = new Head(pose, this.blockS);
    let row = 0;
    this.playing = voices.map((voice, index) => {
      if (!voice) return null;
      const placed = new Placed(this.kernel, law, voice, row);
      row += voice.samples.length;
      return { placed, player: new Player(voice.samples, voice.pauseFrames, gains[index] ?? 0, block) };
    });
    this.listen();
    this.bringIn();
    this.port.onmessage = (event: MessageEvent<EngineMessage>): void => this.receive(event.data);
  }

  private receive(message: EngineMessage): void {
    if (message.kind === "pose") {
      this.head.follow(message.pose, currentTime);
    } else {
      this.playing.forEach((one, index) => one?.player.setGain(message.gains[index] ?? 0));
      this.bringIn();
    }
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const left = outputs[0]?.[0];
    const right = outputs[0]?.[1];
    const { kernel, playing } = this;
    if (!left || !right || left.length !== kernel.block) return true;
    const headMoved = this.head.step();
    if (headMoved) this.listen();
    const endS = this.moves ? currentTime + this.blockS : 0;
    for (let i = 0; i < playing.length; i++) {
      const one = playing[i];
      if (!one) continue;
      if (one.placed.here) {
        if (one.player.silent) one.placed.remove();
        else one.placed.advance(this.head.now, headMoved, endS);
      }
      one.player.play(kernel.inputs, one.placed.row * kernel.block);
    }
    kernel.process();
    left.set(kernel.left);
    right.set(kernel.right);
    return true;
  }

  private listen(): void {
    const { now } = this.head;
    this.kernel.listener(now[0]!, now[1]!, now[2]!, now[3]!, now[4]!);
  }

  /** Sources that are to be heard and that the kernel does not have. */
  private bringIn(): void {
    for (const one of this.playing) {
      if (one && !one.placed.here && !one.player.silent) one.placed.place(this.head.now, currentTime + this.blockS);
    }
  }
}
