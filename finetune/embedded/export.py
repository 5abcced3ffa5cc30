"""Write a trained network as the package ships it: weights in fp16 or packed, configuration and tokenizer.

python -m finetune.embedded.export --run DIR --out src/harmony_gen/models/assets
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from finetune.embedded import checkpoint, tokenizer
from finetune.embedded.network import configured, finished
from harmony_gen.loaded_model import GROUNDS
from harmony_gen.models import packed

if TYPE_CHECKING:
    from transformers import PreTrainedModel

MAX_BYTES = 32 * 2**20
"""What the package may carry."""


def export(run: Path, directory: Path, other: Path | None = None, *, exact: bool = False) -> int:
    """Write the network of a run's last checkpoint, packed if it learnt to be.

    Args:
        run: directory of the run.
        directory: where to write; files of the same names are replaced.
        other: a finished model that the run began with: the mean of both is written, which forgets less of what that
            one knew than the run alone (Wortsman et al. 2022, "Model soups").
        exact: write all digits, whatever the size: to be narrowed or trained further, not shipped.

    Returns:
        Bytes of the weights.

    Raises:
        FileNotFoundError: there is no checkpoint.
        ValueError: the weights are not finite, or more than the package may carry.
    """
    last = checkpoint.load(run)
    model = configured(last.network)
    weights = last.learner["model"]
    if other is not None:
        weights = {name: (weights[name] + weight) / 2 for name, weight in finished(other).state_dict().items()}
    model.load_state_dict(weights)
    setattr(model.config, GROUNDS, True)
    should_pack = last.way.packed and not exact
    size = packed.write(model, directory) if should_pack else _written(model if exact else model.half(), directory)
    tokenizer.copy(run, directory)
    if size > MAX_BYTES and not exact:
        raise ValueError(f"The weights take {size / 2**20:.1f} MiB; the package carries {MAX_BYTES / 2**20:.0f}.")
    return size


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
    parser.add_argument("--mean-with", type=Path, help="directory of a finished model: write the mean of both")
    options = parser.parse_args()
    last = checkpoint.load(options.run)
    size = export(options.run, options.out, options.mean_with, exact=options.exact)
    share = last.tokens / last.plan.tokens
    print(f"{size / 2**20:.1f} MiB written to {options.out}, after {last.tokens / 1e6:.1f} M tokens ({share:.0%}).")


if __name__ == "__main__":
    main()
