// The simple way, where the full one cannot run: one PannerNode a source. Point sources only, the browser's own head,
// louder within 1 m not modelled; the page says so.
import { rubFromFlu, worldFromHead, type Pose, type Vec3 } from "../geometry";
import type { World } from "../world";
import { PAUSE_S } from "./binaural";
import { openOutput, type Clips, type Ears } from "./ears";

export async function openPanners(
  context: AudioContext,
  world: World,
  loaded: Promise<Clips>,
  lacking: string,
): Promise<Ears> {
  const clips = await loaded;
  const limiter = new DynamicsCompressorNode(context, { threshold: -6, knee: 0, ratio: 20, attack: 0.002, release: 0.15 });
  const output = openOutput(context, world, limiter);
  const voices = world.sources.map((source, index) => {
    const level = new GainNode(context, { gain: 0 });
    const clip = clips[index];
    if (clip) start(context, clip, source.clip?.loops ? 0 : PAUSE_S, level);
    const place = source.centre && panner(context, source.centre);
    (place ? level.connect(place) : level).connect(output.input);
    return { level, place };
  });
  return {
    kind: "panner",
    simplified: `This browser has ${lacking}: sound is simplified.`,
    context,
    setVolume: output.setVolume,
    levels: output.levels,
    setPose: (pose) => placeListener(context.listener, pose),
    setPlaces: (places) =>
      voices.forEach(({ place }, index) => {
        const now = places.of(index);
        if (place && now) [place.positionX.value, place.positionY.value, place.positionZ.value] = rubFromFlu(now);
      }),
    setGains: (gains) =>
      voices.forEach(({ level }, index) => level.gain.setTargetAtTime(gains[index] ?? 0, context.currentTime, 0.012)),
  };
}

function start(context: AudioContext, clip: AudioBuffer, pauseS: number, to: AudioNode): void {
  const frames = clip.length + Math.round(pauseS * clip.sampleRate);
  const buffer = new AudioBuffer({ length: frames, sampleRate: clip.sampleRate });
  buffer.copyToChannel(clip.getChannelData(0), 0);
  const source = new AudioBufferSourceNode(context, { buffer, loop: true });
  source.connect(to);
  source.start();
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
  const R = worldFromHead(pose.yaw, pose.pitch);
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
