"""A model whose matrices are split over two processes answers as it does in one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from laws.test_architectures import SCHEMA, build

if TYPE_CHECKING:
    import pytest

PROGRAM = """
import json, sys
import torch
import torch.distributed
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.distributed import DistributedConfig
from harmony_gen import Generator

torch.set_num_threads(1)
torch.distributed.init_process_group("gloo")
path, schema = sys.argv[1], json.loads(sys.argv[2])
model = AutoModelForCausalLM.from_pretrained(path, distributed_config=DistributedConfig(tp_size=2)).eval()
generator = Generator(model, AutoTokenizer.from_pretrained(path))
rows = generator.generate_batch(["hello", "a second prompt", "hello"], schema, max_new_tokens=50)
split = model.model.layers[0].self_attn.q_proj.weight
rank = torch.distributed.get_rank()
torch.save([[row.text for row in rows], list(split.to_local().shape)], f"{path}/rank{rank}")
torch.distributed.destroy_process_group()
"""


def test_two_processes_answer_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = build("llama", "plain", torch.float32)
    generator._model.save_pretrained(tmp_path)
    generator._tokenizer.save_pretrained(tmp_path)
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, "utf-8")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*command, str(program), str(tmp_path), json.dumps(SCHEMA)], capture_output=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    alone = [generator.generate(prompt, SCHEMA, max_new_tokens=50).text for prompt in ("hello", "a second prompt")]
    for rank in range(2):
        texts, shape = torch.load(tmp_path / f"rank{rank}")
        assert texts == [*alone, alone[0]]
        assert shape == [32, 64]  # half of the rows of the matrix
