"""Memory of the decode loop beyond model, vocabulary and KV cache: the bar is 50 MB at 201,088 tokens.

    python benchmarks/loop_memory.py --o200k FILE   # a random llama over gpt-oss's vocabulary

For each schema two answers, greedy and sampled; printed is by how much what the process has allocated (mallinfo2, read
every 0.2 ms) grew at most behind the first token, the growth of the KV cache subtracted. Needs glibc.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import threading

import torch
from common import Report, describe, random_llama
from overhead import TEXT, schemas

from harmony_gen import Done, Generator, Sampling, Schema

MB = 2**20
PAUSE = 2e-4  # seconds


class MallInfo(ctypes.Structure):
    """glibc's mallinfo2: sizes in bytes."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
    ]


LIBC = ctypes.CDLL("libc.so.6")
LIBC.mallinfo2.restype = MallInfo


def allocated() -> int:
    """Bytes in use."""
    info = LIBC.mallinfo2()
    return int(info.uordblks + info.hblkhd)


class Watch(threading.Thread):
    """Looks again and again how much is in use.

    Attributes:
        most: bytes in use at most.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = allocated()
        self._over = threading.Event()

    def run(self) -> None:
        """See `threading.Thread`."""
        while not self._over.wait(PAUSE):
            self.most = max(self.most, allocated())

    def stop(self) -> int:
        """Ends; returns the most."""
        self._over.set()
        self.join()
        return self.most


def growth(generator: Generator, schema: Schema[object], budget: int, sampling: Sampling) -> int:
    """Bytes by which what is in use grew at most behind the first token of an answer."""
    generator._prefixes.clear()
    events = generator.stream(TEXT, schema, max_new_tokens=budget, sampling=sampling)
    next(events)
    gc.collect()
    before, watch = allocated(), Watch()
    watch.start()
    *_, last = events
    assert isinstance(last, Done)
    return watch.stop() - before - last.result.usage.new_tokens * _bytes_per_token(generator)


def _bytes_per_token(generator: Generator) -> int:
    """Keys and values of a llama."""
    config = generator._model.config
    size = torch.finfo(generator._model.dtype).bits // 8
    return int(2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim * size)


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--o200k", metavar="FILE", required=True, help="o200k_base.tiktoken")
    parser.add_argument("--budget", type=int, default=256, help="max_new_tokens")
    parser.add_argument("--save", metavar="NAME", help="writes the table to benchmarks/results/NAME.txt")
    options = parser.parse_args()
    torch.set_num_threads(1)
    from support.corpora import o200k_tokenizer

    generator = random_llama(o200k_tokenizer(options.o200k), hidden=256, layers=2)
    generator.generate("x", {"type": "string"}, max_new_tokens=20)  # what is made once is there
    report = Report()
    report.print(describe(generator, "random llama, 201,088 tokens"))
    report.print("MB greedy  MB sampled  schema")
    for name, source in schemas().items():
        schema = Schema.of(source)
        greedy = growth(generator, schema, options.budget, Sampling())
        sampled = growth(generator, schema, options.budget, Sampling(temperature=1.0, top_p=0.9, seed=1))
        report.print(f"{greedy / MB:9.1f}  {sampled / MB:10.1f}  {name}")
    report.save(options.save)


if __name__ == "__main__":
    main()
