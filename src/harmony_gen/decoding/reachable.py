"""Whether a given text can be written under a constraint."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harmony_gen.decoding.matcher import Matcher
    from harmony_gen.decoding.vocabulary import Vocabulary


def reachable(matcher: Matcher, vocabulary: Vocabulary, text: bytes) -> bool:
    """Writes a text token by token, as the decode loop would.

    Args:
        matcher: at the start of an answer.
        vocabulary: the matcher's.
        text: the answer.

    Returns:
        Whether no mask, rule or judge stood in the way.
    """
    while not matcher.finished:
        rest = text[len(matcher.text) :]
        forced = matcher.forced()
        if forced:
            tokens = forced
            possible = True
        else:
            tokens = (vocabulary.encode_bytes(rest) or list(vocabulary.ends))[:1]
            possible = tokens[0] in matcher.allowed()
        if not possible or not all(_write(matcher, vocabulary, token, text) for token in tokens):
            return False
    return True


def _write(matcher: Matcher, vocabulary: Vocabulary, token: int, text: bytes) -> bool:
    """Commits a token if it spells what comes next of a text."""
    rest = text[len(matcher.text) :]
    if token in vocabulary.ends:
        return not rest and matcher.accept(token)
    return rest.startswith(vocabulary.bytes_of([token])) and matcher.accept(token)
