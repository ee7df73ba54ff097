"""One picture and one table of all voices, for docs/sounds.md.

python bench/sounds_sheet.py [--out docs/sounds.png] [--seed 1] [--seconds 6] [VOICE ...]
python bench/sounds_sheet.py --table      # the table in docs/sounds.md, from six seeds of each

Each field: 6 s from left to right; 50 Hz to 16 kHz from below, an octave everywhere as high; 70 dB from black to white.
"""

import argparse
import io
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from scipy import signal

from sonoworld.sound import synthesise
from sonoworld.sound.reverberation import estimated
from sonoworld.sound.vocabulary import PHRASES
from sonoworld.sound.voices.catalogue import VOICES
from sonoworld.understand.levels import named_level_db

sys.path.append(str(Path(__file__).parent / "reference"))
from ranges import middle, recordings_of
from texture import statistics

PAGE = Path(__file__).parent.parent / "docs" / "sounds.md"
BEGIN, END = "<!-- made by bench/sounds_sheet.py --table -->\n", "<!-- end -->"
COLUMNS = 10
ROWS = 96
COLUMN_PX = 168


def picture(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    """Level in dB [octave rows, columns], relative to the loudest point."""
    size = 4096
    hop = samples.size // COLUMN_PX
    around = np.concatenate([samples[-size // 2 :], samples, samples[: size // 2]])  # it is a loop
    f, _, z = signal.stft(around, rate_hz, nperseg=size, noverlap=size - hop, boundary=None, padded=False)
    power = np.abs(z[:, :COLUMN_PX]) ** 2
    edges = np.geomspace(50, 16_000, ROWS + 1)
    total = np.concatenate([np.zeros((1, power.shape[1])), np.cumsum(power, axis=0)])
    place = np.interp(edges, f, np.arange(f.size))
    low = place.astype(int)
    part = (place - low)[:, None]
    upto = total[low] * (1 - part) + total[np.minimum(low + 1, f.size)] * part
    level = 10 * np.log10(np.maximum(np.diff(upto, axis=0) / np.diff(edges)[:, None], 1e-30))
    return level - level.max()


def row(name: str) -> str:
    """A line of the table: words, level, and medians over six seeds."""
    made = [synthesise(name, seconds=6, rng=np.random.default_rng(seed)).samples.astype(float) for seed in range(6)]
    mid = middle([statistics(x, loops=True) for x in made])
    rooms = [found.t60_s for x in made if (found := estimated(x, 48_000))]
    levels = [level for phrase in (name, *PHRASES[name]) if (level := named_level_db(phrase)) is not None]
    words = ", ".join([word for word in PHRASES[name] if word != name][:6])
    cells = (
        name, words, f"{levels[0]:.0f}" if levels else "", f"{2 ** mid['centroid_oct']:.0f}",
        f"{np.exp(mid['env_cv']):.2f}", f"{mid['onsets']:.1f}", f"{np.median(rooms):.2f}" if len(rooms) > 2 else "",
        str(recordings_of(name) or ""),
    )  # fmt: skip
    return "| " + " | ".join(cells) + " |\n"


def table() -> None:
    """Write the table anew into the page, between its marks."""
    titles = "class, words (some), dB SPL at 1 m, centroid Hz, spread, onsets/s, dies away in s, held against"
    head = f"| {titles.replace(', ', ' | ')} |\n"
    before, rest = PAGE.read_text().split(BEGIN)
    after = rest.split(END)[1]
    rows = "".join(row(name) for name in sorted(VOICES))
    PAGE.write_text(f"{before}{BEGIN}{head}|---|---|--:|--:|--:|--:|--:|--:|\n{rows}{END}{after}")
    print(f"{PAGE}: {len(VOICES)} rows")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("voices", nargs="*", default=sorted(VOICES))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "docs" / "sounds.png")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--table", action="store_true", help="write the table of the page instead of the picture")
    asked = parser.parse_args()
    if asked.table:
        table()
        return
    rows = -(-len(asked.voices) // COLUMNS)
    figure, fields = plt.subplots(rows, COLUMNS, figsize=(1.75 * COLUMNS, 1.2 * rows), dpi=100, squeeze=False)
    for field, name in zip(fields.flat, asked.voices, strict=False):
        clip = synthesise(name, seconds=asked.seconds, rng=np.random.default_rng(asked.seed))
        level = picture(clip.samples.astype(np.float64), clip.rate_hz)
        field.imshow(level, origin="lower", aspect="auto", cmap="magma", vmin=-70, vmax=0, interpolation="nearest")
        field.set_title(name, fontsize=9, pad=2)
    for field in fields.flat:
        field.set_axis_off()
    figure.subplots_adjust(0.004, 0.004, 0.996, 0.975, 0.04, 0.2)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    Image.open(drawn).convert("RGB").quantize(40, dither=Image.Dither.NONE).save(asked.out, optimize=True)
    print(f"{asked.out}: {len(asked.voices)} voices, {asked.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
