"""Strengths of methods from choices between two of them, by Bradley and Terry.

Letters: W_ij how often i was chosen over j, n_ij = W_ij + W_ji; γ strengths, P(i over j) = γ_i / (γ_i + γ_j);
β = ln γ with mean 0. Half a choice each way is added to every pair that was asked, as one undecided answer would, so
that a method that was always chosen has a finite strength.
"""

import numpy as np
from jaxtyping import Bool, Float64

from sonoworld.errors import InputError, StageError

UNDECIDED = 0.5
_MOST_ROUNDS = 10_000
_STILL = 1e-10


def strengths(wins: Float64[np.ndarray, "*b m m"]) -> Float64[np.ndarray, "*b m"]:
    """β of Bradley and Terry's model, by the iteration of Hunter 2004 (eq. 3), for many tables at once.

    Args:
        wins: W, how often the row was chosen over the column; need not be whole numbers.

    Returns:
        Natural logarithms with mean 0; only differences matter.

    Raises:
        InputError: a count is negative or not finite, or methods fall into groups that were never compared.
        StageError: the iteration does not settle.
    """
    if not (np.isfinite(wins).all() and np.all(wins >= 0)):
        raise InputError("choices: expected counts, got negative or undefined ones")
    asked = wins + np.swapaxes(wins, -1, -2)
    np.einsum("...ii->...i", asked)[...] = 0
    met = asked.reshape(-1, *asked.shape[-2:]).sum(axis=0) > 0
    if not _joined(met):
        raise InputError("choices: expected all methods to be joined by comparisons, some were never compared")
    half = UNDECIDED * met
    won, asked = (wins * met + half).sum(axis=-1), asked + 2 * half
    gamma, moved = np.ones(won.shape), np.inf
    for _ in range(_MOST_ROUNDS):
        new = won / (asked / (gamma[..., :, None] + gamma[..., None, :])).sum(axis=-1)
        new /= np.exp(np.log(new).mean(axis=-1, keepdims=True))
        moved = float(np.abs(np.log(new / gamma)).max())
        gamma = new
        if moved < _STILL:
            return np.log(gamma)
    raise StageError(f"strengths: still moving by {moved:.1e} after {_MOST_ROUNDS} rounds")


def chosen_over(beta: Float64[np.ndarray, "*b m"]) -> Float64[np.ndarray, "*b m m"]:
    """P(row is chosen over column)."""
    return 1 / (1 + np.exp(beta[..., None, :] - beta[..., :, None]))


def _joined(met: Bool[np.ndarray, "m m"]) -> bool:
    reached = np.zeros(len(met), np.bool_)
    reached[:1] = True
    for _ in range(len(met)):
        reached = reached | met[reached].any(axis=0)
    return bool(reached.all())
