"""Allowed mass: which share of a model's probability lies on the tokens that a validator allows.

Memory is what this module is about. With 200,000 tokens a table (positions × tokens) of what is allowed would be as
large as the logits; here each position keeps the smaller of its allowed and its forbidden tokens, and only their
logits are gathered.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_HALF = math.log(0.5)


class TokenSet(NamedTuple):
    """The tokens that may come next at one position.

    Attributes:
        ids: (n,) ids of the allowed tokens, or of the forbidden ones, whichever are fewer.
        forbids: they are the forbidden ones.
    """

    ids: NDArray[np.int64]
    forbids: bool

    @classmethod
    def of_ids(cls, ids: NDArray[np.int64], width: int) -> TokenSet:
        """The set of some allowed tokens.

        Args:
            ids: (n,) ids, each once; n ≥ 1.
            width: V, the number of logits.
        """
        if 2 * len(ids) <= width:
            return cls(ids, forbids=False)
        others = np.ones(width, dtype=bool)
        others[ids] = False
        return cls(np.flatnonzero(others), forbids=True)

    @classmethod
    def of_bitmap(cls, words: NDArray[np.int32], width: int) -> TokenSet:
        """The set of a mask of llguidance, with a bit for each token; bit 0 of the first word is token 0.

        Args:
            words: (⌈V / 32⌉ or more,) little-endian int32.
            width: V, the number of logits.
        """
        bits = np.unpackbits(words.astype("<i4", copy=False).view(np.uint8), bitorder="little")[:width]
        return cls.of_ids(np.flatnonzero(bits), width)


def log_masses(logits: torch.Tensor, everything: torch.Tensor, sets: Sequence[TokenSet]) -> torch.Tensor:
    """Gives log Z = logsumexp(allowed) - logsumexp(all) of each position; differentiable.

    Args:
        logits: (P, V), float32.
        everything: (P,) logsumexp of all of them.
        sets: P of them, none of which allows nothing.

    Returns:
        (P,), ≤ 0.
    """
    device = logits.device
    sizes = torch.tensor([len(one.ids) for one in sets], device=device)
    ids = torch.from_numpy(np.concatenate([one.ids for one in sets])).to(device)  # (n,)
    rows = torch.arange(len(sets), device=device).repeat_interleave(sizes)  # (n,)
    forbids = torch.tensor([one.forbids for one in sets], device=device)
    share = _by_row(logits[rows, ids], rows, len(sets)) - everything  # of the kept tokens, as a log
    found = torch.where(forbids, _log_rest(share.clamp(max=_HALF)), share)
    # Where most is forbidden, one minus it would be all rounding: there the allowed logits are summed themselves.
    doubtful = torch.nonzero(forbids & (share > _HALF)).flatten()
    if len(doubtful):
        here = torch.isin(rows, doubtful)
        place = torch.searchsorted(doubtful, rows[here])
        left = logits[doubtful].index_put((place, ids[here]), logits.new_tensor(-math.inf))
        found = found.index_put((doubtful,), left.logsumexp(-1) - everything[doubtful])
    return found.clamp(max=0.0)


def _by_row(values: torch.Tensor, rows: torch.Tensor, count: int) -> torch.Tensor:
    """The logsumexp of the values of each row; -inf of none."""
    highest = values.new_full((count,), -math.inf).scatter_reduce(0, rows, values.detach(), "amax")
    sums = values.new_zeros(count).index_add(0, rows, (values - highest[rows]).exp())
    return highest + sums.log()


def _log_rest(share: torch.Tensor) -> torch.Tensor:
    """Gives log(1 - exp(share))."""
    return torch.log1p(-share.exp())
