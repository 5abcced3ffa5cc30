"""The reward function, alone and under TRL."""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import pytest

from harmony_gen import Schema, SchemaError
from harmony_gen.training import schema_reward

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


def test_valid_is_one_and_others_are_worth_how_far_they_came() -> None:
    whole = '{"name": "Ann", "age": 5}'
    chat = [{"role": "assistant", "content": whole}]
    assert schema_reward(["p", "p"], [whole, chat], [[1], [2]], schema=SCHEMA, other=[1, 2]) == [1.0, 1.0]
    texts = ["", "no", '{"name":', '{"name":"Ann",', '{"name": "Ann", "age": x}', '{"name":"Ann","age":5']
    rewards = schema_reward(None, texts, schema=[json.dumps(SCHEMA)] * len(texts))
    assert rewards == sorted(rewards)
    assert rewards[:2] == [0.0, 0.0]
    assert rewards[2] < rewards[3] < rewards[4] < rewards[5] < 0.3
    assert schema_reward(None, ["AB-1", "AB_1"], schema=[Schema.from_regex("[A-Z]+-1")] * 2)[0] == 1


def test_a_schema_for_each_completion_or_one_for_all() -> None:
    with pytest.raises(ValueError, match="1 schemas for 2 completions"):
        schema_reward(None, ["1", "2"], schema=[{"type": "integer"}])
    with pytest.raises(SchemaError):
        schema_reward(None, ["1"], schema={"type": "whole"})


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("trl") is None, reason="trl is not installed: GRPOTrainer was NOT tried")
@pytest.mark.filterwarnings("ignore")
def test_it_rewards_under_trl(tmp_path: Any, tiny: Any) -> None:
    from datasets import Dataset
    from transformers import LlamaForCausalLM
    from trl import GRPOConfig, GRPOTrainer

    rows = [{"prompt": f"{n} is 5", "schema": json.dumps(SCHEMA)} for n in ("Ann", "Bo")]
    options: dict[str, Any] = {"num_generations": 2, "per_device_train_batch_size": 2, "max_completion_length": 8}
    arguments = GRPOConfig(
        str(tmp_path), max_steps=1, use_cpu=True, bf16=False, report_to=[], logging_steps=1, **options
    )
    model = LlamaForCausalLM(tiny._model.config)
    trained = GRPOTrainer(
        model,
        reward_funcs=schema_reward,
        args=arguments,
        train_dataset=Dataset.from_list(rows),
        processing_class=tiny._tokenizer,
    )
    trained.train()
    assert "rewards/schema_reward/mean" in trained.state.log_history[0]
