"""What a fine-tuning run is told, as a TOML file says it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from harmony_gen.errors import TrainingError
from harmony_gen.training.alpha import AlphaSchedule
from harmony_gen.training.loss import Form  # noqa: TC001 - pydantic reads it

Count = Annotated[int, Field(ge=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelPart(_Part):
    """What is trained.

    Attributes:
        base: a directory, a hub id, or "embedded".
        directory: of a model of the embedded form, in place of the one in the package.
        precision: auto, fp32, bf16, fp16, int8 or int4; see `Generator.from_pretrained`.
        device: auto, cpu, cuda or cuda:N.
    """

    base: str = "embedded"
    directory: Path | None = None
    precision: str = "auto"
    device: str = "auto"


class DataPart(_Part):
    """What it learns from; see `read_examples`.

    Attributes:
        train: examples, labelled and not.
        held_out: labelled examples to judge by; None takes `held_out_share` of `train`.
        held_out_share: in [0, 1).
        unlabelled: more examples without labels, for rollouts only.
        most_tokens: of a prompt with its answer.
    """

    train: Path
    held_out: Path | None = None
    held_out_share: Annotated[float, Field(ge=0, lt=1)] = 0.1
    unlabelled: Path | None = None
    most_tokens: Count = 1024


class AdapterPart(_Part):
    """The LoRA adapter.

    Attributes:
        r: its rank.
        alpha: its scale is alpha / r.
        dropout: in [0, 1); 0 where `parameters` are named.
        targets: names of modules, or "all-linear".
        parameters: names of fused weights, as "mlp.experts.gate_up_proj" of gpt-oss.
    """

    r: Count = 16
    alpha: Count = 32
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    targets: tuple[str, ...] | Literal["all-linear"] = ("q_proj", "v_proj")
    parameters: tuple[str, ...] = ()


class LossPart(_Part):
    """The format term; see `FormatLoss`.

    Attributes:
        forms: those that are added; () is cross-entropy alone.
        per: token or answer.
        alpha: its schedule.
        prompts: of a sampling.
        samples: for each of them.
        most_tokens: of a sampled answer.
        reuse: steps that learn from one sampling.
        validator: "module:function" that judges texts, in place of the schemas; for the form "reward".
    """

    forms: tuple[Form, ...] = ("first_error",)
    per: Literal["token", "answer"] = "token"
    alpha: AlphaSchedule = AlphaSchedule()
    prompts: Count = 8
    samples: Count = 2
    most_tokens: Count = 256
    reuse: Count = 4
    validator: str | None = None


class RunPart(_Part):
    """How it goes.

    Attributes:
        out: folder of the run.
        steps: of the optimiser.
        batch_size: labelled examples of a forward pass and process.
        accumulate: forward passes of a step.
        rate: highest learning rate of AdamW; it falls linearly to 0.
        warmup: steps over which it rises.
        decay: of weights.
        clip: largest norm of the gradient.
        seed: of everything that is drawn.
        mixed_precision: no, bf16 or fp16.
        checkpointing: activations are computed anew, which saves memory.
        evaluate_every: steps; a checkpoint is written then, too.
        patience: evaluations without progress in validity and field F1 before it stops.
        judged: held-out examples that are answered at each evaluation, at most.
    """

    out: Path
    steps: Count = 200
    batch_size: Count = 8
    accumulate: Count = 1
    rate: Annotated[float, Field(gt=0)] = 2e-4
    warmup: Annotated[int, Field(ge=0)] = 10
    decay: Annotated[float, Field(ge=0)] = 0.0
    clip: Annotated[float, Field(gt=0)] = 1.0
    seed: int = 0
    mixed_precision: Literal["no", "bf16", "fp16"] = "no"
    checkpointing: bool = False
    evaluate_every: Count = 50
    patience: Count = 3
    judged: Count = 64


class Settings(_Part):
    """A whole run."""

    model: ModelPart = ModelPart()
    data: DataPart
    adapter: AdapterPart = AdapterPart()
    loss: LossPart = LossPart()
    run: RunPart

    @classmethod
    def load(cls, path: Path) -> Settings:
        """Reads a TOML file; paths in it are taken from its folder.

        Raises:
            TrainingError: it cannot be read, or a value is wrong; each is named.
        """
        try:
            given = tomllib.loads(path.read_text("utf-8"))
        except OSError as error:
            raise TrainingError(f"The settings {path} cannot be read: {error.strerror}.") from error
        except ValueError as error:
            raise TrainingError(f"The settings {path} are not TOML: {error}") from error
        return cls.of(given, path.parent)

    @classmethod
    def of(cls, given: dict[str, Any], folder: Path = Path()) -> Settings:
        """Checks settings; relative paths are taken from a folder.

        Raises:
            TrainingError: a value is wrong; each is named.
        """
        try:
            found = cls.model_validate(given)
        except pydantic.ValidationError as error:
            wrong = (
                f"{'.'.join(map(str, one['loc']))}: {one['msg']} (it is {one['input']!r:.60})" for one in error.errors()
            )
            raise TrainingError("The settings are wrong. " + "; ".join(wrong)) from error
        if "reward" in found.loss.forms and found.loss.samples < 2:  # noqa: PLR2004 - one, and another to compare it with
            raise TrainingError("The form reward compares samples of one prompt: set loss.samples to at least 2.")
        return found.model_copy(
            update={
                "model": _from(folder, found.model, "directory"),
                "data": _from(folder, found.data, "train", "held_out", "unlabelled"),
                "run": _from(folder, found.run, "out"),
            }
        )


def _from(folder: Path, part: _Part, *names: str) -> _Part:
    paths = {name: getattr(part, name) for name in names}
    return part.model_copy(update={name: folder / path for name, path in paths.items() if path is not None})
