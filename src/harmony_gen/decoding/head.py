"""The output head apart from the body of a model, so that only the logits that are asked for are computed.

A model of the usual kind ends in one matrix of V rows. Where a grammar allows few tokens, only their rows are
multiplied; with 200,000 tokens that is most of a small model's work. Whether a model is of that kind is found out by
running both ways once and comparing.
"""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

_FEW = 8
"""Rows are taken one by one where they are at most this part of all: picking a row costs more than passing over it."""

_COPIED = 4 * 2**20
"""Bytes of rows that are picked before they are multiplied: they stay in the processor's cache, and need no memory."""

_PROBE = (3, 11, 5, 2)
_ROWS_AT_ONCE = 16


class Logits(Protocol):
    """What a model thinks of the token that comes next."""

    def of(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n,) logits of some tokens."""
        ...

    def known(self) -> NDArray[np.float32] | None:
        """(V,) all logits, if they have been computed."""
        ...

    def later(self) -> State | None:
        """What all logits can be computed from; None if they are known."""
        ...


class Known:
    """Logits that are all computed."""

    def __init__(self, values: NDArray[np.float32]) -> None:
        self._values = values  # (V,)

    def of(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `Logits`."""
        return self._values[ids]

    def known(self) -> NDArray[np.float32] | None:
        """See `Logits`."""
        return self._values

    def later(self) -> State | None:
        """See `Logits`."""
        return None


class Head:
    """A matrix of V rows of D numbers, and what is done to the products."""

    def __init__(self, weight: Any, bias: Any, shape: Callable[[Any], Any]) -> None:
        """Wraps the parameters of a model; they are not copied.

        Args:
            weight: (V, D) tensor.
            bias: (V,) tensor, or None.
            shape: scales or caps logits, elementwise.
        """
        self._weight = weight
        self._bias = bias
        self._shape = shape
        self.width = int(weight.shape[0])
        self._rows_copied = max(1, _COPIED // (weight.shape[1] * weight.element_size()))

    def agree(self, found: NDArray[np.float32], wanted: NDArray[np.float32]) -> bool:
        """Whether two ways to the same logits differ by no more than the precision of the weights explains."""
        import torch

        precise = self._weight.dtype in (torch.float32, torch.float64)
        return bool(np.abs(found - wanted).max() <= np.abs(wanted).max() * (1e-5 if precise else 1e-2))

    def takes_rows(self, count: int) -> bool:
        """Whether so few logits are best computed one by one."""
        return count * _FEW <= self.width

    def logits(self, states: Any) -> Any:
        """(T, V) logits of (T, D) states, as a tensor."""
        import torch

        return self._shape(torch.nn.functional.linear(states, self._weight, self._bias))

    def all(self, states: Any) -> NDArray[np.float32]:
        """(T, V) logits of (T, D) states."""
        import torch

        with torch.inference_mode():
            values: NDArray[np.float32] = self.logits(states).float().cpu().numpy()
        return values

    def some(self, state: Any, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n,) logits of one (D,) state."""
        import torch

        with torch.inference_mode():
            rows = torch.from_numpy(np.array(ids)).to(self._weight.device)
            if len(ids) <= self._rows_copied:
                logits = torch.mv(self._weight.index_select(0, rows), state)
            else:
                parts = torch.split(rows, self._rows_copied)
                logits = torch.cat([torch.mv(self._weight.index_select(0, part), state) for part in parts])
            logits = logits if self._bias is None else logits + self._bias[rows]
            values: NDArray[np.float32] = self._shape(logits).float().cpu().numpy()
        return values


class State(NamedTuple):
    """What the body made of a text: all logits can be computed from it.

    Attributes:
        head: the output head.
        row: (D,) tensor.
    """

    head: Head
    row: Any


def all_logits(states: Iterable[State]) -> list[NDArray[np.float32]]:
    """(V,) logits of each state, all of one head: many at once cost little more than one."""
    import torch

    found: list[NDArray[np.float32]] = []
    waiting = list(states)
    for start in range(0, len(waiting), _ROWS_AT_ONCE):
        group = waiting[start : start + _ROWS_AT_ONCE]
        found.extend(group[0].head.all(torch.stack([state.row for state in group])))
    return found


class Chunk:
    """The states after each of the last tokens of a forward pass."""

    def __init__(self, head: Head, states: Any) -> None:
        """Takes (T, D) states."""
        self._head = head
        self._states = states
        self._all: list[NDArray[np.float32] | None] = [None] * len(states)

    def __len__(self) -> int:
        return len(self._all)

    @property
    def width(self) -> int:
        """V, the number of logits."""
        return self._head.width

    @staticmethod
    def fill(chunks: Sequence[Chunk]) -> None:
        """Computes all logits after the first of the tokens of each chunk, together."""
        found = all_logits(chunk.state(0) for chunk in chunks)
        for chunk, row in zip(chunks, found, strict=True):
            chunk._all[0] = row

    def at(self, place: int) -> Logits:
        """The logits after one of the tokens; -1 is the last."""
        return _InChunk(self, place % len(self))

    def some(self, place: int, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n,) logits of some tokens at a place."""
        found = self._all[place]
        if found is None and self._head.takes_rows(len(ids)):
            return self._head.some(self._states[place], ids)
        if found is None:  # those behind are wanted if the drafts are right, and come nearly for nothing
            missing = [index for index in range(place, len(self)) if self._all[index] is None]
            for index, row in zip(missing, self._head.all(self._states[missing]), strict=True):
                self._all[index] = row
            found = self._all[place]
        assert found is not None  # noqa: S101 - computed above
        return found[ids]

    def known(self, place: int) -> NDArray[np.float32] | None:
        """(V,) all logits at a place, if they have been computed."""
        return self._all[place]

    def state(self, place: int) -> State:
        """What all logits at a place can be computed from."""
        return State(self._head, self._states[place])


class _InChunk:
    """The logits at one place of a chunk."""

    def __init__(self, chunk: Chunk, place: int) -> None:
        self._chunk = chunk
        self._place = place

    def of(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `Logits`."""
        return self._chunk.some(self._place, ids)

    def known(self) -> NDArray[np.float32] | None:
        """See `Logits`."""
        return self._chunk.known(self._place)

    def later(self) -> State | None:
        """See `Logits`."""
        return self._chunk.state(self._place) if self.known() is None else None


class Split(NamedTuple):
    """A model in two parts.

    Attributes:
        body: called as the model is; gives `last_hidden_state`.
        head: the rest.
    """

    body: Any
    head: Head


_splits: weakref.WeakKeyDictionary[Any, Split | None] = weakref.WeakKeyDictionary()
_splitting = threading.Lock()


def split(model: Any) -> Split | None:
    """A model in two parts, or None where the two do not give its logits. Found out once for each model.

    Whoever hooks into calls of the whole model gets them.
    """
    if model._forward_hooks or model._forward_pre_hooks:
        return None
    with _splitting:
        if model not in _splits:
            _splits[model] = _split(model)
        return _splits[model]


def _split(model: Any) -> Split | None:
    import torch
    from transformers import PreTrainedModel

    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    if not isinstance(base, PreTrainedModel):
        return None
    body, layer = base.base_model, base.get_output_embeddings()
    if body is base or type(layer) is not torch.nn.Linear or not layer.weight.is_floating_point():
        return None
    if getattr(layer, "_hf_hook", None) is not None:  # the weights are elsewhere until they are needed
        return None
    head = Head(layer.weight, layer.bias, _shape_of(model.config.get_text_config(decoder=True)))
    ids = torch.tensor([[token % head.width for token in _PROBE]], device=model.get_input_embeddings().weight.device)
    try:
        with torch.inference_mode():
            wanted = model(input_ids=ids, use_cache=False).logits[0].float().cpu().numpy()
            states = body(input_ids=ids, use_cache=False).last_hidden_state[0]
        found = head.all(states)
    except (RuntimeError, ValueError, TypeError, AttributeError, IndexError):
        return None
    return Split(body, head) if head.agree(found, wanted) else None


def _shape_of(config: Any) -> Callable[[Any], Any]:
    """What a model does to its logits by its configuration."""
    cap = getattr(config, "final_logit_softcapping", None)
    scale = (getattr(config, "logit_scale", None) or 1.0) / (getattr(config, "logits_scaling", None) or 1.0)

    def shape(logits: Any) -> Any:
        scaled = logits if scale == 1 else logits * scale
        return scaled if cap is None else (scaled / cap).tanh() * cap

    return shape
