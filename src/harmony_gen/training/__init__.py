"""Fine-tuning that teaches the format: a loss with feedback of the validator, and LoRA adapters trained with it.

Importing this package loads torch and transformers.
"""

from harmony_gen.training.alpha import AlphaSchedule
from harmony_gen.training.examples import Example, Examples, read_examples
from harmony_gen.training.loss import FormatLoss, Objective, Trace, collate, free_validity, validity
from harmony_gen.training.masses import TokenSet, log_masses
from harmony_gen.training.rewards import schema_reward
from harmony_gen.training.rollouts import constrained_rollouts, judged_rollouts, roll_out
from harmony_gen.training.settings import Settings
from harmony_gen.training.trainer import Outcome, finetune

__all__ = [
    "AlphaSchedule",
    "Example",
    "Examples",
    "FormatLoss",
    "Objective",
    "Outcome",
    "Settings",
    "TokenSet",
    "Trace",
    "collate",
    "constrained_rollouts",
    "finetune",
    "free_validity",
    "judged_rollouts",
    "log_masses",
    "read_examples",
    "roll_out",
    "schema_reward",
    "validity",
]
