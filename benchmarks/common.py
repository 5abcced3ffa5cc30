"""What several benchmarks need: models, `model.generate` writing freely or under another library, and reports.

Scripts of this folder import it; they are run as `python benchmarks/<name>.py`.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import transformers

from harmony_gen import Generator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Fresh = Callable[[], Any]  # a logits processor at the start of an answer
    Compile = Callable[[str], Fresh]  # from the text of a schema

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # for its `support`

RESULTS = ROOT / "benchmarks" / "results"


class Report:
    """Prints lines and keeps them."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def print(self, line: str = "") -> None:
        """Prints a line."""
        print(line, flush=True)
        self._lines.append(line)

    def save(self, name: str | None) -> None:
        """Writes what was printed to benchmarks/results/<name>.txt, if there is a name."""
        if name is not None:
            RESULTS.mkdir(exist_ok=True)
            (RESULTS / f"{name}.txt").write_text("\n".join(self._lines) + "\n")


def describe(generator: Generator, name: str) -> str:
    """A model, the machine, and the versions of what runs."""
    parameters = sum(parameter.numel() for parameter in generator._model.parameters()) / 1e6
    packages = ", ".join(f"{package} {version(package)}" for package in ("torch", "transformers", "llguidance"))
    machine = f"{platform.machine()}, {torch.get_num_threads()} threads, Python {platform.python_version()}"
    return f"{name}, {parameters:.1f} M parameters, {generator._model.dtype}, {machine}, {packages}"


def random_llama(tokenizer: Any, hidden: int = 512, layers: int = 8) -> Generator:
    """Weights drawn at random; about 128 M parameters with 201,088 tokens."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=3 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 64,
        num_key_value_heads=4,
        max_position_embeddings=8192,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    return Generator(transformers.LlamaForCausalLM(config).eval(), tokenizer, separators="compact")


def write(
    generator: Generator, prompt: list[int], most: int, *, rows: int = 1, **options: Any
) -> tuple[list[int], float]:
    """What `model.generate` writes greedily behind a prompt (in the first of equal rows), and in how many seconds."""
    inputs = torch.tensor([prompt] * rows, device=generator._model.device)
    started = time.perf_counter()
    with torch.inference_mode():
        output = generator._model.generate(
            inputs,
            attention_mask=torch.ones_like(inputs),
            max_new_tokens=most,
            do_sample=False,
            pad_token_id=0,
            **options,
        )
    return output[0, len(prompt) :].tolist(), time.perf_counter() - started


def free(generator: Generator, prompt: list[int], count: int) -> float:
    """Seconds of `model.generate` for `count` tokens."""
    tokens, seconds = write(generator, prompt, count, min_new_tokens=count)
    assert len(tokens) == count
    return seconds


class Peer:
    """Another library that constrains `model.generate`; each schema is compiled once, when it is first asked for."""

    def __init__(self, name: str, generator: Generator) -> None:
        """Readies one of PEERS for a model; raises what the library raises."""
        self.name = name
        self._generator = generator
        self._compile = PEERS[name][1](generator)
        self._compiled: dict[str, Fresh] = {}

    def ready(self, schema: Any) -> Fresh:
        """Compiles a schema."""
        text = json.dumps(schema)
        if text not in self._compiled:
            self._compiled[text] = self._compile(text)
        return self._compiled[text]

    def write(self, prompt: list[int], schema: Any, most: int) -> tuple[list[int], float]:
        """An answer and its seconds."""
        processor = self.ready(schema)()
        return write(self._generator, prompt, most, logits_processor=transformers.LogitsProcessorList([processor]))


def peers(names: Iterable[str], generator: Generator, report: Report) -> list[Peer]:
    """Those of some peers that can be used; of the others it is said why not."""
    usable = []
    for name in names:
        try:
            usable.append(Peer(name, generator))
            report.print(f"{name}: {version_of(PEERS[name][0])}")
        except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
            report.print(f"{name}: left out, {reason(error)}")
    return usable


def version_of(packages: str) -> str:
    """The versions of some packages, as far as they are known."""
    found = []
    for package in packages.split():
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} of unknown version")
    return ", ".join(found)


def reason(error: Exception) -> str:
    """An error in one line."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]:.120}"


def _outlines(backend: str) -> Callable[[Generator], Compile]:
    def make(generator: Generator) -> Compile:
        import outlines
        from outlines import backends

        engine = getattr(backends, backend)(outlines.from_transformers(generator._model, generator._tokenizer))

        def compile_(schema: str) -> Fresh:
            processor = engine.get_json_schema_logits_processor(schema)

            def fresh() -> Any:
                processor.reset()
                return processor

            return fresh

        return compile_

    return make


def _xgrammar(generator: Generator) -> Compile:
    xgrammar, hf = import_module("xgrammar"), import_module("xgrammar.contrib.hf")  # seldom installed
    width = generator._model.get_output_embeddings().weight.shape[0]
    info = xgrammar.TokenizerInfo.from_huggingface(generator._tokenizer, vocab_size=width)
    compiler = xgrammar.GrammarCompiler(info)

    def compile_(schema: str) -> Fresh:
        grammar = compiler.compile_json_schema(schema)
        return lambda: hf.LogitsProcessor(grammar)  # one serves one answer

    return compile_


PEERS: dict[str, tuple[str, Callable[[Generator], Compile]]] = {
    "outlines": ("outlines outlines_core", _outlines("OutlinesCoreBackend")),
    "outlines-llg": ("outlines llguidance", _outlines("LLGuidanceBackend")),
    "xgrammar": ("xgrammar", _xgrammar),
}
"""Their packages, and how they are made ready; outlines with its default backend, and with llguidance."""
