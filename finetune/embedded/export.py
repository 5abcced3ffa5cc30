"""Write a trained network as the package ships it: fp16 weights, configuration and tokenizer.

python -m finetune.embedded.export --run DIR --out src/harmony_gen/models/assets
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import torch

from finetune.embedded import checkpoint
from finetune.embedded.encoding import Encoder
from finetune.embedded.network import SIZES, build, weights_of

MAX_BYTES = 32 * 2**20
"""What the package may carry."""
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


def export(run: Path, directory: Path, other: Path | None = None) -> int:
    """Write the network of a run's last checkpoint.

    Args:
        run: directory of the run.
        directory: where to write; files of the same names are replaced.
        other: a finished model that the run began with: the mean of both is written, which forgets less of what that
            one knew than the run alone (Wortsman et al. 2022, "Model soups").

    Returns:
        Bytes of the weights.

    Raises:
        FileNotFoundError: there is no checkpoint.
        ValueError: the weights are not finite, or more than the package may carry.
    """
    last = checkpoint.load(run)
    model = build(SIZES[last.size], len(Encoder.load(run)))
    weights = last.learner["model"]
    if other is not None:
        model.load_state_dict(weights_of(other), strict=False)  # tied weights are stored once
        weights = {name: (weights[name] + weight) / 2 for name, weight in model.state_dict().items()}
    model.load_state_dict(weights)
    model = model.half().eval()
    if not all(torch.isfinite(weight).all() for weight in model.parameters()):
        raise ValueError("The weights hold values that fp16 cannot: nothing was written.")
    directory.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(str(directory))
    for name in _TOKENIZER_FILES:
        shutil.copy(run / name, directory / name)
    size = (directory / "model.safetensors").stat().st_size
    if size > MAX_BYTES:
        raise ValueError(f"The weights take {size / 2**20:.1f} MiB; the package carries {MAX_BYTES / 2**20:.0f}.")
    return size


def main() -> None:
    """Export a run and say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="directory of the run")
    parser.add_argument("--out", type=Path, required=True, help="directory to write to")
    parser.add_argument("--mean-with", type=Path, help="directory of a finished model: write the mean of both")
    options = parser.parse_args()
    last = checkpoint.load(options.run)
    size = export(options.run, options.out, options.mean_with)
    share = last.tokens / last.plan.tokens
    print(f"{size / 2**20:.1f} MiB written to {options.out}, after {last.tokens / 1e6:.1f} M tokens ({share:.0%}).")


if __name__ == "__main__":
    main()
