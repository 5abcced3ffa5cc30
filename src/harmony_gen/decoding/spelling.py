"""Which spelling of JSON a model likes better: compact, or with a space behind each comma and colon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from harmony_gen.schema.separators import Joint

if TYPE_CHECKING:
    from harmony_gen.decoding.vocabulary import Vocabulary

_REQUEST = "Extract the data as JSON.\n\n"

_SAMPLES = (
    b'{"name":"Anna Berg","age":34,"city":"Oslo"}',
    b'{"items":[{"title":"Lamp","price":19.5,"tags":["home","light"]},{"title":"Chair","price":80,"tags":[]}]}',
)
"""Short answers as any model has read by the thousand."""


def likes_spaces(model: Any, vocabulary: Vocabulary) -> bool:
    """Whether a model finds spaced answers likelier than the same answers in compact spelling.

    Compares the log-probabilities of whole texts, so that the number of tokens a spelling takes does not decide.

    Args:
        model: a causal LM in evaluation mode. It is run four times, over fewer than a hundred tokens each.
        vocabulary: its vocabulary.
    """
    try:
        spaced = sum(_log_probability(model, vocabulary, Joint().spaced(text)) for text in _SAMPLES)
        return spaced > sum(_log_probability(model, vocabulary, text) for text in _SAMPLES)
    except (RuntimeError, ValueError, TypeError, IndexError, MemoryError):  # its first answer will say what is wrong
        return False


@torch.inference_mode()
def _log_probability(model: Any, vocabulary: Vocabulary, text: bytes) -> float:
    """Natural logarithm of the probability of a text behind the request."""
    before, tokens = vocabulary.encode(_REQUEST), vocabulary.encode_bytes(text)
    device = model.get_input_embeddings().weight.device
    ids = torch.tensor([before + tokens], device=device)  # (1, n)
    logits = model(input_ids=ids, use_cache=False).logits[0, len(before) - 1 : -1]  # (tokens, V)
    scores = torch.log_softmax(logits.float(), dim=-1)
    return float(scores.gather(1, ids[0, len(before) :, None]).sum())
