"""A model with what is derived from it: its vocabulary, the form of its turns, caches of prompts, what runs it."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, Unpack

from harmony_gen import prompt as prompts
from harmony_gen.errors import BudgetError, ModelError, PromptError, UnsatisfiableError
from harmony_gen.request import request_of

if TYPE_CHECKING:
    from harmony_gen.answer import Answer
    from harmony_gen.calibration import Calibration
    from harmony_gen.decoding.batch import Batch
    from harmony_gen.decoding.callers import Callers
    from harmony_gen.decoding.formats import Format
    from harmony_gen.decoding.kv_cache import ModelRunner
    from harmony_gen.decoding.prefixes import Prefixes
    from harmony_gen.decoding.turn_matcher import TurnMatcher
    from harmony_gen.decoding.vocabulary import Vocabulary
    from harmony_gen.messages import Prompt
    from harmony_gen.request import Options, Request

GROUNDS = "grounded_answers"
"""Name in a model's configuration that says whether its answers are grounded by default."""
_PREFIX_BYTES = 256 * 2**20
"""Memory for KV caches of earlier prompts."""


class _Closed:
    """Stands for the model of a generator that is closed."""

    def __getattr__(self, name: str) -> Any:
        raise ModelError("The generator is closed. Make another one.")


_CLOSED = _Closed()
_SEPARATORS = ("auto", "compact", "spaced")


class LoadedModel:
    """The side of a `Generator` that knows its model; of this `calibration` and `close` are public."""

    def __init__(self, model: Any, tokenizer: Any, turn: str, separators: str) -> None:
        """See `Generator`."""
        if separators not in _SEPARATORS:
            raise ValueError(f"separators must be {_SEPARATORS}; it is {separators!r:.40}.")
        self._model = model
        self._tokenizer = tokenizer
        self._turn = turn
        self._separators = separators
        self._is_embedded = False
        self.calibration: Calibration | None = None

    def close(self) -> None:
        """Lets go of the model and of all caches. Closed generators answer no more."""
        self._prefixes.clear()
        self._model = self._tokenizer = _CLOSED
        for kept in ("_vocabulary", "_crossing"):
            vars(self).pop(kept, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        from harmony_gen.decoding.spelling import likes_spaces
        from harmony_gen.decoding.vocabulary import Vocabulary, end_tokens

        if self._tokenizer is None:
            raise ModelError("The model comes without a tokenizer. Pass the tokenizer it was trained with.")
        width = self._model.get_output_embeddings().weight.shape[0]
        vocabulary = Vocabulary(self._tokenizer, width, end_tokens(self._model, self._tokenizer))
        is_measured = self._separators == "auto"
        vocabulary.spaced = likes_spaces(self._model, vocabulary) if is_measured else self._separators == "spaced"
        return vocabulary

    @cached_property
    def _format(self) -> Format:
        """How the model's turns look."""
        from harmony_gen.decoding.formats import format_of

        return format_of(getattr(self._tokenizer, "chat_template", None), self._vocabulary, self._turn)

    @cached_property
    def _prefixes(self) -> Prefixes:
        from harmony_gen.decoding.prefixes import Prefixes

        # Processes that share a model run the same passes; so none may know more than the others by chance.
        is_shared = any(hasattr(parameter, "device_mesh") for parameter in self._model.parameters())
        return Prefixes(0 if is_shared else _PREFIX_BYTES)

    @cached_property
    def _window(self) -> int | None:
        """Tokens the model can see, prompt and answer together."""
        config = self._model.config.get_text_config(decoder=True)
        window: int | None = getattr(config, "max_position_embeddings", None)
        return window

    def _callers(self) -> Callers | None:
        """Runs passes of several threads together; None for models that are only ever run as a whole."""
        from harmony_gen.decoding.head import split

        return self._crossing if split(self._model) is not None else None

    @cached_property
    def _crossing(self) -> Callers:
        from harmony_gen.decoding.callers import Callers

        return Callers(self._model)

    def _request(self, prompt: Prompt, schema: Any, **options: Unpack[Options]) -> Request:
        """What is asked for, as this model is asked."""
        return request_of(prompt, schema, grounds=getattr(self._model.config, GROUNDS, False), **options)

    def _start(self, request: Request, batch: Batch[Any] | None = None) -> Answer:
        from harmony_gen.answer import Answer, Asking

        started = time.perf_counter()
        if self._model.training:
            raise ModelError("The model is in training mode, so its dropout would change answers. Call model.eval().")
        tokens = self._encode_request(request)
        try:
            matcher = self._matcher(request, tokens)
        except (BudgetError, PromptError, UnsatisfiableError):
            if request.lenient is None:
                raise
            request = replace(request, schema=request.lenient, lenient=None)
            matcher = self._matcher(request, tokens)
        return Answer(
            request,
            tokens,
            matcher,
            self._vocabulary,
            self._runner(batch),
            asking=Asking(self._runner, self._encode_request, self._window),
            calibration=self.calibration,
            started=started,
        )

    def _matcher(self, request: Request, prompt: list[int]) -> TurnMatcher:
        """At the start of a turn."""
        from harmony_gen.answer import matcher_of

        return matcher_of(request, prompt, self._format, self._tokenizer, self._vocabulary, self._window)

    def _runner(self, batch: Batch[Any] | None = None) -> ModelRunner:
        """What runs the model for one sequence, together with those of a batch, or of other threads."""
        from harmony_gen.decoding.kv_cache import ModelRunner

        return ModelRunner(self._model, self._prefixes, batch or self._callers())

    def _encode(self, prompt: Prompt, schema: Any) -> list[int]:
        """The tokens a model reads of a prompt and a schema."""
        return self._encode_request(request_of(prompt, schema))

    def _encode_request(self, request: Request) -> list[int]:
        if self._is_embedded:
            return prompts.encode_embedded(request, self._vocabulary, self._window)
        if self._vocabulary.spaced:
            request = request.spaced()
        return prompts.encode(request, self._format, self._tokenizer, self._vocabulary)
