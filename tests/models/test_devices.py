"""`harmony-gen memory`: what it says is what loaded models really take, and splits are the smallest that work."""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import (
    AutoModelForCausalLM,
    DynamicCache,
    GptOssConfig,
    LlamaConfig,
    MambaConfig,
    MistralConfig,
    T5Config,
)

from harmony_gen import cli
from harmony_gen.errors import ModelError
from harmony_gen.models import devices, footprint, load, memory, report
from support import models

if TYPE_CHECKING:
    from pathlib import Path

# On its first forward pass bitsandbytes compiles with torch.jit, which warns of its own retirement.
jit_warns = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")

SIZES: dict[str, Any] = {
    "vocab_size": 3072,
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 4,
    "num_attention_heads": 8,
    "bos_token_id": None,
    "pad_token_id": None,
}
CONFIGS = {
    "full attention": LlamaConfig(**SIZES),
    "grouped heads": LlamaConfig(**SIZES, num_key_value_heads=2, tie_word_embeddings=True),
    "sliding window": MistralConfig(**SIZES, num_key_value_heads=4, sliding_window=64),
    "experts, every other layer with a window": GptOssConfig(
        **SIZES, num_key_value_heads=4, head_dim=32, num_local_experts=4, num_experts_per_tok=2, sliding_window=64
    ),
}
CONTEXT, BATCH = 200, 8


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    paths = {}
    for name, config in CONFIGS.items():
        paths[name] = tmp_path_factory.mktemp("model")
        torch.manual_seed(0)
        AutoModelForCausalLM.from_config(config, dtype=torch.float32).save_pretrained(paths[name])
        models.embedded_tokenizer().save_pretrained(paths[name])
    return paths


def measured(model: Any) -> tuple[int, int]:
    """Bytes of a model's weights, and of the cache of a batch."""
    cache = DynamicCache(config=model.config)
    with torch.no_grad():
        model(input_ids=torch.ones(BATCH, CONTEXT, dtype=torch.long), past_key_values=cache, use_cache=True)
    tensors = [*model.parameters(), *model.buffers()]
    beside = [weight.SCB for weight in tensors if getattr(weight, "SCB", None) is not None]
    held = [tensor for layer in cache.layers for tensor in (layer.keys, layer.values)]
    return sum(tensor.nbytes for tensor in tensors + beside), sum(tensor.nbytes for tensor in held)


def mebibytes(cell: str) -> float:
    number, unit = cell.split()
    return float(number) * {"MiB": 1, "GiB": 1024}[unit]


@jit_warns
@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
def test_the_command_tells_what_is_measured(
    saved: dict[str, Path], kind: str, precision: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["memory", str(saved[kind]), "--precision", precision, "--context", str(CONTEXT), "--batch", str(BATCH)]
    assert cli.main(asked) == 0
    out, err = capsys.readouterr()
    assert err == ""
    cells = re.split(r"  +", out.splitlines()[3])
    assert cells[0] == precision
    told = [mebibytes(cell) * 2**20 for cell in cells[1:5]]
    weights, cache = measured(load(str(saved[kind]), precision=precision, device="cpu").model)
    assert told[0] == pytest.approx(weights, rel=0.1)
    assert told[1] == pytest.approx(cache, rel=0.1)
    assert told[3] == pytest.approx(sum(told[:3]), abs=0.2 * 2**20)


def test_a_table_of_all_precisions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    GptOssConfig(num_hidden_layers=24, num_local_experts=32).save_pretrained(tmp_path)
    file = (tmp_path / "config.json").rename(tmp_path / "gpt-oss-20b.json")
    assert cli.main(["memory", str(file), "--device-memory", "24 GiB"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{file}: gpt_oss, 20.9 B parameters, stored as bf16; 1 row of 4096 tokens"
    assert [line.split()[0] for line in lines[3:7]] == ["fp32", "bf16", "int8", "int4"]
    free = devices.present()["cpu"]
    assert abs(mebibytes(lines[2].split("cpu, ")[1].removesuffix(" free")) * 2**20 - free) < 2**30
    assert lines[3].endswith("GiB")  # lacks some
    assert lines[-2] == "int8: 1 device of 24.0 GiB."
    assert lines[-3] == "bf16: 2 devices of 24.0 GiB, with the layers 0-13, 14-23."


@pytest.mark.parametrize(
    ("own", "rows"),
    [
        ({"quant_method": "mxfp4"}, ["fp32", "bf16", "int8", "mxfp4"]),
        ({"quant_method": "gptq", "bits": 4}, ["int4"]),
        (None, ["fp32", "bf16", "int8", "int4"]),
    ],
)
def test_rows_are_what_can_be_loaded(own: Any, rows: list[str]) -> None:
    config = LlamaConfig(**SIZES, quantization_config=own)
    lines = report.table("x", config).splitlines()
    assert [line.split()[0] for line in lines[3 : 3 + len(rows)]] == rows
    assert ("kernels" in lines[-1]) is (rows[-1] == "mxfp4")
    assert "2 rows of 9 tokens" in report.table("x", config, batch=2, context=9)


def test_verdicts(monkeypatch: pytest.MonkeyPatch) -> None:
    config = CONFIGS["full attention"]
    need = memory.estimate(config, precision="fp32").total
    for free, verdict in ((need, "fits"), (need - 2**21, "lacks 2.0 MiB")):
        monkeypatch.setattr(memory, "available", lambda _, free=free: free)
        assert report.table("x", config, precision="fp32").endswith(f"  {verdict}")

    def unknown(_: str) -> int:
        raise ModelError("not told")

    monkeypatch.setattr(memory, "available", unknown)
    assert devices.present() == {}
    assert report.table("x", config, precision="fp32").splitlines()[2].endswith(" total")
    assert report.table("x", config, precision="fp32", device_bytes=1000).endswith("too small, however many there are.")


@pytest.mark.parametrize(
    ("text", "count"),
    [("24GiB", 24 * 2**30), ("80GB", 80 * 10**9), ("1.5 gib", 3 * 2**29), ("512M", 512 * 10**6), ("2Ti", 2**41)],
)
def test_sizes(text: str, count: int) -> None:
    assert devices.size(text) == count


@pytest.mark.parametrize("text", ["", "24", "GiB", "0GB", "-1GB", "1PB", "1 0GB"])
def test_what_is_no_size(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["memory", "x", f"--device-memory={text}"]) == 1
    assert "is not a size of memory. Give a number with a unit" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [("{bad", "cannot be used"), ('{"model_type": "unheard-of"}', "cannot be used"), (None, "There is no directory")],
)
def test_configurations_that_cannot_be_read(
    tmp_path: Path, content: str | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.json"
    if content is not None:
        file.write_text(content)
    assert cli.main(["memory", str(file)]) == 1
    assert message in capsys.readouterr().err


def test_no_causal_language_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.json").write_text(json.dumps(T5Config().to_dict()))
    assert cli.main(["memory", str(tmp_path)]) == 1
    assert "No causal language model can be built from this T5Config" in capsys.readouterr().err


@cache
def parts_of(kind: str, precision: str) -> tuple[float, list[float], float, float]:
    """Bytes beside the layers on every device, of each layer, of the embeddings, and of the head where it is alone."""
    config = CONFIGS[kind]
    weights = footprint.weights(config, precision)
    need = memory.estimate(config, precision=precision, context=CONTEXT, batch=BATCH)
    values = footprint.cached_values(config, CONTEXT)
    layers = [held + need.kv_cache * count / sum(values) for held, count in zip(weights.layers, values, strict=True)]
    return need.activations, layers, weights.before, weights.after + weights.tied


def loads(kind: str, precision: str, parts: tuple[range, ...]) -> list[float]:
    """Bytes on each device of a split, counted in another way than the code does."""
    everywhere, layers, before, after = parts_of(kind, precision)
    found = [everywhere + sum(layers[index] for index in part) for part in parts]
    found[0] += before
    found[-1] += after if len(parts) > 1 else after - footprint.weights(CONFIGS[kind], precision).tied
    return found


def smallest(kind: str, precision: str, size: int) -> int | None:
    """The least number of devices, found by trying all splits."""
    count = len(parts_of(kind, precision)[1])
    for cuts in range(count + 2):
        for chosen in combinations(sorted([*range(count + 1)] * 2), cuts):
            parts = tuple(range(start, end) for start, end in pairwise([0, *chosen, count]))
            if max(loads(kind, precision, parts)) <= size:
                return len(parts)
    return None


@given(kind=st.sampled_from(list(CONFIGS)), precision=st.sampled_from(memory.WIDTHS), share=st.floats(0.1, 1.1))
def test_splits_are_the_smallest_that_work(kind: str, precision: str, share: float) -> None:
    config = CONFIGS[kind]
    size = round(share * memory.estimate(config, precision=precision, context=CONTEXT, batch=BATCH).total)
    parts = devices.split(config, size, precision=precision, context=CONTEXT, batch=BATCH)
    assert (len(parts) if parts else None) == smallest(kind, precision, size)
    if parts is not None:
        assert [index for part in parts for index in part] == list(range(4))
        assert max(loads(kind, precision, parts)) <= size + 1


def test_splits_follow_the_checkpoint() -> None:
    config = LlamaConfig(**SIZES, dtype="float16")
    size = memory.estimate(config, precision="bf16").total - 1
    assert devices.split(config, size, precision="auto") == devices.split(config, size, precision="bf16")
    recurrent = MambaConfig(vocab_size=500, hidden_size=64, num_hidden_layers=2, state_size=8)
    size = memory.estimate(recurrent, precision="bf16").total - 1
    assert devices.split(recurrent, size, precision="bf16") == (range(2), range(2, 2))


def test_layers_that_cannot_be_found_are_not_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footprint, "_layers", lambda *_: [])
    config = CONFIGS["full attention"]
    need = memory.estimate(config, precision="fp32").total
    assert devices.split(config, need, precision="fp32") == (range(0),)
    assert devices.split(config, need - 1, precision="fp32") is None
