from __future__ import annotations

import pytest

from harmony_gen import demo
from harmony_gen.cli import main


@pytest.mark.usefixtures("shipped")
def test_the_demo_shows_every_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo"]) == 0
    shown = capsys.readouterr().out
    for _, model, title in demo.DOCUMENTS:
        assert f"{title} -> {model.__name__}" in shown
    assert f"{len(demo.DOCUMENTS)} documents" in shown
