// The world's sound in one node: every source is played, the compiled kernel makes two ears of them.
import type { Decoder, EngineMessage, EngineOptions, EngineReport, NewVoices, Voice } from "../sound/messages";
import { Head } from "./head";
import { Kernel } from "./kernel";
import { Placed } from "./placed";
import { Player } from "./player";
import { sendsOf } from "./sends";
import { walkTo } from "./walk";
import { Watch } from "./watch";

/** Frames of a render quantum where the browser does not say. */
const QUANTUM = 128;

export class EngineProcessor extends AudioWorkletProcessor {
  private readonly block = globalThis.renderQuantumSize ?? QUANTUM;
  private readonly blockS = this.block / sampleRate;
  private readonly options: EngineOptions;
  private readonly head: Head;
  private voices: readonly (Voice | null)[];
  private players: readonly (Player | null)[];
  private watch: Watch;
  /** Whether any source ever goes anywhere. */
  private moves: boolean;
  private decoder: Decoder;
  private kernel: Kernel;
  private placed: readonly (Placed | null)[];

  constructor({ processorOptions }: { processorOptions: EngineOptions }) {
    super();
    this.options = processorOptions;
    const { voices, gains, pose, decoder } = processorOptions;
    this.voices = voices;
    this.decoder = decoder;
    this.moves = anyMoves(voices);
    this.head = new Head(pose, this.blockS);
    this.players = voices.map((voice, index) => voice && this.player(voice, gains[index] ?? 0));
    this.watch = this.openWatch();
    [this.kernel, this.placed] = this.furnish();
    this.bringIn();
    this.port.onmessage = (event: MessageEvent<EngineMessage>): void => this.receive(event.data);
  }

  private receive(message: EngineMessage): void {
    switch (message.kind) {
      case "pose":
        this.head.follow(message.pose, currentTime);
        break;
      case "gains":
        this.setGains(message.gains);
        break;
      case "decoder":
        this.decoder = message.decoder;
        [this.kernel, this.placed] = this.furnish();
        this.bringIn();
        break;
      case "voices":
        this.recast(message);
        break;
      case "watch":
        this.watch.on = message.on;
    }
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const left = outputs[0]?.[0];
    const right = outputs[0]?.[1];
    const { kernel, players, placed, watch } = this;
    if (!left || !right || left.length !== kernel.block) return true;
    const headMoved = this.step();
    if (headMoved) kernel.listener(this.head.now);
    const endS = this.moves ? currentTime + this.blockS : 0;
    for (let i = 0; i < players.length; i++) {
      const player = players[i];
      const one = placed[i];
      if (!player || !one) continue;
      if (one.here) {
        if (player.silent) one.remove();
        else one.advance(this.head.now, headMoved, endS);
      }
      player.play(kernel.inputs, one.row * kernel.block);
      if (watch.on) watch.take(i, kernel.inputs, one.row * kernel.block);
    }
    kernel.process();
    left.set(kernel.left);
    right.set(kernel.right);
    if (watch.on) watch.step();
    return true;
  }

  /** The head one block on; whether it moved. */
  private step(): boolean {
    const { walk } = this.options;
    if (!walk) return this.head.step();
    walkTo(walk, currentTime + this.blockS, this.head.now);
    return true;
  }

  /** Other sources; those that were there before go on where they are in their sound. */
  private recast({ voices, goesOn, gains }: NewVoices): void {
    const { voices: before, players } = this;
    this.voices = voices.map((voice, index) => {
      const earlier = before[goesOn[index] ?? -1];
      return voice && !voice.samples.length && earlier ? { ...voice, samples: earlier.samples } : voice;
    });
    this.players = this.voices.map((voice, index) => {
      if (!voice) return null;
      const earlier = players[goesOn[index] ?? -1];
      const player = this.player(voice, gains[index] ?? 0);
      if (earlier) player.goOnFrom(earlier);
      return player;
    });
    this.moves = anyMoves(voices);
    const watched = this.watch.on;
    this.watch = this.openWatch();
    this.watch.on = watched;
    [this.kernel, this.placed] = this.furnish();
    this.setGains(gains);
  }

  private setGains(gains: Float32Array): void {
    this.players.forEach((player, index) => player?.setGain(gains[index] ?? 0));
    this.bringIn();
  }

  private player(voice: Voice, gain: number): Player {
    return new Player(voice.samples, voice.pauseFrames, gain, this.block);
  }

  private openWatch(): Watch {
    return new Watch(this.voices.length, this.block, (playing) => {
      const report: EngineReport = { playing };
      this.port.postMessage(report);
    });
  }

  /** A kernel for the ears that are worn, with room for all sources. */
  private furnish(): [Kernel, readonly (Placed | null)[]] {
    const { decoder, voices } = this;
    const { kernel: bytes, law, room } = this.options;
    const rows = voices.reduce((sum, voice) => sum + (voice?.samples.length ?? 0), 0);
    const around = room ? { room, sends: sendsOf(voices) } : null;
    const kernel = new Kernel(bytes, decoder, law, rows, this.block, sampleRate, around);
    let row = 0;
    const placed = voices.map((voice) => {
      if (!voice) return null;
      const one = new Placed(kernel, law, voice, row);
      row += voice.samples.length;
      return one;
    });
    kernel.listener(this.head.now);
    return [kernel, placed];
  }

  /** Sources that are to be heard and that the kernel does not have. */
  private bringIn(): void {
    this.placed.forEach((one, index) => {
      if (!one || one.here || this.players[index]?.silent) return;
      one.place(this.head.now, currentTime + this.blockS);
    });
  }
}

function anyMoves(voices: readonly (Voice | null)[]): boolean {
  return voices.some((voice) => voice?.path);
}
