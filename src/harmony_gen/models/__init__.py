"""Where logits come from: loading models, planning their memory, and the small embedded model.

Nothing here imports torch or transformers before a model is asked for.
"""

from harmony_gen.models.embedded import describe, load_embedded, prompt_parts
from harmony_gen.models.loading import LoadedModel, load
from harmony_gen.models.memory import MemoryEstimate, advice, available, estimate, fits

__all__ = [
    "LoadedModel",
    "MemoryEstimate",
    "advice",
    "available",
    "describe",
    "estimate",
    "fits",
    "load",
    "load_embedded",
    "prompt_parts",
]
