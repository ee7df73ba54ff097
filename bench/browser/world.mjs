// The scene that is measured, as the worklet gets it: points around the head, and a few rivers and winds if asked for.

/** kernel, filters: ArrayBuffers; `rivers` wide surfaces of 256 points in six parts, `winds` ambiences. */
export function engineOptions({ kernel, filters, order, points, rivers, winds, walks }) {
  const noise = (seconds) => Float32Array.from({ length: 48000 * seconds }, () => Math.random() - 0.5);
  const voice = (samples, places, labels) => ({
    samples,
    pauseFrames: 0,
    points: Float64Array.from(places.flat()),
    weights: new Float64Array(places.length).fill(1 / places.length),
    labels: labels && Int32Array.from(labels),
    directivity: null,
    path: null,
  });
  const around = (i) => [3 * Math.cos(i), 3 * Math.sin(i) - 1.5, 0.3 * Math.sin(3 * i)];
  const river = (_, i) => [4 + 0.1 * i, -13 + 0.1 * i, -1.5];
  const voices = [
    ...Array.from({ length: points }, (_, i) => voice([noise(1)], [around(i)], null)),
    ...Array.from({ length: rivers }, () => {
      const shore = Array.from({ length: 256 }, river);
      return voice(Array.from({ length: 7 }, () => noise(1)), shore, shore.map((_, i) => Math.floor((i * 6) / 256)));
    }),
    ...Array.from({ length: winds }, () => voice([noise(1)], [], null)),
  ];
  return {
    kernel,
    decoder: { order, taps: 256, filters: new Float32Array(filters) },
    law: { nearM: 0.1, alphaPerM: 0, speedMS: 343.2, delay: null, air: null, near: null },
    voices,
    gains: new Float32Array(voices.length).fill(0.1),
    pose: { position: [0, 0, 0], yaw: 0, pitch: 0 },
    walk: null,
    walks,
  };
}
