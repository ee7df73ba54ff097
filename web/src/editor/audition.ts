// Listening to one sound alone, as it is stored: the world is silent meanwhile.
import { AwayError } from "./server";

const LEVEL = 0.4;

export class Audition {
  private context: AudioContext | null = null;
  private player: AudioBufferSourceNode | null = null;
  private pressed: HTMLButtonElement | null = null;
  private turn = 0;

  /** `hush` silences the world, and brings it back. */
  constructor(
    private readonly hush: (on: boolean) => void,
    private readonly failed: (words: string) => void,
  ) {}

  /** Plays what is loaded, once; the button stops it. */
  async toggle(button: HTMLButtonElement, load: () => Promise<ArrayBuffer>): Promise<void> {
    const stopping = this.pressed === button;
    this.stop();
    if (stopping) return;
    const turn = ++this.turn;
    this.press(button);
    try {
      this.context ??= new AudioContext();
      const { context } = this;
      void context.resume();
      const buffer = await context.decodeAudioData(await load());
      if (turn !== this.turn) return; // stopped, or another one was chosen meanwhile
      const gain = new GainNode(context, { gain: LEVEL });
      this.player = new AudioBufferSourceNode(context, { buffer });
      this.player.onended = () => {
        if (turn === this.turn) this.stop();
      };
      this.player.connect(gain).connect(context.destination);
      this.hush(true);
      this.player.start();
    } catch (error) {
      if (turn !== this.turn) return;
      this.stop();
      this.failed(error instanceof AwayError ? error.message : `It cannot be played: ${String(error)}`);
    }
  }

  stop(): void {
    this.turn++;
    if (this.player) {
      this.player.stop();
      this.hush(false);
    }
    this.player = null;
    this.pressed?.setAttribute("aria-pressed", "false");
    this.pressed = null;
  }

  private press(button: HTMLButtonElement): void {
    this.pressed = button;
    button.setAttribute("aria-pressed", "true");
  }
}
