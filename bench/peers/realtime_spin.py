"""How quiet the core is: a loop that always does the same, timed like a block of audio."""

import numpy as np
from realtime_serve import About, Heard, Step, serve

ROUNDS = 600


class Spin:
    def about(self) -> About:
        return About("a loop", tuple(range(1, 8)), ("moving", "all_on", "static", "single", "turned", "many"), "")

    def prepare(self, scene: str, order: int) -> Step:
        def step(i: int) -> None:
            for _ in range(ROUNDS):
                pass

        return step

    def impulse(self, order: int) -> Heard:
        return Heard(np.zeros((2, 1)), np.zeros((2, 1)), True)


if __name__ == "__main__":
    serve(Spin())
