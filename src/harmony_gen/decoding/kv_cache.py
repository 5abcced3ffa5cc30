"""A model and its KV cache: ask for the logits after a sequence, and only what is new is run.

The cache is transformers' DynamicCache. Layers that see only a window, or a short convolution, forget what
leaves it; so they are told to record (`activate_past_recording`), and `crop(0)` drops the record once what
was run is final. Any other crop drops it too: with such layers a rollback goes back to what is final, and
what follows is run again. Where a cache cannot be cropped, or the model does not use it, the sequence is run
again from its start.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
from typing import TYPE_CHECKING, Any

from harmony_gen.decoding.head import Chunk, Known, split
from harmony_gen.decoding.prefixes import common_prefix
from harmony_gen.models.memory import is_out_of_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harmony_gen.decoding.batch import Batch
    from harmony_gen.decoding.callers import Callers
    from harmony_gen.decoding.head import Logits
    from harmony_gen.decoding.prefixes import Prefixes

_UNABLE = (RuntimeError, ValueError, TypeError, AttributeError)
"""What transformers raises from caches that cannot be cropped."""


class ModelRunner:
    """Runs one sequence through a causal LM.

    Attributes:
        model: the model.
        forward_passes: how many times the model was called.
        cached_tokens: tokens of the first sequence that were not run, because an earlier one began with them.
    """

    def __init__(self, model: Any, prefixes: Prefixes | None = None, batch: Batch[Any] | Callers | None = None) -> None:
        """Readies a model.

        Args:
            model: a transformers causal LM.
            prefixes: caches of earlier sequences, to begin with and to add to.
            batch: runs the forward passes together with those of other rows.
        """
        self.model = model
        self._split = split(model)
        self._prefixes = prefixes
        self._batch = batch
        self._device = model.get_input_embeddings().weight.device
        self._config = model.config.get_text_config(decoder=True)
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._counts_logits = "logits_to_keep" in inspect.signature(base.forward).parameters
        self.forward_passes = 0
        self.cached_tokens = 0
        self._caches = True  # until the model turns out not to
        self._ran_out = False  # of memory
        self.release()

    def hand_on(self) -> None:
        """Frees the cache and hands it on to later sequences, if it can be taken back to what they begin with."""
        if self._prefixes is not None and self._cache is not None and not self._forgets():
            self._prefixes.add(self._tokens, self._cache)
        self.release()

    def release(self) -> None:
        """Frees the cache."""
        self._cache: Any = None
        self._tokens: list[int] = []  # those that were run
        self._chunk: Chunk | list[Known] | None = None  # what is known after the last of them
        self._final = 0  # how many were final when the record began
        self._at_final: Logits | None = None  # what is known after those

    def _can_draft(self) -> bool:
        """Whether tokens can be taken back without running the sequence from its start."""
        return self._caches and (not self._forgets() or (self._final > 0 and self._is_croppable()))

    def logits_after(
        self,
        sequence: Sequence[int],
        *,
        final: int,
        draft: Callable[[], Sequence[int]] = list,
        wanted: int = 0,
    ) -> Logits:
        """Runs what is new of a sequence.

        Args:
            sequence: token ids, at least one; starts with the first `final` tokens of the sequence before.
            final: how many of them no later sequence will take back.
            draft: asked, if anything must be run, for tokens that may follow; they are run too.
            wanted: of how many tokens the logits will be asked for, as far as is known.

        Returns:
            The logits of the token that comes next.
        """
        known = self._known(sequence)
        if known is not None:
            return known
        if self._tokens != list(sequence[: len(self._tokens)]) or len(self._tokens) >= len(sequence):
            self._rollback(sequence)
        if not self._tokens:
            self._begin(sequence, final)
        elif self._final < len(self._tokens) <= final:
            self._commit()
        everything = self._split is not None and not self._split.head.takes_rows(wanted)
        try:
            self._run([*sequence, *(draft() if self._can_draft() else ())], len(sequence), everything=everything)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error) or self._batch is None or self._ran_out:
                raise
            self._ran_out = True  # once more from the start, in smaller company
            self.release()
            if self._prefixes is not None:
                self._prefixes.clear()
            return self.logits_after(sequence, final=final, wanted=wanted)
        found = self._known(sequence)
        assert found is not None  # noqa: S101 - it was run just now
        return found

    def _known(self, sequence: Sequence[int]) -> Logits | None:
        """The logits after a sequence that was run."""
        behind = len(self._tokens) - len(sequence)
        if behind < 0 or self._tokens[: len(sequence)] != list(sequence):
            return None
        if self._chunk is not None and behind < len(self._chunk):
            return self._at(len(self._chunk) - 1 - behind)
        return self._at_final if len(sequence) == self._final else None

    def _at(self, place: int) -> Logits:
        return self._chunk.at(place) if isinstance(self._chunk, Chunk) else (self._chunk or [])[place]

    def _begin(self, sequence: Sequence[int], final: int) -> None:
        """Readies a cache for a sequence of which nothing has been run."""
        if not self._caches:
            return
        from transformers import DynamicCache

        self._cache = DynamicCache(config=self._config)
        if self._prefixes is not None:
            most = min(final, len(sequence) - 1)
            found = self._prefixes.longest(sequence[:most])
            if found is not None:
                self._cache, count = found
                self._tokens = list(sequence[:count])
                self.cached_tokens = self.cached_tokens or count
            shared = self._prefixes.shared(sequence[:most])
            if self._forgets() and shared > len(self._tokens):  # it cannot be taken back to here later
                self._run(sequence[:shared], shared)
                if self._caches:
                    self._prefixes.add(self._tokens, copy.deepcopy(self._cache))
        if 0 < final < len(sequence) and len(self._tokens) < final:
            self._run(sequence[:final], final)
        if self._caches and self._tokens:
            self._commit()  # the record begins here

    def _run(self, sequence: Sequence[int], wanted: int, *, everything: bool = False) -> None:
        """Runs a sequence from where the cache ends; the logits are wanted after so many tokens and all behind."""
        begun = bool(self._tokens)
        first = len(self._tokens) if self._caches else 0
        self._chunk = self._forward(sequence[first:], len(sequence) - wanted + 1, everything=everything)
        if not begun and self._caches and not self._holds(len(sequence)):
            self._cache = None  # the model did not put its tokens there
            self._caches = False
        self._tokens = list(sequence)

    def _forward(self, tokens: Sequence[int], count: int, *, everything: bool) -> Chunk | list[Known]:
        """Runs some tokens; what is known after the last `count` of them. See `Batch.forward`."""
        import torch

        inputs = torch.tensor([tokens], dtype=torch.long, device=self._device)  # (1, T)
        options: dict[str, Any] = {"input_ids": inputs, "past_key_values": self._cache, "use_cache": self._caches}
        self.forward_passes += 1
        if self._batch is not None and self._caches:
            return self._batch.forward(tokens, self._cache, count, everything=everything)
        with torch.inference_mode():
            if self._split is not None:
                return Chunk(self._split.head, self._split.body(**options).last_hidden_state[0, -count:])
            if self._counts_logits:
                options["logits_to_keep"] = count
            rows = self.model(**options).logits[0, -count:].float().cpu().numpy()  # (count, V)
        return [Known(row) for row in rows]

    def _holds(self, count: int) -> bool:
        """Whether as many tokens are in the cache. Without any attention layer it does not count them."""
        try:
            return bool(self._cache.get_seq_length() == count)
        except ValueError:
            return all(all(layer.has_previous_state.values()) for layer in self._cache.layers)

    def _commit(self) -> None:
        """Begins the record that a rollback would need: all that was run is final."""
        with contextlib.suppress(*_UNABLE):
            self._cache.activate_past_recording()
            self._cache.crop(0)
        self._final = len(self._tokens)
        self._at_final = None if self._chunk is None else self._at(-1)

    def _rollback(self, sequence: Sequence[int]) -> None:
        """Keeps of a common prefix with a sequence what the cache can be taken back to exactly."""
        common = min(common_prefix(self._tokens, sequence), len(sequence) - 1)
        keep = self._final if self._forgets() else common
        self._chunk = None
        if keep > common or not self._crop(keep):
            self.release()

    def _forgets(self) -> bool:
        """Whether some layer keeps less than all it has seen."""
        return self._caches and any(hasattr(layer, "activate_past_recording") for layer in self._cache.layers)

    def _is_croppable(self) -> bool:
        return bool(getattr(self._cache, "is_croppable", not self._forgets()))

    def _crop(self, keep: int) -> bool:
        """Keeps the first tokens of the cache; False if it cannot be done exactly."""
        if keep == len(self._tokens) and self._caches:
            return True
        if not keep or not self._caches or not self._is_croppable():
            return False
        try:
            self._cache.crop(keep - len(self._tokens))
        except _UNABLE:
            return False
        del self._tokens[keep:]
        return self._holds(keep)
