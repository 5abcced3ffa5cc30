"""The vocabulary of a model: tokens as bytes, and which of them are control tokens, never data."""

from __future__ import annotations

import re
from collections import OrderedDict
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import llguidance.hf
import numpy as np
from llguidance import LLMatcher, LLTokenizer

from harmony_gen.errors import ModelError, SchemaError
from harmony_gen.schema import engine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerFast

_GRAMMARS_KEPT = 128
_SETS_KEPT = 8
"""Sets of allowed tokens that are kept; one may take 8 bytes a token."""

_FEW_WORDS = 1024
"""Words of a mask, of 64 tokens each, that are looked through faster than a set is found again."""

Words = np.ndarray[tuple[int], np.dtype[np.uint64]]


class Vocabulary:
    """A tokenizer as the decoder needs it.

    Attributes:
        width: number of logits of the model, V. May be larger than the tokenizer (padding rows) or smaller.
        ends: ids that end a turn; the first is the one that is written.
        control: ids of all control tokens. No value ever holds one; their spellings in texts are plain
            characters.
        spaced: answers in JSON have a space behind each comma and colon; may be set before the first one.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, width: int, ends: Sequence[int]) -> None:
        """Reads a tokenizer; takes about a second for 200,000 tokens.

        Raises:
            ModelError: the tokenizer is not a fast one, or the model has no end token.
        """
        if not getattr(tokenizer, "is_fast", False):
            raise ModelError("The tokenizer is not a fast tokenizer (tokenizer.json); constrained decoding needs one.")
        self.ends = tuple(end for end in dict.fromkeys(ends) if end < width)
        if not self.ends:
            raise ModelError("The model names no end token (eos_token_id): a turn could not end. Set one.")
        self.width = width
        self.spaced = False
        self._tokenizer = tokenizer
        # The engine's vocabulary may not be smaller than the tokenizer's; its mask is cut to the width.
        self._engine_width = max(width, len(tokenizer))
        self._engine: LLTokenizer = llguidance.hf.from_tokenizer(
            tokenizer, n_vocab=self._engine_width, eos_token=list(self.ends)
        )
        added = {id_: token.content for id_, token in tokenizer.added_tokens_decoder.items()}
        self.control = frozenset(id_ for id_, text in added.items() if text.strip()).union(self.ends)
        self._plain = np.ones(width, dtype=bool)
        self._plain[[id_ for id_ in self.control if id_ < width]] = False
        self._plain_words = self._words(np.flatnonzero(self._plain))
        self._end_words = self._words(np.array(self.ends))
        self._sets: OrderedDict[bytes, NDArray[np.int64]] = OrderedDict()
        spellings = "|".join(re.escape(text) for text in added.values() if text.strip())
        self._spelling = re.compile(spellings or "(?!)")
        self._spellings = re.compile(f"(?={spellings})" if spellings else "(?!)")  # they may overlap
        self._matchers: OrderedDict[str, LLMatcher] = OrderedDict()

    def encode(self, text: str) -> list[int]:
        """Tokens of a text in which nothing is a control token.

        Each control spelling is cut after one character. Where the tokenizer begins a text with a space, so do
        these; they spell the text otherwise.
        """
        first, *others = self._pieces(text) or [""]
        return self._encode_data(first) + [token for piece in others for token in self._spell(piece.encode())]

    def encode_control(self, text: str) -> list[int]:
        """Tokens of a text from a trusted template, in which control spellings are control tokens."""
        return self._encode_piece(text)

    def _encode_piece(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False, verbose=False) if text else []
        return ids

    def _encode_data(self, text: str) -> list[int]:
        """Tokens of a text that spells no control token; a normaliser may make one of it nevertheless."""
        tokens = self._encode_piece(text)
        return tokens if all(map(self._is_plain, tokens)) else self.encode_bytes(text.encode())

    def encode_bytes(self, data: bytes) -> list[int]:
        """Tokens of bytes that may start or end inside a character; none of them is a control token."""
        pieces = self._pieces(data.decode("utf-8", "surrogateescape"))
        return [token for piece in pieces for token in self._spell(piece.encode("utf-8", "surrogateescape"))]

    def _spell(self, data: bytes) -> list[int]:
        """Tokens of bytes; one for each where the usual ones cannot be used, or a normaliser changes them."""
        tokens: list[int] = self._engine.tokenize_bytes(data)
        if all(map(self._is_plain, tokens)) and self.bytes_of(tokens) == data:
            return tokens
        try:
            return [self._token_of_byte[byte] for byte in data]
        except KeyError as error:
            text = data.decode(errors="replace")
            raise ModelError(f"The tokenizer cannot spell {text!r:.80}: its normaliser changes the text.") from error

    @cached_property
    def _token_of_byte(self) -> dict[int, int]:
        spelled = ((self.bytes_of([int(token)]), int(token)) for token in np.flatnonzero(self._plain))
        return {data[0]: token for data, token in spelled if len(data) == 1}

    def _is_plain(self, token: int) -> bool:
        return token < self.width and bool(self._plain[token])

    def _pieces(self, text: str) -> list[str]:
        """A text, cut behind the first character of each control spelling in it."""
        if not self._spelling.search(text):  # many times faster than to look ahead at each character
            return [text] if text else []
        cuts = [0, *(match.start() + 1 for match in self._spellings.finditer(text)), len(text)]
        return [text[start:end] for start, end in pairwise(cuts) if start < end]

    def control_spelling(self, text: str) -> str | None:
        """The first spelling of a control token in a text."""
        found = self._spelling.search(text)
        return found.group() if found else None

    def controls(self, tokens: Sequence[int]) -> list[int]:
        """The control tokens among some tokens, in order."""
        return [token for token in tokens if token in self.control]

    def bytes_of(self, tokens: Sequence[int]) -> bytes:
        """What tokens spell."""
        return bytes(self._engine.decode_bytes(list(tokens)))

    def matcher(self, grammar: str) -> LLMatcher:
        """A matcher at the start of a grammar. Compiled once, then copied."""
        known = self._matchers.pop(grammar, None)
        if known is None:
            try:
                known = engine.compile_grammar(self._engine, grammar)
            except engine.GrammarError as error:
                raise SchemaError(f"The grammar does not compile for this vocabulary: {error}") from error
        self._matchers[grammar] = known
        if len(self._matchers) > _GRAMMARS_KEPT:
            self._matchers.popitem(last=False)
        return known.deep_copy()

    def forget(self, grammar: str) -> None:
        """Drops a compiled grammar: after an engine error its copies are spoiled too."""
        self._matchers.pop(grammar, None)

    def _words(self, tokens: NDArray[np.int64]) -> Words:
        """A mask of some tokens, a bit for each token of the engine; its first word holds the ids 0 to 63."""
        bits = np.zeros(-(-self._engine_width // 64) * 64, dtype=bool)
        bits[tokens] = True
        return np.packbits(bits, bitorder="little").view(np.uint64)

    def _mask_words(self, matcher: LLMatcher) -> Words:
        """Which tokens may come next; end tokens where the text may end."""
        words = np.empty_like(self._plain_words)
        matcher.unsafe_compute_mask_ptr(words.ctypes.data, -(-self._engine_width // 32) * 4)
        may_end = int(words[self.ends[0] // 64]) >> self.ends[0] % 64 & 1
        words &= self._plain_words
        return words | self._end_words if may_end else words

    def mask(self, matcher: LLMatcher) -> NDArray[np.bool_]:
        """Which tokens may come next: (V,) bool, True where allowed; end tokens where the text may end."""
        bits = np.unpackbits(self._mask_words(matcher).view(np.uint8), bitorder="little")
        return bits[: self.width].astype(bool)

    def allowed(self, matcher: LLMatcher) -> NDArray[np.int64]:
        """The ids of the tokens that may come next, (n,) ascending; read-only.

        Most places allow few tokens, or nearly all, as the inside of a string does: such sets are met again and
        again, and kept.
        """
        words = self._mask_words(matcher)
        used = np.flatnonzero(words != 0)
        if len(used) <= _FEW_WORDS:
            bits = _bits(words[used])
            return _fixed(used[bits >> 6] * 64 + (bits & 63))
        key = words.tobytes()
        known = self._sets.pop(key, None)
        if known is None:
            known = _fixed(_bits(words))
        self._sets[key] = known
        if len(self._sets) > _SETS_KEPT:
            self._sets.popitem(last=False)
        return known

    def forced(self, matcher: LLMatcher) -> list[int]:
        """The tokens that must come next, in their canonical tokenisation; [] where there is a choice."""
        tokens: list[int] = matcher.compute_ff_tokens()
        if not tokens:
            return []
        data = matcher.compute_ff_bytes()
        if all(map(self._is_plain, tokens)) and data.startswith(self.bytes_of(tokens)):
            return tokens
        return self.encode_bytes(data)[:1]


def _bits(words: Words) -> NDArray[np.int64]:
    """The indices of the bits that are set, ascending."""
    return np.flatnonzero(np.unpackbits(words.view(np.uint8), bitorder="little").view(bool))


def _fixed(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    ids.setflags(write=False)
    return ids


def end_tokens(model: Any, tokenizer: Any) -> tuple[int, ...]:
    """Every id that ends a turn, the tokenizer's first."""
    found: list[int] = []
    generation = getattr(model, "generation_config", None)
    for source in (
        tokenizer.eos_token_id,
        getattr(generation, "eos_token_id", None),
        model.config.eos_token_id,
    ):
        found += source if isinstance(source, list) else [source] if source is not None else []
    return tuple(dict.fromkeys(found))
