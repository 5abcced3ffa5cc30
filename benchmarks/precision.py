"""Which precision a CPU should hold weights in: speed, memory and error of fp32, 16 bit, 8 bit and 4 bit.

One llama of about 100 M parameters with random weights is held in each way (or two layers of a gpt-oss, with 16
of its 32 experts; its routers may choose other experts after rounding, which the errors then show). A row tells

    decode   tokens per second, one new token behind 256 cached ones, against fp32
    prefill  tokens per second of 256 new tokens in one pass, without the output head, against fp32
    weights  bytes of all weights and scales, against fp32
    error    of the logits, in standard deviations of those of fp32: the largest, and on average

Ways alternate within each round and medians are compared. Those whose package is missing are left out. Below stands
the peak of memory while `harmony_gen.models.load` reads the model, in a process of its own: bytes that are no copy
of a file, against the weights in fp32. The file holds bf16, which is used as it is, without a copy, where it fits.

    pip install bitsandbytes torchao
    python benchmarks/precision.py [--model gpt-oss] [--rounds 11] [--threads 2] [--save NAME]

`own` is what harmony_gen does on a CPU (with bf16): activations stay as they are. bitsandbytes (LLM.int8), torchao
`both` and `dynamic`, torch's own dynamic quantisation, which is deprecated, round activations to int8 too.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from common import Report, describe, reason
from transformers import (
    AutoModelForCausalLM,
    BitsAndBytesConfig,
    DynamicCache,
    GptOssConfig,
    LlamaConfig,
)
from transformers.utils.logging import disable_progress_bar

from harmony_gen import Generator
from harmony_gen.models import load, load_embedded
from harmony_gen.models.quantizer import Int8Config
from support import models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CACHED = 256
FP32, BF16, FP16 = torch.float32, torch.bfloat16, torch.float16


def plain(path: str, dtype: torch.dtype) -> Any:
    """The model in a floating point type."""
    return AutoModelForCausalLM.from_pretrained(path, dtype=dtype)


def bitsandbytes(path: str, dtype: torch.dtype, **bits: Any) -> Any:
    """Linear modules quantised by bitsandbytes, the rest in a floating point type."""
    config = BitsAndBytesConfig(**bits)
    return AutoModelForCausalLM.from_pretrained(path, dtype=dtype, quantization_config=config, device_map={"": "cpu"})


def own(path: str, dtype: torch.dtype) -> Any:
    """Linear modules held in int8 as `harmony_gen` does it on a CPU, the rest in a floating point type."""
    config = Int8Config()
    return AutoModelForCausalLM.from_pretrained(path, dtype=dtype, quantization_config=config, device_map={"": "cpu"})


def torchao(path: str, dtype: torch.dtype, config: str) -> Any:
    """Linear modules quantised by torchao."""
    from torchao import quantization

    model = plain(path, dtype)
    chosen = getattr(quantization, config)(version=2)
    quantization.quantize_(model.model, chosen)
    return model


def dynamic(path: str) -> Any:
    """Linear modules quantised by torch.ao, which takes fp32 only."""
    from torch.ao.quantization import quantize_dynamic

    model = plain(path, FP32)
    model.model = quantize_dynamic(model.model, {torch.nn.Linear}, dtype=torch.qint8)
    return model


NF4 = {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True}
WEIGHT_ONLY, BOTH = "Int8WeightOnlyConfig", "Int8DynamicActivationInt8WeightConfig"
WAYS: dict[str, Callable[[str], Any]] = {
    "fp32": partial(plain, dtype=FP32),
    "bf16": partial(plain, dtype=BF16),
    "fp16": partial(plain, dtype=FP16),
    "int8 bitsandbytes, rest bf16": partial(bitsandbytes, dtype=BF16, load_in_8bit=True),
    "int8 bitsandbytes, rest fp32": partial(bitsandbytes, dtype=FP32, load_in_8bit=True),
    "int8 own, rest bf16": partial(own, dtype=BF16),
    "int8 own, rest fp16": partial(own, dtype=FP16),
    "int8 own, rest fp32": partial(own, dtype=FP32),
    "int8 torchao weights, rest bf16": partial(torchao, dtype=BF16, config=WEIGHT_ONLY),
    "int8 torchao weights, rest fp32": partial(torchao, dtype=FP32, config=WEIGHT_ONLY),
    "int8 torchao both, rest bf16": partial(torchao, dtype=BF16, config=BOTH),
    "int8 dynamic, rest fp32": dynamic,
    "int4 bitsandbytes, rest bf16": partial(bitsandbytes, dtype=BF16, **NF4, bnb_4bit_compute_dtype=BF16),
    "int4 bitsandbytes, rest fp32": partial(bitsandbytes, dtype=FP32, **NF4, bnb_4bit_compute_dtype=FP32),
}


GPT_OSS_WAYS = ("fp32", "bf16", "int8 own, rest bf16", "int8 bitsandbytes, rest bf16")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--model", choices=("llama", "gpt-oss"), default="llama")
    arguments.add_argument("--rounds", type=int, default=11)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--save", metavar="NAME")
    arguments.add_argument("--peak-of", nargs=2, metavar=("PATH", "PRECISION"), help=argparse.SUPPRESS)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    disable_progress_bar()
    if options.peak_of:
        print(peak_of(*options.peak_of))
        return
    report = Report()
    with tempfile.TemporaryDirectory() as path, torch.inference_mode():
        name = save(path, options.model)
        generator = Generator(plain(path, FP32).eval(), models.embedded_tokenizer(), separators="compact")
        report.print(describe(generator, name))
        del generator
        names = GPT_OSS_WAYS if options.model == "gpt-oss" else tuple(WAYS)
        ways = ready(path, names, report)
        size = weight_bytes(ways["fp32"])
        compare(ways, options.rounds, report)
        ways.clear()
        report.print()
        for precision in ("fp32", "bf16", "int8", "int4"):
            report.print(f"loading as {precision}: at most {peak(path, precision) / size:.2f}")
    report.save(options.save)


def save(path: str, kind: str) -> str:
    """Saves a model with random weights and the embedded model's tokenizer; says what it is."""
    torch.manual_seed(0)
    shared = {"vocab_size": 32_000, "max_position_embeddings": 4096, "num_key_value_heads": 4}
    if kind == "llama":
        sizes = {"hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 12, "num_attention_heads": 12}
        config: Any = LlamaConfig(**shared, **sizes, tie_word_embeddings=True)
    else:
        config = GptOssConfig(
            **{**shared, "num_key_value_heads": 8}, num_hidden_layers=2, num_local_experts=16, sliding_window=4096
        )
    model = AutoModelForCausalLM.from_config(config, dtype=BF16)
    model.save_pretrained(path)
    models.embedded_tokenizer().save_pretrained(path)
    return f"{kind}, {model.config.num_hidden_layers} layers of {model.config.hidden_size}"


def peak(path: str, precision: str) -> int:
    """Most bytes that a process needs to load the model; freed memory goes back to the system at once."""
    command = [sys.executable, __file__, "--peak-of", path, precision]
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}
    run = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)  # noqa: S603 - itself
    return int(run.stdout)


def peak_of(path: str, precision: str) -> int:
    """Most bytes held while the model is loaded, beyond those that the packages take."""
    load_embedded()
    with contextlib.suppress(ImportError):
        import_module("bitsandbytes")
    before, most, done = held(), 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.001):
            most = max(most, held())

    watcher = threading.Thread(target=watch)
    watcher.start()
    load(path, precision=precision, device="cpu")
    done.set()
    watcher.join()
    return most - before


def held() -> int:
    """Bytes of this process that are no copy of a file."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))


def ready(path: str, names: Iterable[str], report: Report) -> dict[str, Any]:
    """The model in each of some ways, as far as they can be had here."""
    found = {}
    for name in names:
        try:
            model = WAYS[name](path).eval().requires_grad_(requires_grad=False)
            logits(model)
            found[name] = model
        except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
            report.print(f"{name}: left out, {reason(error)}")
    return found


def compare(ways: dict[str, Any], rounds: int, report: Report) -> None:
    """Times all ways in turn and prints a row for each."""
    caches = {name: cache_of(model) for name, model in ways.items()}
    decode: dict[str, list[float]] = {name: [] for name in ways}
    prefill: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, model in ways.items():
            prefill[name].append(seconds(lambda model=model: cache_of(model)))
            decode[name].append(statistics.median(step(model, caches[name]) for _ in range(8)))
    exact, size = logits(ways["fp32"]), weight_bytes(ways["fp32"])
    base = [statistics.median(found["fp32"]) for found in (decode, prefill)]
    report.print(f"fp32: decode {1 / base[0]:.1f} and prefill {CACHED / base[1]:.0f} tokens/s, {size / 1e6:.0f} MB")
    report.print(f"{'':<32}{'decode':>8}{'prefill':>9}{'weights':>9}{'largest error':>15}{'mean error':>12}")
    for name, model in ways.items():
        speed = [old / statistics.median(found[name]) for old, found in zip(base, (decode, prefill), strict=True)]
        error = (logits(model) - exact).abs() / exact.std()
        share = weight_bytes(model) / size
        report.print(f"{name:<32}{speed[0]:8.2f}{speed[1]:9.2f}{share:9.2f}{error.max():15.4f}{error.mean():12.5f}")


def cache_of(model: Any) -> DynamicCache:
    """The cache after a prompt."""
    cache = DynamicCache(config=model.config)
    model.model(input_ids=PROMPT, past_key_values=cache)
    return cache


def step(model: Any, cache: DynamicCache) -> float:
    """Seconds of one new token; the cache is left as it was."""
    taken = seconds(lambda: model(input_ids=PROMPT[:, :1], past_key_values=cache))
    cache.crop(-1)
    return taken


def seconds(act: Callable[[], Any]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def logits(model: Any) -> torch.Tensor:
    """For all tokens of a prompt, in float32."""
    found: torch.Tensor = model(input_ids=PROMPT).logits.float()
    return found


def weight_bytes(model: Any) -> int:
    """What the weights take when they are written, shared ones once: scales and packed weights are all counted."""
    state = copy.copy(model.state_dict())
    if model.config.tie_word_embeddings:
        state.pop("lm_head.weight", None)
    written = io.BytesIO()
    torch.save(state, written)
    return written.tell()


PROMPT = torch.randint(0, 32_000, (1, CACHED), generator=torch.Generator().manual_seed(1))

if __name__ == "__main__":
    main()
