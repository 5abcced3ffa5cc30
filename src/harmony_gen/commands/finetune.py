"""`harmony-gen finetune` and `harmony-gen merge`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse


def add(commands: Any) -> None:
    """Adds both commands."""
    finetune = commands.add_parser("finetune", help="train a LoRA adapter that knows your schemas")
    finetune.set_defaults(run=_finetune)
    add_arguments(finetune)

    merge = commands.add_parser("merge", help="write a model whose weights hold an adapter")
    merge.set_defaults(run=_merge)
    merge.add_argument("adapter", metavar="ADAPTER", help="directory or Hugging Face id of a peft adapter")
    merge.add_argument("--model", default="embedded", help="its base; default: the embedded model")
    merge.add_argument("--directory", type=Path, help="of a base that has the form of the embedded model")
    merge.add_argument("--precision", default="auto", choices=("auto", "fp32", "bf16", "fp16"), help="of the weights")
    merge.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write it")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What a run is told on the command line."""
    parser.add_argument("config", type=Path, metavar="CONFIG", help="settings, a .toml file")
    parser.add_argument("--resume", action="store_true", help="go on with the last checkpoint of the run")
    parser.add_argument("--check", action="store_true", help="only read the data, and tell what would be left out")


def _finetune(options: argparse.Namespace) -> int:
    from harmony_gen.training.adapters import load_base
    from harmony_gen.training.examples import read_examples
    from harmony_gen.training.settings import Settings
    from harmony_gen.training.trainer import finetune

    settings = Settings.load(options.config)
    if options.check:
        data, generator = settings.data, load_base(settings.model, settings.model.device)
        files = [path for path in (data.train, data.held_out, data.unlabelled) if path is not None]
        found = [read_examples(path, generator, most=data.most_tokens) for path in files]
        print("\n".join(one.report() for one in found))
        return int(any(one.problems for one in found))
    outcome = finetune(settings, resume=options.resume)
    for name, judged in (("before", outcome.before), ("after", outcome.after)):
        if judged is not None:
            print(f"{name:6}  CE {judged.ce:.3f}  valid {judged.valid:.1%}  field F1 {judged.f1:.3f}")
    why = "no more progress" if outcome.stopped_early else "done"
    print(f"{outcome.steps} steps, {why}. The adapter is in {outcome.adapter}.")
    return 0


def _merge(options: argparse.Namespace) -> int:
    from harmony_gen.training.adapters import merge

    merge(options.model, options.adapter, options.out, directory=options.directory, precision=options.precision)
    print(f"The merged model is in {options.out}.")
    return 0
