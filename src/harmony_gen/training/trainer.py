"""Fine-tuning from settings to an adapter.

Everything that is drawn (order of examples, dropout, rollouts) depends on the seed and the number of the step alone,
and rollouts begin anew behind each checkpoint. So a run that was stopped and goes on makes the same steps, bit for
bit, as one that was not.
"""

from __future__ import annotations

import contextlib
import random
import time
import warnings
from collections import defaultdict
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import ProjectConfiguration
from tqdm import tqdm

from harmony_gen.errors import TrainingError
from harmony_gen.training import adapters, checkpoints, journal
from harmony_gen.training.alpha import FLAT, is_flat
from harmony_gen.training.examples import read_examples
from harmony_gen.training.judging import Judgement, judge
from harmony_gen.training.loss import FormatLoss, Objective, Totals, collate
from harmony_gen.training.rollouts import constrained_rollouts, judged_rollouts, roll_out

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harmony_gen.training.examples import Example, Examples
    from harmony_gen.training.loss import Trace
    from harmony_gen.training.rollouts import Validator
    from harmony_gen.training.settings import Settings

_WORSE = 1.05
"""A held-out cross-entropy that has risen by so much is told."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        steps: that were made.
        before: the base, on the held-out examples; None without any.
        after: the adapter that was kept.
        adapter: its folder.
        stopped_early: there had been no progress for long.
    """

    steps: int
    before: Judgement | None
    after: Judgement | None
    adapter: Path
    stopped_early: bool


def finetune(settings: Settings, *, resume: bool = False, validator: Validator | None = None) -> Outcome:
    """Trains an adapter; the best by validity and field F1 of held-out examples is kept in the folder of the run.

    Args:
        settings: the run.
        resume: go on with the last checkpoint in its folder.
        validator: judges texts, in place of `settings.loss.validator`.

    Raises:
        TrainingError: the settings do not fit the model or the data, the loss is no number, or nothing can be written.
        ModelError: the model cannot be loaded.
    """
    return _Run(settings, validator).go(resume=resume)


class _Run:
    """One process of a run."""

    def __init__(self, settings: Settings, validator: Validator | None) -> None:
        run, self._settings = settings.run, settings
        run.out.mkdir(parents=True, exist_ok=True)
        AcceleratorState._reset_state()  # a run before this one may have had another precision
        cpu = settings.model.base == "embedded" or settings.model.device == "cpu"
        self._accelerator = Accelerator(
            cpu=cpu,
            mixed_precision=run.mixed_precision,
            log_with=journal.trackers(),
            project_config=ProjectConfiguration(project_dir=str(run.out), logging_dir=str(run.out / "logs")),
        )
        self._count, self._rank = self._accelerator.num_processes, self._accelerator.process_index
        device = str(self._accelerator.device) if settings.model.device == "auto" else settings.model.device
        self._generator = adapters.load_base(settings.model, device)
        _ = self._generator._vocabulary  # how the base likes its JSON spelled is found out before it changes
        self._learned, self._held_out, self._pool = self._data()
        torch.manual_seed(run.seed)
        self._model = adapters.attach(self._generator, settings.adapter)
        if run.checkpointing:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # the name that all releases of transformers 5 know
                self._model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
            self._model.enable_input_require_grads()
        self._validator = validator or _imported(settings.loss.validator)
        if self._validator is not None and settings.loss.forms != ("reward",):
            raise TrainingError('A validator of your own gives no masks: set loss.forms = ["reward"].')
        self._loss = FormatLoss(*(settings.loss.forms or ("gold",)), per=settings.loss.per)
        self._plain = Objective(self._model.eval(), self._loss)
        optimiser = torch.optim.AdamW(self._trainable.values(), lr=run.rate, weight_decay=run.decay)
        self._objective, self._optimiser = self._accelerator.prepare(self._plain, optimiser)
        self._state = checkpoints.State()
        self._rolled: list[Trace] = []

    @cached_property
    def _trainable(self) -> dict[str, torch.nn.Parameter]:
        return {name: weight for name, weight in self._model.named_parameters() if weight.requires_grad}

    def _data(self) -> tuple[list[Example], list[Example], list[Example]]:
        """Examples to learn from, held-out ones, and those that rollouts begin with."""
        data = self._settings.data
        train = self._read(data.train)
        learned, held_out = list(train.labelled), []
        if data.held_out is not None:
            held_out = list(self._read(data.held_out).labelled)
        elif data.held_out_share:
            random.Random(self._settings.run.seed).shuffle(learned)  # noqa: S311 - not secret
            size = int(data.held_out_share * len(learned))
            held_out, learned = learned[:size], learned[size:]
        more = [] if data.unlabelled is None else self._read(data.unlabelled).unlabelled
        if not learned:
            reasons = "; ".join(f"line {one.number}: {one.reason}" for one in train.problems[:3])
            raise TrainingError(
                f"Nothing can be learnt from {data.train}: no labelled example is left. {reasons}",
                lines=tuple(one.number for one in train.problems),
            )
        return learned, held_out, [*learned, *train.unlabelled, *more]

    def _read(self, path: Path) -> Examples:
        found = read_examples(path, self._generator, most=self._settings.data.most_tokens)
        self._tell(found.report())
        return found

    def _tell(self, text: str) -> None:
        if self._accelerator.is_main_process:
            tqdm.write(text)

    def go(self, *, resume: bool) -> Outcome:
        """See `finetune`."""
        run, state = self._settings.run, self._state
        if resume:
            self._restore()
            state = self._state
        elif checkpoints.exists(run.out):
            raise TrainingError(f"{run.out} holds a run: resume it, or choose another folder.")
        self._accelerator.init_trackers("harmony_gen")
        if not resume:
            self._pause()
        hidden = not self._accelerator.is_main_process
        with tqdm(total=run.steps, initial=state.step, unit="step", disable=True if hidden else None) as bar:
            while state.step < run.steps and not self._is_stuck:
                started = time.perf_counter()
                row = {**self._step(state.step), "seconds": time.perf_counter() - started}
                state.rows.append(row)
                state.step += 1
                bar.update()
                bar.set_postfix(
                    {name: f"{row[name]:.3f}" for name in ("ce", *self._loss.forms, "alpha") if name in row}
                )
                self._accelerator.log(row, step=state.step)
                if state.step % run.evaluate_every == 0 or state.step == run.steps:
                    self._pause()
        self._accelerator.end_training()
        if self._accelerator.is_main_process:
            self._tell(journal.draw(run.out, {"loss.csv": state.rows, "held_out.csv": state.judged}))
        return self._outcome()

    def _outcome(self) -> Outcome:
        judged = [_judgement(row) for row in self._state.judged]
        after = None if not judged else judged[-1] if self._state.best_at is None else judged[self._state.best_at]
        return Outcome(
            self._state.step,
            judged[0] if judged else None,
            after,
            self._settings.run.out / "adapter",
            self._state.step < self._settings.run.steps,
        )

    @property
    def _is_stuck(self) -> bool:
        """Whether there has been no progress for so many evaluations that it stops."""
        best, count = self._state.best_at, len(self._state.judged)
        return best is not None and count - 1 - best >= self._settings.run.patience

    def _step(self, step: int) -> dict[str, float]:
        """One step of the optimiser; returns its figures."""
        run, loss = self._settings.run, self._settings.loss
        torch.manual_seed((run.seed * 1_000_003 + step) * self._count + self._rank)
        alpha = loss.alpha.at(step, run.steps, self._state.flat_at) if loss.forms else 1.0
        if alpha == 1 or not (self._loss.is_free or self._loss.is_constrained):
            self._rolled = []
        elif not self._rolled or step % loss.reuse == 0 or step % run.evaluate_every == 0:
            self._rolled = self._roll(step)
        everything = [self._trace(index) for index in self._indices(step)]
        mine = everything[self._rank :: self._count]
        totals = sum(len(one.answer) for one in everything) / self._count, self._totals(everything)
        rate = self._rate(step)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        self._objective.train()
        found: defaultdict[str, list[float]] = defaultdict(list)
        for place in range(run.accumulate):
            part, rolled = mine[place :: run.accumulate], self._rolled[place :: run.accumulate]
            last = place == run.accumulate - 1
            with contextlib.nullcontext() if last else self._accelerator.no_sync(self._objective):
                terms = self._objective(*self._batches(part, rolled), alpha, totals)
                self._accelerator.backward(terms["loss"])
            for name, value in terms.items():
                found[name].append(float(value.detach()))
        # Those of validity are means, the others parts of a sum.
        figures = self._mean({name: sum(all_) / (len(all_) if "valid" in name else 1) for name, all_ in found.items()})
        norm = float(self._accelerator.clip_grad_norm_(self._trainable.values(), run.clip))
        scaled = run.mixed_precision == "fp16"  # then a gradient that overflows is the scaler's business
        self._check_numbers(step, [*figures.values(), *([] if scaled else [norm])], everything)
        self._optimiser.step()
        self._optimiser.zero_grad()
        self._note_entropy(step, figures["ce"])
        return {"step": step, "alpha": alpha, "rate": rate, **figures}

    def _batches(self, part: Sequence[Trace], rolled: Sequence[Trace]) -> tuple[Any, Any]:
        device = self._accelerator.device
        return collate(part, device), collate(rolled, device) if rolled else None

    def _totals(self, everything: Sequence[Trace]) -> Totals:
        """Of all processes together, for the mean of which gradients are taken."""
        parts = [[one for one in self._rolled if one.constrained is constrained] for constrained in (False, True)]
        sizes = torch.tensor([float(self._loss.size(part)) for part in parts], device=self._accelerator.device)
        over_all = self._accelerator.reduce(sizes, "sum").clamp(min=1.0) / self._count
        return Totals(self._loss.size(everything) / self._count, *over_all.tolist())

    def _mean(self, figures: dict[str, float]) -> dict[str, float]:
        """Of all processes; each has the same names but for those of rollouts, which may be missing in one."""
        names = ("loss", "ce", *self._loss.forms, "valid_gold", "p_valid")
        values = torch.tensor([[figures.get(name, 0.0), name in figures] for name in names], dtype=torch.double)
        sums = self._accelerator.reduce(values.to(self._accelerator.device, torch.float32), "sum").tolist()
        parts = {name: found for name, found in zip(names, sums, strict=True) if found[1]}
        return {name: total / (count if "valid" in name else self._count) for name, (total, count) in parts.items()}

    def _check_numbers(self, step: int, values: Sequence[float], traces: Sequence[Trace]) -> None:
        if all(map(torch.isfinite, map(torch.tensor, values))):
            return
        lines = tuple(sorted({one.number for one in traces}))
        raise TrainingError(
            f"The loss or its gradient is not a number at step {step} (lines {', '.join(map(str, lines))}). The last "
            f"good checkpoint, of step {self._state.saved}, is kept in {self._settings.run.out}. A lower run.rate, or "
            "no mixed precision, helps as a rule.",
            step=step,
            lines=lines,
        )

    def _note_entropy(self, step: int, entropy: float) -> None:
        self._state.entropies.append(entropy)
        if self._state.flat_at is None and is_flat(self._state.entropies):
            self._state.flat_at = step + 1

    def _rate(self, step: int) -> float:
        run = self._settings.run
        return run.rate * min(1.0, (step + 1) / (run.warmup + 1)) * (1 - step / run.steps)

    def _trace(self, index: int) -> Trace:
        trace = self._learned[index].trace
        assert trace is not None  # noqa: S101 - those learned from are labelled
        return trace

    def _indices(self, step: int) -> list[int]:
        """The examples of a step, of all processes: one shuffled pass over the data after another."""
        size, count = self._settings.run.batch_size * self._settings.run.accumulate * self._count, len(self._learned)
        places = range(step * size, (step + 1) * size)
        return [_order(self._settings.run.seed, place // count, count)[place % count] for place in places]

    def _roll(self, step: int) -> list[Trace]:
        loss = self._settings.loss
        drawn = random.Random(f"{self._settings.run.seed}/{step}/{self._rank}")  # noqa: S311 - not secret
        examples = drawn.sample(self._pool, min(loss.prompts, len(self._pool)))
        self._objective.eval()
        with self._accelerator.autocast():
            if self._validator is not None:
                return judged_rollouts(
                    self._generator, examples, self._validator, count=loss.samples, most=loss.most_tokens
                )
            ways = [roll_out] * self._loss.is_free + [constrained_rollouts] * self._loss.is_constrained
            made = [way(self._generator, examples, count=loss.samples, most=loss.most_tokens) for way in ways]
            return [trace for traces in made for trace in traces]

    def _pause(self) -> None:
        """Judges, and writes the adapter if it is the best so far, the checkpoint, and what there is to tell."""
        state, run = self._state, self._settings.run
        if self._held_out:
            self._judge()
        is_best = not state.judged or state.best_at == len(state.judged) - 1
        self._accelerator.wait_for_everyone()
        if self._accelerator.is_main_process:
            if is_best:
                adapters.save(self._model, self._generator._tokenizer, run.out / "adapter")
            checkpoints.save(self._state, self._trainable, self._optimiser, self._fingerprint, run.out)
            journal.write(run.out, "loss.csv", state.rows)
            journal.write(run.out, "held_out.csv", state.judged)
        state.saved = state.step
        self._accelerator.wait_for_everyone()

    def _judge(self) -> None:
        state, run = self._state, self._settings.run
        self._objective.eval()
        with self._accelerator.autocast():
            found = judge(
                self._generator, self._plain, self._held_out, most=self._settings.loss.most_tokens, judged=run.judged
            )
        lowest = min((row["ce"] for row in state.judged), default=found.ce)
        if state.flat_at is None and state.judged and found.ce > FLAT * lowest:
            state.flat_at = state.step
        state.judged.append({"step": state.step, **asdict(found)})
        self._accelerator.log({f"held_out/{name}": value for name, value in asdict(found).items()}, step=state.step)
        self._tell(f"step {state.step}: held-out CE {found.ce:.3f}, valid {found.valid:.1%}, field F1 {found.f1:.3f}")
        if found.ce > _WORSE * lowest:
            warnings.warn(
                f"At step {state.step} the held-out cross-entropy is {found.ce / lowest - 1:.0%} above its lowest: the "
                "model forgets what it could. Stop earlier, or lower run.rate.",
                UserWarning,
                stacklevel=2,
            )
        if state.best_at is None or found.rank > _judgement(state.judged[state.best_at]).rank:
            state.best_at = len(state.judged) - 1

    @property
    def _fingerprint(self) -> str:
        return self._settings.model_dump_json(exclude={"run": {"out"}})

    def _restore(self) -> None:
        out = self._settings.run.out
        self._state = checkpoints.load(self._trainable, self._optimiser, self._fingerprint, out)
        self._state.saved = self._state.step


def _judgement(row: dict[str, float]) -> Judgement:
    return Judgement(row["ce"], row["valid"], row["f1"])


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, count: int) -> list[int]:
    order = list(range(count))
    random.Random(f"{seed}/{epoch}").shuffle(order)  # noqa: S311 - not secret
    return order


def _imported(name: str | None) -> Validator | None:
    """The function that settings name as "module:function"."""
    if name is None:
        return None
    module, _, function = name.partition(":")
    try:
        found: Validator = getattr(import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise TrainingError(f'loss.validator must be "module:function" that can be imported: {error}') from error
    return found
