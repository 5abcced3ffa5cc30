"""One step of learning, loss on answers only: Muon and AdamW from nothing, AdamW alone for what was pretrained."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from finetune.embedded import attention
from finetune.embedded.muon import Muon
from finetune.embedded.scales import ScaleAdam
from harmony_gen.models import packed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from finetune.embedded.batches import Batch

_WARM_STEPS = 60
_DECAY_FROM = 0.7
_LOWEST = 0.02
_CLIP = 1.0
_MATRIX = 2
_SHARE = "share"


@dataclass(frozen=True)
class Way:
    """How a network learns.

    Attributes:
        rate: highest learning rate.
        is_pretrained: whether it is a language model already, and learns as those do.
        frozen: layers at the bottom that stay as they are.
        packed: whether matrices are rounded while it learns as `harmony_gen.models.packed` rounds them.
        entries: of a pretrained one, the share of the rate at which entries of tokens learn; at the full rate they lose
            what they knew of tokens that the tasks seldom use.
        scales: of a rounded one, whether its weights keep their levels, and only what a level is worth is learnt.
    """

    rate: float = 4e-3
    is_pretrained: bool = False
    frozen: int = 0
    packed: bool = False
    entries: float = 1.0
    scales: bool = False


class Learner:
    """A network and its optimisers."""

    def __init__(self, model: Any, device: str, way: Way) -> None:
        """Prepares a network for training.

        Args:
            model: the network.
            device: where it learns: "cpu" or "cuda".
            way: how it learns.
        """
        self.device = torch.device(device)
        self.model = model.to(device).train()
        self.way = way
        self.dtype = torch.bfloat16 if has_bfloat16(self.device) else torch.float32
        for layer in model.model.layers[: way.frozen]:
            layer.requires_grad_(requires_grad=False)
        self._optimisers = (
            self._pretrained_optimiser() if way.is_pretrained or way.scales else self._optimisers_from_nothing()
        )
        if self.device.type == "cpu":
            attention.register()
            self.model.set_attn_implementation(attention.NAME)

    def _optimisers_from_nothing(self) -> list[torch.optim.Optimizer]:
        named = list(self.model.named_parameters())
        hidden = [weight for name, weight in named if weight.ndim == _MATRIX and "embed" not in name]
        others = [weight for name, weight in named if weight.ndim != _MATRIX or "embed" in name]
        return [
            Muon(hidden, self.way.rate, dtype=self.dtype),
            torch.optim.AdamW(others, lr=self.way.rate, betas=(0.9, 0.98), weight_decay=0.0),
        ]

    def _pretrained_optimiser(self) -> list[torch.optim.Optimizer]:
        """One for all, of the kind it was pretrained with; on wide matrices Muon takes a third of the time, too."""
        entries = self.model.get_input_embeddings().weight
        learning = [weight for weight in self.model.parameters() if weight.requires_grad and weight is not entries]
        groups: list[dict[str, Any]] = [{"params": learning}, {"params": [entries], _SHARE: self.way.entries}]
        if self.way.scales:
            return [ScaleAdam(groups, self.way.rate)]
        return [torch.optim.AdamW(groups, lr=self.way.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)]

    def step(self, batch: Batch, number: int, progress: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Learn one batch.

        Args:
            batch: the batch.
            number: of steps before this one.
            progress: share of the plan that has been read, 0 to 1.

        Returns:
            Mean loss and share of right tokens, as scalars on the device; reading them waits for the step.
        """
        tokens, places, targets = (self._sent(part) for part in (batch.tokens, batch.places, batch.targets))
        with self._as_shipped():
            with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
                # (rows, length, width); right padding is never looked at by what comes before it
                entries = self.model.model.embed_tokens(tokens)
                entries = entries.detach() if self.way.frozen else entries  # nothing is learnt below frozen layers
                hidden = self.model.model(inputs_embeds=entries, use_cache=False).last_hidden_state
                logits = self.model.lm_head(hidden.flatten(0, 1).index_select(0, places))  # (targets, vocabulary)
            loss = functional.cross_entropy(logits.float(), targets)
            torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), _CLIP, foreach=True)
        self._update(self.way.rate * slope(number, progress))
        with torch.no_grad():
            guessed = logits.gather(1, targets[:, None])[:, 0] == logits.amax(-1)  # faster than argmax on a CPU
            return loss.detach(), guessed.float().mean()

    def state(self) -> dict[str, Any]:
        """Weights and optimisers, to be continued from."""
        return {
            "model": self.model.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self._optimisers],
            "random": torch.get_rng_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a state."""
        self.model.load_state_dict(state["model"])
        for optimiser, kept in zip(self._optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
        torch.set_rng_state(state["random"].cpu())

    @contextmanager
    def _as_shipped(self) -> Iterator[None]:
        """Within the block matrices are rounded as the package packs them; what they learn goes to the exact ones.

        The gradient of the rounded weight stands for that of the exact one (Bengio et al. 2013).
        """
        matrices = [weight for weight in self.model.parameters() if weight.ndim == _MATRIX] if self.way.packed else []
        exact = [weight.data for weight in matrices]
        for weight in matrices:
            weight.data = packed.rounded(weight.data)
        try:
            yield
        finally:
            for weight, kept in zip(matrices, exact, strict=True):
                weight.data = kept

    def _update(self, rate: float) -> None:
        for optimiser in self._optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate * group.get(_SHARE, 1.0)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

    def _sent(self, array: Any) -> torch.Tensor:
        tensor = torch.from_numpy(array)
        return tensor.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else tensor


def has_bfloat16(device: torch.device) -> bool:
    """Whether products of bfloat16 are quicker than those of float32 there: a CPU needs instructions for them."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def slope(number: int, progress: float) -> float:
    """The learning rate as a share of the highest: a short rise, then level, a linear decay over the last 30 %."""
    rise = min(1.0, (number + 1) / _WARM_STEPS)
    return rise * min(1.0, max(_LOWEST, (1 - progress) / (1 - _DECAY_FROM)))
