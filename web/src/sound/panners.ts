// The simple way, where the full one cannot run: one PannerNode a source. Point sources only, the browser's own head,
// louder within 1 m not modelled; the page says so.
import { rubFromFlu, worldFromHead, type Pose, type Vec3 } from "../geometry";
import type { World } from "../world";
import { PAUSE_S } from "./binaural";
import { loadClip, openOutput, type Clips, type Ears } from "./ears";
import { inTurn, soundsFor, type Heard } from "./recast";

export async function openPanners(
  context: AudioContext,
  world: World,
  loaded: Promise<Clips>,
  lacking: string,
): Promise<Ears> {
  const clips = await loaded;
  let heard: readonly Heard[] = world.sources.map((source, index) => ({ source, sound: clips[index] ?? null }));
  const limiter = new DynamicsCompressorNode(context, { threshold: -6, knee: 0, ratio: 20, attack: 0.002, release: 0.15 });
  const output = openOutput(context, world, limiter);
  const oneByOne = inTurn();
  const begin = ({ source, sound }: Heard): Sounding => {
    const level = new GainNode(context, { gain: 0 });
    const player = sound && start(context, sound, source.clip?.loops ? 0 : PAUSE_S, level);
    const place = source.centre && panner(context, source.centre);
    (place ? level.connect(place) : level).connect(output.input);
    return { player, level, place };
  };
  let voices = heard.map(begin);
  const setGains = (gains: readonly number[]): void =>
    voices.forEach(({ level }, index) => level.gain.setTargetAtTime(gains[index] ?? 0, context.currentTime, 0.012));
  return {
    kind: "panner",
    simplified: `This browser has ${lacking}: sound is simplified.`,
    context,
    setVolume: output.setVolume,
    levels: output.levels,
    playing: null,
    watch: () => undefined,
    wear: async () => undefined,
    setPose: (pose) => placeListener(context.listener, pose),
    setPlaces: (places) =>
      voices.forEach(({ place }, index) => {
        const now = places.of(index);
        if (place && now) [place.positionX.value, place.positionY.value, place.positionZ.value] = rubFromFlu(now);
      }),
    setGains,
    recast: (next, gains) =>
      oneByOne(async () => {
        heard = await soundsFor(heard, next.sources, (source) => loadClip(context, source));
        for (const { player, level, place } of voices) {
          player?.stop();
          (place ?? level).disconnect();
        }
        voices = heard.map(begin);
        setGains(gains());
        output.setScreenGain(next);
      }),
  };
}

interface Sounding {
  readonly player: AudioBufferSourceNode | null;
  readonly level: GainNode;
  readonly place: PannerNode | null;
}

function start(context: AudioContext, clip: AudioBuffer, pauseS: number, to: AudioNode): AudioBufferSourceNode {
  const frames = clip.length + Math.round(pauseS * clip.sampleRate);
  const buffer = new AudioBuffer({ length: frames, sampleRate: clip.sampleRate });
  buffer.copyToChannel(clip.getChannelData(0), 0);
  const source = new AudioBufferSourceNode(context, { buffer, loop: true });
  source.connect(to);
  source.start();
  return source;
}

function panner(context: AudioContext, place: Vec3): PannerNode {
  const [positionX, positionY, positionZ] = rubFromFlu(place);
  return new PannerNode(context, {
    panningModel: "HRTF",
    distanceModel: "inverse",
    refDistance: 1,
    rolloffFactor: 1,
    positionX,
    positionY,
    positionZ,
  });
}

function placeListener(listener: AudioListener, pose: Pose): void {
  const [x, y, z] = rubFromFlu(pose.position);
  const R = worldFromHead(pose.yaw, pose.pitch, pose.roll);
  const ahead = rubFromFlu([R[0], R[3], R[6]]);
  const up = rubFromFlu([R[2], R[5], R[8]]);
  if ("positionX" in listener) {
    [listener.positionX.value, listener.positionY.value, listener.positionZ.value] = [x, y, z];
    [listener.forwardX.value, listener.forwardY.value, listener.forwardZ.value] = ahead;
    [listener.upX.value, listener.upY.value, listener.upZ.value] = up;
  } else {
    // Firefox has only the older calls
    const old = listener as AudioListener;
    old.setPosition(x, y, z);
    old.setOrientation(...ahead, ...up);
  }
}
