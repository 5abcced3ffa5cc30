"""KV caches of earlier sequences, so that what prompts have in common is run once.

Two kinds are kept. A cache that can be cropped exactly is kept whole when its answer is done. Layers that see a window
only, or a short convolution, cannot be taken back; for these a copy is made while a prompt runs, where it stops being
like an earlier one.
"""

from __future__ import annotations

import copy
import threading
import time
import weakref
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEAST = 16
"""Tokens that are worth it."""

_IDLE = 300.0

_RECENT = 32
"""Earlier prompts that are remembered, to see what they have in common."""


class Prefixes:
    """Caches by the tokens they hold; the least recently used go when there are too many. Safe for threads."""

    def __init__(self, limit: int, idle: float = _IDLE) -> None:
        """Begins without any.

        Args:
            limit: bytes that all caches may take; 0 keeps none.
            idle: seconds without use after which all are freed.
        """
        self._limit = limit
        self._idle = idle
        self._used = time.monotonic()
        self._watch: threading.Timer | None = None
        self._lock = threading.Lock()
        self._caches: OrderedDict[tuple[int, ...], tuple[Any, int]] = OrderedDict()  # with their bytes
        self._recent: deque[tuple[int, ...]] = deque(maxlen=_RECENT)

    def longest(self, tokens: Sequence[int]) -> tuple[Any, int] | None:
        """A cache of one's own that holds the first tokens of a sequence, as many as are known, and their number."""
        wanted = tuple(tokens)
        with self._lock:
            self._used = time.monotonic()
            counts = {known: self._usable(known, wanted) for known in self._caches}
            best = max(counts, key=counts.__getitem__, default=())
            count = counts.get(best, 0)
            if count < _LEAST:
                return None
            self._caches.move_to_end(best)
            cache = self._caches[best][0]
        return _prefix(cache, count, len(best)), count

    def _usable(self, known: tuple[int, ...], tokens: tuple[int, ...]) -> int:
        """How many tokens of a sequence the cache of another can be taken back to."""
        common = common_prefix(known, tokens)
        return common if common == len(known) or _is_plain(self._caches[known][0]) else 0

    def shared(self, tokens: Sequence[int]) -> int:
        """How many of the first tokens of a prompt an earlier one has too; it is remembered from now on."""
        prompt = tuple(tokens)
        with self._lock:
            found = max((common_prefix(known, prompt) for known in self._recent), default=0)
            self._recent.append(prompt)
        return found if found >= _LEAST else 0

    def add(self, tokens: Sequence[int], cache: Any) -> None:
        """Keeps a cache, which nobody may change any more, and what is not longer than it and holds the same."""
        size = _bytes(cache)
        if size > self._limit or len(tokens) < _LEAST:
            return
        added = tuple(tokens)
        with self._lock:
            for known in [known for known in self._caches if _is_plain(cache) and added[: len(known)] == known]:
                del self._caches[known]
            self._used = time.monotonic()
            self._caches[added] = cache, size
            self._watch = self._watch or _watch(self, self._idle)
            while sum(size for _, size in self._caches.values()) > self._limit:
                self._caches.popitem(last=False)

    def clear(self) -> None:
        """Frees all of them."""
        with self._lock:
            self._caches.clear()
            self._recent.clear()
            if self._watch is not None:
                self._watch.cancel()
                self._watch = None

    def _free_if_idle(self) -> None:
        """Frees all that have not been used for long, or looks again when they may be."""
        left = self._used + self._idle - time.monotonic()
        if left <= 0:
            self.clear()
            return
        with self._lock:
            if self._watch is not None:
                self._watch = _watch(self, left)


def _watch(prefixes: Prefixes, seconds: float) -> threading.Timer:
    """Looks after some seconds whether caches are still in use, if they exist then."""
    known = weakref.ref(prefixes)

    def look() -> None:
        found = known()
        if found is not None:
            found._free_if_idle()

    timer = threading.Timer(seconds, look)
    timer.daemon = True
    timer.start()
    return timer


def common_prefix(one: Sequence[int], other: Sequence[int]) -> int:
    """How many first tokens two sequences of one type have in common."""
    same, most = 0, min(len(one), len(other))
    while same < most:  # by halves: slices are compared many times faster than tokens
        middle = (same + most + 1) // 2
        if one[same:middle] == other[same:middle]:
            same = middle
        else:
            most = middle - 1
    return same


def _layers(cache: Any) -> list[Any]:
    return list(cache.layers)


def _is_plain(cache: Any) -> bool:
    """Whether all layers keep all they have seen."""
    return not any(hasattr(layer, "activate_past_recording") for layer in _layers(cache))


def _prefix(cache: Any, count: int, length: int) -> Any:
    """A copy of the first tokens of a cache that holds `length`."""
    if count == length or not _is_plain(cache):
        return copy.deepcopy(cache)
    found = copy.copy(cache)
    found.layers = []
    for layer in _layers(cache):
        part = copy.copy(layer)
        part.keys = layer.keys[..., :count, :].clone()  # (1, heads, T, D)
        part.values = layer.values[..., :count, :].clone()
        found.layers.append(part)
    return found


def _bytes(cache: Any) -> int:
    """Bytes of the tensors of a cache."""
    tensors = [value for layer in _layers(cache) for value in vars(layer).values() if hasattr(value, "element_size")]
    return sum(tensor.element_size() * tensor.nelement() for tensor in tensors)
