"""Several KV caches, each of one row, that look like one cache of a batch while a forward pass runs.

Each layer of each row keeps what is its own, so rows may be of any length, be rolled back, or leave, and no row knows
of the others. Rows are padded on the right with tokens that no cache keeps, and their keys on the left with zeros that
no mask shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


class RowsCache:
    """What a model of transformers needs of a cache, over those of several rows.

    It is made for one forward pass.
    """

    def __init__(self, rows: Sequence[Any], lengths: Sequence[int]) -> None:
        """Puts rows side by side.

        Args:
            rows: their caches, a DynamicCache of one row each.
            lengths: how many tokens of each are new; they are padded to the most of all on the right.
        """
        self._rows = rows
        self._lengths = lengths
        self._width = max(lengths)

    def __len__(self) -> int:
        return len(self._rows[0])

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """The longest row; positions and masks are always given, so it is of no account."""
        return max(int(row.get_seq_length(layer_idx)) for row in self._rows)

    def is_recording_past(self, layer_idx: int) -> bool:  # noqa: ARG002 - the name and arguments are given
        """True: so the states go through `update_conv_state`, whatever their number."""
        return True

    def get_conv_state(self, layer_idx: int, state_idx: int = 0) -> Any:
        """The state of the first row, for those who want to know whether there is one."""
        return self._rows[0].get_conv_state(layer_idx, state_idx)

    def update(self, keys: Any, values: Any, layer_idx: int, *_: Any, **__: Any) -> tuple[Any, Any]:
        """Adds (B, heads, T, D) keys and values to the rows; returns all of each, padded on the left."""
        import torch

        found = [
            row.update(keys[i : i + 1, :, :length], values[i : i + 1, :, :length], layer_idx)
            for i, (row, length) in enumerate(zip(self._rows, self._lengths, strict=True))
        ]
        longest = max(own.shape[-2] for own, _ in found)
        shape = (len(found), *keys.shape[1:2], longest, keys.shape[-1])
        everything = (
            torch.zeros(shape, dtype=keys.dtype, device=keys.device),
            values.new_zeros((*shape[:3], values.shape[-1])),
        )
        for i, pair in enumerate(found):
            for whole, own in zip(everything, pair, strict=True):
                whole[i, :, longest - own.shape[-2] :] = own[0]
        return everything

    def update_conv_state(self, states: Any, layer_idx: int, **options: Any) -> Any:
        """Adds (B, D, T) inputs of a convolution to the rows; returns all of each, padded on both sides."""
        found = [
            row.update_conv_state(states[i : i + 1, :, :length], layer_idx, **options)
            for i, (row, length) in enumerate(zip(self._rows, self._lengths, strict=True))
        ]
        ends = [own.shape[-1] + self._width - length for own, length in zip(found, self._lengths, strict=True)]
        everything = states.new_zeros((len(found), states.shape[1], max(ends)))
        for i, (own, end) in enumerate(zip(found, ends, strict=True)):
            start = max(ends) - end
            everything[i, :, start : start + own.shape[-1]] = own[0]
        return everything

    def inputs(self, kinds: Sequence[str], dtype: Any, device: Any) -> dict[str, Any]:
        """Positions and masks for the tokens that are new, to be asked for before the model runs.

        Args:
            kinds: the kinds of its layers, as `layer_types` of its configuration names them; [] for one kind.
            dtype: of its activations.
            device: its device.

        Returns:
            position_ids (B, T), and attention_mask (B, 1, T, S), one for each kind if there are several.
        """
        import torch

        past = torch.tensor([row.get_seq_length() for row in self._rows], device=device)[:, None]
        positions = past + torch.arange(self._width, device=device)  # (B, T)
        first = {kind: kinds.index(kind) for kind in kinds if "attention" in kind} or {"": self._an_attention()}
        masks = {kind: self._mask(layer, positions, dtype) for kind, layer in first.items()}
        several = len(set(kinds)) > 1
        masks |= dict.fromkeys(set(kinds) - masks.keys())
        return {"position_ids": positions, "attention_mask": masks if several else next(iter(masks.values()))}

    def _an_attention(self) -> int:
        layers = self._rows[0].layers
        return next(index for index, layer in enumerate(layers) if hasattr(layer, "get_mask_sizes"))

    def _mask(self, layer_idx: int, positions: Any, dtype: Any) -> Any:
        """(B, 1, T, S): 0 where a token is seen, the least number where it is not."""
        import torch

        pairs = list(zip(self._rows, self._lengths, strict=True))
        sizes = [row.layers[layer_idx].get_mask_sizes(length) for row, length in pairs]
        longest = max(length for length, _ in sizes)
        starts = torch.tensor([offset + length - longest for length, offset in sizes], device=positions.device)
        firsts = torch.tensor([offset for _, offset in sizes], device=positions.device)
        keys = starts[:, None] + torch.arange(longest, device=positions.device)  # (B, S) positions
        seen = (keys >= firsts[:, None])[:, None, :] & (keys[:, None, :] <= positions[:, :, None])
        window = getattr(self._rows[0].layers[layer_idx], "sliding_window", None)
        if window is not None:
            seen &= keys[:, None, :] > positions[:, :, None] - window
        mask = torch.zeros(seen.shape, dtype=dtype, device=positions.device)
        return mask.masked_fill(~seen, torch.finfo(dtype).min)[:, None]
