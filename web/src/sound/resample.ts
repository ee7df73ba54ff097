// Impulse responses at another rate. Letters: x response at rate f, y at rate F, c = min(1, F/f) band kept,
// h(u) = c·sinc(cu)·w(u) with a Hann window w over ±HALF/c samples; y[m] = f/F Σ_k x[k] h(m·f/F − k).

const HALF = 32;

/** Rows of one length; scaled so that convolution keeps its gain. */
export function rowsAtRate(data: Float32Array, rows: number, fromHz: number, toHz: number): Float32Array {
  if (fromHz === toHz) return data;
  const taps = data.length / rows;
  const length = Math.ceil((taps * toHz) / fromHz);
  const out = new Float32Array(rows * length);
  for (let row = 0; row < rows; row++) {
    const x = data.subarray(row * taps, (row + 1) * taps);
    for (let m = 0; m < length; m++) out[row * length + m] = at(x, m, fromHz / toHz);
  }
  return out;
}

function at(x: Float32Array, m: number, ratio: number): number {
  const c = Math.min(1, 1 / ratio);
  const reach = HALF / c;
  const centre = m * ratio;
  let sum = 0;
  for (let k = Math.max(0, Math.ceil(centre - reach)); k <= Math.min(x.length - 1, centre + reach); k++) {
    const u = centre - k;
    const turn = Math.PI * c * u;
    const sinc = turn === 0 ? 1 : Math.sin(turn) / turn;
    sum += x[k]! * c * sinc * (0.5 + 0.5 * Math.cos((Math.PI * u) / reach));
  }
  return ratio * sum;
}
