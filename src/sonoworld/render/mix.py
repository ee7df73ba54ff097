"""Who is heard and how loud, as at a mixing desk: a gain per source, mute, solo. A value; changes make new ones."""

from dataclasses import dataclass, replace

from sonoworld.errors import ShapeError

_MOST_DB = 60.0


@dataclass(frozen=True, slots=True)
class Mix:
    """Gains in dB of every source; `muted` and `solo` hold numbers of sources. With any solo, only those sound."""

    gains_db: tuple[float, ...]
    muted: frozenset[int] = frozenset()
    solo: frozenset[int] = frozenset()

    @property
    def factors(self) -> tuple[float, ...]:
        """Linear factor of every source, 0 where it is not heard."""
        return tuple(10 ** (gain / 20) if self.hears(i) else 0.0 for i, gain in enumerate(self.gains_db))

    def hears(self, i: int) -> bool:
        """Whether source `i` sounds."""
        return i in self.solo if self.solo else i not in self.muted

    def with_gain(self, i: int, gain_db: float) -> "Mix":
        """Source `i` at another gain.

        Raises:
            ShapeError: no such source, or a gain beyond ±60 dB.
        """
        if not abs(gain_db) <= _MOST_DB:
            raise ShapeError("gain", expected=f"within ±{_MOST_DB:g} dB", got=str(gain_db))
        self._require(i)
        return replace(self, gains_db=(*self.gains_db[:i], float(gain_db), *self.gains_db[i + 1 :]))

    def with_mute(self, i: int, on: bool) -> "Mix":
        """Source `i` muted, or no longer.

        Raises:
            ShapeError: no such source.
        """
        self._require(i)
        return replace(self, muted=self.muted | {i} if on else self.muted - {i})

    def with_solo(self, i: int, on: bool) -> "Mix":
        """Source `i` alone (with others that are), or no longer.

        Raises:
            ShapeError: no such source.
        """
        self._require(i)
        return replace(self, solo=self.solo | {i} if on else self.solo - {i})

    def _require(self, i: int) -> None:
        if not 0 <= i < len(self.gains_db):
            raise ShapeError("source", expected=f"0..{len(self.gains_db) - 1}", got=str(i))
