"""Reports in a terminal, in Markdown, and as a page that a real browser shows."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from harmony_gen.evaluation import Options, Report, compare, evaluate
from harmony_gen.evaluation.page import as_page, example
from harmony_gen.evaluation.writing import as_json, as_markdown, show

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "total": {"type": "number"}, "note": {"type": ["string", "null"]}},
}
SOURCE = (
    "Invoice of Müller & <b>Söhne</b>\n" + "word " * 60 + "in all 2,870 EUR, 12 of them paid. <script>alert(1)</script>"
)
OPTIONS = Options(resamples=50)
CHROMIUM = shutil.which("chromium")


def report() -> Report:
    """Two documents: one with each kind of fault, one without."""
    value = {"name": "Müller & <b>Söhne</b>", "total": 2870, "note": None}
    start = SOURCE.index("2,870")
    gold = [
        {"id": "a|b", "value": value, "spans": {"/total": [start, start + 5]}, "source": SOURCE},
        {"id": "c", "value": value},
    ]
    twelve = SOURCE.index("12 of")
    wrong = {"total": 12, "note": "<script>alert(1)</script>"}
    fields = {
        "/total": {"confidence": 0.9, "allowed_mass": 0.5, "source_span": [twelve, twelve + 2]},
        "/note": {"confidence": 0.3, "source_span": None},
    }
    answers = [{"id": "a|b", "value": wrong, "fields": fields}, {"id": "c", "value": value}]
    free = [{"id": "a|b", "value": wrong}, {"id": "c", "error": "no JSON"}]
    return evaluate(answers, gold, SCHEMA, free=free, options=OPTIONS)


def page() -> str:
    made = report()
    assert made.free is not None
    return as_page(made, "Run <1>", compare(made, made, options=OPTIONS), compare(made.free, made, options=OPTIONS))


class Marks(HTMLParser):
    """What a page marks, what its figures are, and whatever it must not have."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.outside: list[str] = []
        self.marked: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.outside += [value or "" for name, value in attrs if name in ("src", "href", "onload", "onerror")]
        if tag == "mark":
            self.marked.append((dict(attrs)["class"] or "", ""))

    def handle_data(self, data: str) -> None:
        if self.marked and self.marked[-1][1] == "":
            self.marked[-1] = (self.marked[-1][0], data)


def test_a_page_needs_nothing_else_and_runs_nothing() -> None:
    text = page()
    found = Marks(text)
    assert found.outside == []
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(found.tags)
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "default-src 'none'" in text
    assert "prefers-color-scheme: dark" in text
    assert "url(" not in text
    assert re.findall(r"https?://[^\s\"]+", text) == []
    assert "<title>Run &lt;1&gt;</title>" in text


def test_mistakes_are_marked_where_they_stand() -> None:
    assert set(Marks(page()).marked) == {
        ("gold", "2,870"),
        ("given", "12"),
        ("gold", "Müller & <b>Söhne</b>"),
        ("given", "<script>alert(1)</script>"),
    }


def test_parts_of_a_source_far_apart_are_shown_alone() -> None:
    made = report()
    total = next(one for one in made.mistakes if one.field == "/total")
    text = "x" * 500 + "2,870" + "y" * 500 + "12" + "z" * 500
    far = replace(total, gold_span=(500, 505), span=(1005, 1007))
    shown = "".join(piece.text for piece in example(far, text).pieces)
    assert shown == f" … {'x' * 90}2,870{'y' * 90} … {'y' * 90}12{'z' * 90} … "
    same = replace(far, span=(502, 505))
    assert [(piece.text, piece.mark) for piece in example(same, text).pieces if piece.mark] == [
        (" … ", "gap"), ("2,", "gold"), ("870", "both"), (" … ", "gap"),
    ]  # fmt: skip
    beyond = example(replace(far, gold_span=(9000, 9005), span=None), SOURCE)  # of another text
    assert all(piece.mark != "gold" for piece in beyond.pieces)


def test_values_that_stand_nowhere_are_said_to() -> None:
    made = report()
    note = next(one for one in made.mistakes if one.field == "/note")
    assert example(note, "nothing of it").is_made_up
    assert not example(note, SOURCE).is_made_up
    assert example(note, None).pieces == ()


def test_markdown_stays_in_its_cells() -> None:
    text = as_markdown(report())
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert any("a\\|b" in row for row in rows)
    assert all(len(re.findall(r"(?<!\\)\|", row)) in (4, 7, 11) for row in rows)
    assert "<script>" not in text


def test_nothing_that_a_terminal_obeys_and_no_half_characters(tmp_path: Path) -> None:
    odd = "\x1b[31m\ud800\u202e"
    schema = {"type": "object", "additionalProperties": {"type": "string"}}
    gold = {"id": odd, "value": {odd: "a"}}
    made = evaluate([{"id": odd, "value": {odd: odd}}, {"id": odd + "2", "value": 1}], [gold], schema, options=OPTIONS)
    file = io.TextIOWrapper(io.BytesIO(), "utf-8")
    show(made, file)
    file.seek(0)
    text = file.read() + as_markdown(made)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\x1b" in text
    written = tmp_path / "r.json"
    written.write_text(as_json(made), "utf-8", errors="backslashreplace")
    assert json.loads(written.read_text("utf-8"))["mistakes"][0]["id"] == odd


def test_a_terminal_shows_scores_fields_and_mistakes() -> None:
    made = report()
    file = io.StringIO()
    show(made, file, compare(made, made, options=OPTIONS))
    text = file.getvalue()
    for words in ("Documents: 2", "F1 of all values", "/total", "invented", "Against the baseline", "a|b", "0.90"):
        assert words in text
    assert max(map(len, text.splitlines())) <= 120
    assert "\x1b" not in text


def test_a_report_without_faults_says_so() -> None:
    gold = [{"id": "1", "value": {"name": "x"}}]
    made = evaluate(gold, gold, SCHEMA, options=OPTIONS)
    text = as_page(made)
    assert '<p class="note">None.</p>' in text
    assert "Do confidences" not in text
    assert "Mistakes" not in as_markdown(made)


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_the_page(tmp_path: Path, scheme: str) -> None:
    """A real browser draws the bars, the diagram and the marks, in colours that can be read."""
    from PIL import Image

    (tmp_path / "page.html").write_text(page(), "utf-8")
    run = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--no-first-run", f"--user-data-dir={tmp_path / 'profile'}",
            f"--blink-settings=preferredColorScheme={int(scheme == 'light')}", "--hide-scrollbars",
            "--window-size=1000,2600", f"--screenshot={tmp_path / 'page.png'}", (tmp_path / "page.html").as_uri(),
        ],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    with Image.open(tmp_path / "page.png") as image:
        picture = image.convert("RGB")
    assert picture.size == (1000, 2600)
    colours = {colour: count for count, colour in picture.getcolors(1 << 24) or []}
    background, bars, marks = {
        "light": ((0xF6, 0xF7, 0xF9), ["3b76c4", "dd8a1f", "98a2b0", "b0457f"], ["cfe3fb", "fbe0b8"]),
        "dark": ((0x12, 0x16, 0x1D), ["5f9be6", "e5a34b", "6d7889", "d074a5"], ["234a78", "6b4512"]),
    }[scheme]
    assert picture.getpixel((2, 2)) == background
    assert colours[background] > 100_000
    for name in [*bars, *marks]:
        assert colours.get(tuple(bytes.fromhex(name)), 0) > 100, name
    bar = _rows(picture, tuple(bytes.fromhex(bars[0])))
    assert max(bar) > 150  # the longest bar is a bar, not a line


def _rows(picture: Any, colour: tuple[int, ...]) -> list[int]:
    """For every tenth row of a picture, how many of its pixels have a colour."""
    width, height = picture.size
    return [
        sum(picture.getpixel((column, row)) == colour for column in range(width))
        for row in range(0, min(height, 900), 10)
    ]
