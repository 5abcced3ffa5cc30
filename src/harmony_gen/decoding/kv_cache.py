"""A model and its KV cache: ask for the logits after a sequence, and only what is new is run.

The cache is transformers' DynamicCache. Layers that see only a window, or a short convolution, forget what
leaves it; so they are told to record (`activate_past_recording`), and `crop(0)` drops the record once what
was run is final. Any other crop drops it too: with such layers a rollback goes back to what is final, and
what follows is run again. Where a cache cannot be cropped, or the model does not use it, the sequence is run
again from its start.
"""

from __future__ import annotations

import contextlib
import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

_UNABLE = (RuntimeError, ValueError, TypeError, AttributeError)
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
        self._options: dict[str, Any] = {}
        if "logits_to_keep" in inspect.signature(base.forward).parameters:
            self._options["logits_to_keep"] = 1
        self.forward_passes = 0
        self._caches = True  # until the model turns out not to
        self.release()

    def release(self) -> None:
        """Frees the cache."""
        self._cache: Any = None
        self._tokens: list[int] = []  # those that were run
        self._logits: NDArray[np.float32] | None = None  # (V,) after them
        self._final: tuple[int, NDArray[np.float32] | None] = (
            0,
            None,
        )  # how many were final, the logits there

    def logits_after(self, sequence: Sequence[int], *, final: int) -> NDArray[np.float32]:
        """Runs what is new of a sequence.

        Args:
            sequence: token ids, at least one; starts with the first `final` tokens of the sequence before.
            final: how many of them no later sequence will take back.

        Returns:
            (V,) logits of the token that comes next.
        """
        if len(self._tokens) > len(sequence) or self._tokens != list(sequence[: len(self._tokens)]):
            self._rollback(sequence)
        if not self._tokens and 0 < final < len(sequence):
            self._run(sequence[:final])
            self._commit()  # the record begins here
        if len(self._tokens) < len(sequence):
            self._run(sequence)
        if self._final[0] < len(sequence) <= final:
            self._commit()
        assert self._logits is not None  # noqa: S101 - our own invariant
        return self._logits

    def _run(self, sequence: Sequence[int]) -> None:
        """Runs a sequence from where the cache ends."""
        if not self._tokens and self._caches:
            from transformers import DynamicCache

            self._cache = DynamicCache(config=self._config)
        self._logits = self._forward(sequence[len(self._tokens) if self._caches else 0 :])
        if not self._tokens and self._caches:
            self._start_recording(len(sequence))
        self._tokens = list(sequence)

    def _forward(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        import torch

        inputs = torch.tensor([tokens], dtype=torch.long, device=self._device)  # (1, T)
        with torch.inference_mode():
            output = self._model(input_ids=inputs, past_key_values=self._cache, use_cache=self._caches, **self._options)
        self.forward_passes += 1
        logits: NDArray[np.float32] = output.logits[0, -1].float().cpu().numpy()  # (V,)
        return logits

    def _start_recording(self, count: int) -> None:
        """Readies the cache for rollbacks; drops it if the model did not put its `count` tokens there."""
        if self._holds(count):
            self._cache.activate_past_recording()
        else:
            self._cache = None
            self._caches = False

    def _holds(self, count: int) -> bool:
        """Whether as many tokens are in the cache. Without any attention layer it does not count them."""
        try:
            return bool(self._cache.get_seq_length() == count)
        except ValueError:
            return all(all(layer.has_previous_state.values()) for layer in self._cache.layers)

    def _commit(self) -> None:
        """Drops the record that a rollback would need."""
        if self._caches:
            with contextlib.suppress(*_UNABLE):
                self._cache.crop(0)
        self._final = (len(self._tokens), self._logits)

    def _rollback(self, sequence: Sequence[int]) -> None:
        """Keeps of a common prefix with a sequence what the cache can be taken back to exactly."""
        pairs = zip(self._tokens, sequence, strict=False)
        common = next((i for i, (old, new) in enumerate(pairs) if old != new), min(len(self._tokens), len(sequence)))
        final, logits = self._final
        # The logits are known where all was final; elsewhere one token is run again.
        keep = final if common == final or self._forgets() else min(common, len(sequence) - 1)
        if common < final or not self._crop(keep):
            self.release()
        elif keep == final:
            self._logits = logits

    def _forgets(self) -> bool:
        """Whether some layer keeps less than all it has seen."""
        return self._caches and any(hasattr(layer, "activate_past_recording") for layer in self._cache.layers)

    def _crop(self, keep: int) -> bool:
        """Keeps the first tokens of the cache; False if it cannot be done exactly."""
        if not keep or not self._caches:
            return False
        if not getattr(self._cache, "is_croppable", not self._forgets()):
            return False
        try:
            self._cache.crop(keep - len(self._tokens))
        except _UNABLE:
            return False
        del self._tokens[keep:]
        return self._holds(keep)
