// Impulse responses at another rate. Letters: x response at rate f, y at rate F, c = min(1, F/f) band kept,
// h(u) = c·sinc(cu)·w(u) with a Hann window w over ±HALF/c samples, z and Z where time zero is in x and y;
// y[m] = f/F Σ_k x[k] h(z + (m − Z)·f/F − k).

const HALF = 32;

/** Where the sample `zero` of a row is found at the other rate. */
export function zeroAtRate(zero: number, fromHz: number, toHz: number): number {
  return Math.round((zero * toHz) / fromHz);
}

/** Rows of one length, whose time zero is at sample `zero`; scaled so that convolution keeps its gain. */
export function rowsAtRate(data: Float32Array, rows: number, zero: number, fromHz: number, toHz: number): Float32Array {
  if (fromHz === toHz) return data;
  const taps = data.length / rows;
  const ratio = fromHz / toHz;
  const shift = zero - zeroAtRate(zero, fromHz, toHz) * ratio;
  const length = Math.ceil((taps * toHz) / fromHz);
  const out = new Float32Array(rows * length);
  for (let row = 0; row < rows; row++) {
    const x = data.subarray(row * taps, (row + 1) * taps);
    for (let m = 0; m < length; m++) out[row * length + m] = at(x, shift + m * ratio, ratio);
  }
  return out;
}

function at(x: Float32Array, centre: number, ratio: number): number {
  const c = Math.min(1, 1 / ratio);
  const reach = HALF / c;
  let sum = 0;
  for (let k = Math.max(0, Math.ceil(centre - reach)); k <= Math.min(x.length - 1, centre + reach); k++) {
    const u = centre - k;
    const turn = Math.PI * c * u;
    const sinc = turn === 0 ? 1 : Math.sin(turn) / turn;
    sum += x[k]! * c * sinc * (0.5 + 0.5 * Math.cos((Math.PI * u) / reach));
  }
  return ratio * sum;
}
