"""Shared by all tests: two torch threads, the random-weight adversaries, the embedded model, the corpora."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["HARMONY_GEN_CACHE"] = "off"  # what is compiled is what is tested
if "PYTEST_XDIST_WORKER" in os.environ:  # threads of several processes that wait for one another take all the time
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
from hypothesis import settings

from harmony_gen import Generator, shortcut
from harmony_gen.models import embedded as default
from support import corpora, models

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHIPPED = default._ASSETS
default._ASSETS = models.SMALL  # it takes a tenth of the time; tests of what is shipped ask for that

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))

settings.register_profile("default", max_examples=50, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The directory of the embedded model as it is shipped, which is the default in this test."""
    monkeypatch.setattr(default, "_ASSETS", SHIPPED)
    shortcut._kept.cache_clear()
    yield SHIPPED
    shortcut._kept.cache_clear()


@pytest.fixture(scope="session")
def embedded() -> Generator:
    """The default model of the tests, which is small."""
    return Generator.embedded()


@pytest.fixture(scope="session")
def tiny() -> Generator:
    """A random-weight llama with the embedded model's tokenizer: quick, and an adversary."""
    return models.random_llama(models.embedded_tokenizer())


@pytest.fixture(scope="session")
def adversary() -> Generator:
    """A random-weight llama over the real 201,088-token vocabulary of gpt-oss."""
    return models.random_llama(corpora.gpt_oss_tokenizer(), width=201_088)
