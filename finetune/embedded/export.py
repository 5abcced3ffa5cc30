"""Write a trained network as the package ships it: weights in fp16 or packed, configuration and tokenizer.

python -m finetune.embedded.export --run RUN --out MODEL
python -m finetune.embedded.export --run RUN --out MODEL --whole WHOLE --examples 128
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from finetune.embedded import checkpoint, gptq, tokenizer, utterances
from finetune.embedded.encoding import Encoder
from finetune.embedded.narrowing import examples
from finetune.embedded.network import configured, finished
from finetune.embedded.original import brought_nearer, weights_before
from harmony_gen.loaded_model import GROUNDS
from harmony_gen.models import packed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel

    from finetune.embedded.checkpoint import Checkpoint
    from finetune.embedded.encoding import Example

MAX_BYTES = 32 * 10**6
"""What the package may carry."""


@dataclass(frozen=True)
class Nearer:
    """How a model is brought nearer to the one it was made of.

    Attributes:
        whole: that one, as `pretrained` writes it.
        share: its weight in the layers, 0 to 1.
        share_of_entries: its weight in the entries of tokens.
    """

    whole: PreTrainedModel
    share: float
    share_of_entries: float


def export(
    run: Path,
    directory: Path,
    nearer: Nearer | None = None,
    rows: Sequence[Example] = (),
    *,
    exact: bool = False,
) -> int:
    """Write the network of a run's last checkpoint, packed if it learnt so or if there are rows to round it for.

    Args:
        run: directory of the run.
        directory: where to write; files of the same names are replaced.
        nearer: whether, and how, to bring it nearer to what it was made of.
        rows: what it is rounded for by `gptq`; without any each weight goes to the nearest level.
        exact: write all digits, whatever the size: to be narrowed or trained further, not shipped.

    Returns:
        Bytes of the weights.

    Raises:
        FileNotFoundError: there is no checkpoint.
        ValueError: the weights are not finite, or more than the package may carry; or the model was made of another.
    """
    last = checkpoint.load(run)
    model = _learnt(last)
    if nearer is not None:
        before = weights_before(model, nearer.whole)
        model.load_state_dict(brought_nearer(model.state_dict(), before, nearer.share, nearer.share_of_entries))
    if exact:
        size = _written(model, directory)
    elif rows or last.way.packed or last.way.scales:
        if rows:
            gptq.round_for(model, rows)
        size = packed.write(model, directory)
    else:
        size = _written(model.half(), directory)
    tokenizer.copy(run, directory)
    if size > MAX_BYTES and not exact:
        raise ValueError(f"The weights take {size / 1e6:.1f} MB; the package carries {MAX_BYTES / 1e6:.0f}.")
    return size


def _learnt(last: Checkpoint) -> PreTrainedModel:
    """The model of a checkpoint; one that learnt packed was never judged by its exact weights, but by the rounded."""
    model = configured(last.network)
    model.load_state_dict(last.learner["model"])
    setattr(model.config, GROUNDS, True)
    if last.way.packed:
        for weight in model.parameters():
            weight.data = packed.rounded(weight.data) if weight.ndim > 1 else weight.data
    return model


def _written(model: PreTrainedModel, directory: Path) -> int:
    """Write weights as they are."""
    if not all(torch.isfinite(weight).all() for weight in model.parameters()):
        raise ValueError("The weights hold values that fp16 cannot hold: nothing was written.")
    model.save_pretrained(str(directory))
    return (directory / "model.safetensors").stat().st_size


def main() -> None:
    """Export a run and say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="directory of the run")
    parser.add_argument("--out", type=Path, required=True, help="directory to write to")
    parser.add_argument("--exact", action="store_true", help="in float32, to go on from, whatever the size")
    parser.add_argument("--whole", type=Path, help="directory of the model it was made of, to bring it nearer to")
    parser.add_argument("--share", type=float, default=0.15, help="weight of that one in the layers")
    parser.add_argument("--share-of-entries", type=float, default=0.3, help="its weight in the entries of tokens")
    parser.add_argument("--examples", type=int, default=0, help="round to four bits for so many tasks; 128 do")
    parser.add_argument("--utterances", type=Path, help=f"utterances.jsonl.gz; default: ${utterances.VARIABLE}")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    nearer = options.whole and Nearer(finished(options.whole), options.share, options.share_of_entries)
    rows = examples(Encoder.load(options.run), options.utterances, options.examples, seed=2)
    size = export(options.run, options.out, nearer, rows, exact=options.exact)
    last = checkpoint.load(options.run)
    share = last.tokens / last.plan.tokens
    print(f"{size / 1e6:.1f} MB written to {options.out}, after {last.tokens / 1e6:.1f} M tokens ({share:.0%}).")


if __name__ == "__main__":
    main()
