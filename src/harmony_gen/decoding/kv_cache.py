"""A model and its KV cache: ask for the logits after a sequence, and only what is new is run.

The cache is transformers' DynamicCache. Layers that see only a window, or a short convolution, forget what leaves it;
so they are told to record (`activate_past_recording`), and `crop(0)` drops the record once what was run is final.
Where a cache cannot be cropped, the sequence is run again from its start.
"""

from __future__ import annotations

import contextlib
import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

_UNABLE = (RuntimeError, ValueError, AttributeError, NotImplementedError)
"""What transformers raises from caches that cannot be cropped."""


class ModelRunner:
    """Runs one sequence through a causal LM.

    Attributes:
        forward_passes: how many times the model was called.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._device = model.get_input_embeddings().weight.device
        self._config = model.config.get_text_config(decoder=True)
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._options: dict[str, Any] = {"use_cache": True}
        if "logits_to_keep" in inspect.signature(base.forward).parameters:
            self._options["logits_to_keep"] = 1
        self.forward_passes = 0
        self.release()

    def release(self) -> None:
        """Frees the cache."""
        self._cache: Any = None
        self._tokens: list[int] = []  # those in the cache
        self._logits: Tensor | None = None  # (V,) after them
        self._final: tuple[int, Tensor | None] = (0, None)  # how many of them are final, and the logits there

    def logits_after(self, sequence: Sequence[int], *, final: int) -> Tensor:
        """Runs what is new of a sequence.

        Args:
            sequence: token ids, at least one; starts with the first `final` tokens of the sequence before.
            final: how many of them no later sequence will take back.

        Returns:
            (V,) logits of the token that comes next.
        """
        if len(self._tokens) > len(sequence) or self._tokens != list(sequence[: len(self._tokens)]):
            self._rollback(sequence)
        pending = sequence[len(self._tokens) :]
        if pending:
            self._logits = self._forward(pending)
            if final >= len(sequence):
                self._commit()
        assert self._logits is not None
        return self._logits

    def _forward(self, tokens: Sequence[int]) -> Tensor:
        import torch

        fresh = self._cache is None
        if fresh:
            from transformers import DynamicCache

            self._cache = DynamicCache(config=self._config)
        inputs = torch.tensor([tokens], dtype=torch.long, device=self._device)  # (1, T)
        with torch.inference_mode():
            output = self._model(input_ids=inputs, past_key_values=self._cache, **self._options)
        self.forward_passes += 1
        self._tokens += tokens
        if fresh and hasattr(self._cache, "activate_past_recording"):
            self._cache.activate_past_recording()
        logits: Tensor = output.logits[0, -1]  # (V,)
        return logits

    def _commit(self) -> None:
        """Drops the record that a rollback would need."""
        with contextlib.suppress(*_UNABLE):
            self._cache.crop(0)
        self._final = (len(self._tokens), self._logits)

    def _rollback(self, sequence: Sequence[int]) -> None:
        """Keeps the longest common prefix with a sequence; one token less where its logits are not known."""
        common = next(
            (i for i, (old, new) in enumerate(zip(self._tokens, sequence, strict=False)) if old != new),
            min(len(self._tokens), len(sequence)),
        )
        final, logits = self._final
        if common == final:
            self._logits = logits
        elif common == len(sequence):
            common -= 1
        if common < final or not self._crop(len(self._tokens) - common):
            self.release()

    def _crop(self, surplus: int) -> bool:
        """Takes the last tokens out of the cache; False if it cannot be done exactly."""
        keep = len(self._tokens) - surplus
        if not getattr(self._cache, "is_croppable", True):
            return False
        try:
            self._cache.crop(-surplus)
        except _UNABLE:
            return False
        del self._tokens[keep:]
        return bool(self._cache.get_seq_length() == keep)
