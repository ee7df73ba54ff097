// Is left left? A soft noise in one ear, then in the other, before the world begins.

const BURST_S = 0.5;
const GAP_S = 0.25;
const FADE_S = 0.04;
/** RMS about −30 dBFS: as loud as a soft voice. */
const AMPLITUDE = 0.055;

export type Side = "left" | "right";

/** Plays both sides and says which one sounds now; resolves when it is over. The world is silent meanwhile. */
export async function checkSides(world: AudioContext, now: (side: Side | null) => void): Promise<void> {
  const sounded = world.state === "running";
  await world.suspend();
  const context = new AudioContext();
  for (const side of ["left", "right"] as const) {
    now(side);
    await burst(context, side);
  }
  now(null);
  await context.close();
  if (sounded) await world.resume();
}

function burst(context: AudioContext, side: Side): Promise<void> {
  const frames = Math.round(BURST_S * context.sampleRate);
  const buffer = new AudioBuffer({ length: frames, numberOfChannels: 2, sampleRate: context.sampleRate });
  const samples = buffer.getChannelData(side === "left" ? 0 : 1);
  const fade = Math.round(FADE_S * context.sampleRate);
  for (let i = 0; i < frames; i++) {
    samples[i] = AMPLITUDE * (2 * Math.random() - 1) * Math.min(1, i / fade, (frames - 1 - i) / fade);
  }
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(context.destination);
  source.start();
  return new Promise((done) => {
    source.onended = () => setTimeout(done, 1000 * GAP_S);
  });
}
