"""What was compiled once is found again as long as nothing has changed, and never otherwise."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import xmlschema

from harmony_gen import Generator, Schema, SchemaError, ValidationError
from harmony_gen.schema import disk
from harmony_gen.schema.xsd import compiled, compiling, loading
from harmony_gen.schema.xsd import plan as plans
from harmony_gen.schema.xsd.options import Options
from harmony_gen.schema.xsd.origin import origin
from harmony_gen.schema.xsd.references import Head

HEAD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" '
MAIN = (
    HEAD + 'xmlns="urn:a" xmlns:b="urn:b" targetNamespace="urn:a" elementFormDefault="qualified">'
    '<xs:annotation><xs:documentation>x</xs:documentation></xs:annotation><xs:include schemaLocation="parts.xsd"/>'
    '<xs:import namespace="urn:b" schemaLocation="sub/b.xsd"/><xs:element name="a"><xs:complexType><xs:sequence>'
    '<xs:element name="word" type="Word"/><xs:element ref="b:b"/></xs:sequence></xs:complexType></xs:element>'
    "</xs:schema>"
)
PARTS = (
    HEAD + 'targetNamespace="urn:a"><xs:simpleType name="Word"><xs:restriction base="xs:token">'
    '<xs:maxLength value="{}"/></xs:restriction></xs:simpleType></xs:schema>'
)
OTHER = HEAD + 'targetNamespace="urn:b"><xs:redefine schemaLocation="../c.xsd"/></xs:schema>'
LAST = HEAD + '><xs:element name="b" type="xs:int"/></xs:schema>'
DOCUMENT = '<a:a xmlns:a="urn:a" xmlns:b="urn:b"><a:word>x</a:word><b:b>07</b:b></a:a>'


class Counted:
    """A function that counts its calls."""

    def __init__(self, function: Any) -> None:
        self.calls = 0
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        self.calls += 1
        return self._function(*arguments)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for entries; nothing is in memory."""
    monkeypatch.setenv(disk.VARIABLE, str(tmp_path / "kept"))
    compiled._compiled.cache_clear()
    return tmp_path / "kept"


@pytest.fixture
def compilations(place: Path, monkeypatch: pytest.MonkeyPatch) -> Counted:
    counted = Counted(compiling.plan_of)
    monkeypatch.setattr(compiling, "plan_of", counted)
    return counted


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counted = Counted(loading.load)
    monkeypatch.setattr(loading, "load", counted)
    return counted


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A schema of several files."""
    folder = tmp_path / "schema"
    (folder / "sub").mkdir(parents=True)
    (folder / "main.xsd").write_text(MAIN)
    (folder / "parts.xsd").write_text(PARTS.format(9))
    (folder / "sub" / "b.xsd").write_text(OTHER)
    (folder / "c.xsd").write_text(LAST)
    return folder


def again(*arguments: Any, **options: Any) -> Schema[Any]:
    """A schema that no memory of this process holds."""
    compiled._compiled.cache_clear()
    return Schema.from_xsd(*arguments, **options)


def test_a_second_load_compiles_nothing_and_loads_nothing(
    folder: Path, compilations: Counted, loads: Counted, tiny: Generator
) -> None:
    first = Schema.from_xsd(folder / "main.xsd")
    loaded = loads.calls
    second = again(folder / "main.xsd")
    assert (compilations.calls, loads.calls) == (1, loaded)
    assert first.canonical is not None
    assert second.canonical is not None
    for attribute in ("grammar", "coverage", "description", "left_out"):
        assert getattr(first, attribute) == getattr(second, attribute)
    assert [one._rules for one in first.finisher._automata] == [one._rules for one in second.finisher._automata]  # type: ignore[attr-defined]
    assert first.canonical(DOCUMENT) == second.canonical(DOCUMENT)
    assert second.witness() == first.witness()
    assert tiny.generate("x", second, max_new_tokens=150).text == tiny.generate("x", first, max_new_tokens=150).text
    with pytest.raises(ValidationError):
        second.validate(DOCUMENT.replace("07", "seven"))


def test_equal_schemas_are_compiled_once_in_a_process(
    folder: Path, compilations: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(disk.VARIABLE, "off")
    first = Schema.from_xsd(folder / "main.xsd")
    assert Schema.from_xsd(str(folder / "main.xsd")) is first
    assert Schema.from_xsd(folder, main="main.xsd").grammar == first.grammar
    assert compilations.calls == 2


def test_a_copy_elsewhere_is_the_same_schema(folder: Path, tmp_path: Path, compilations: Counted) -> None:
    Schema.from_xsd(folder / "main.xsd")
    shutil.move(folder, tmp_path / "moved")
    assert again(tmp_path / "moved" / "main.xsd").accepts(DOCUMENT.encode())
    assert compilations.calls == 1


@pytest.mark.parametrize("name", ["main.xsd", "parts.xsd", "sub/b.xsd", "c.xsd"])
def test_a_change_of_any_file_is_seen(folder: Path, compilations: Counted, name: str) -> None:
    Schema.from_xsd(folder / "main.xsd")
    (folder / name).write_text((folder / name).read_text() + "\n")
    again(folder / "main.xsd")
    assert compilations.calls == 2


def test_what_has_changed_since_is_not_used(folder: Path, place: Path) -> None:
    Schema.from_xsd(folder / "main.xsd")
    schema = again(folder / "main.xsd")
    (folder / "parts.xsd").write_text(PARTS.format(2))
    with pytest.raises(SchemaError, match="changed since it was compiled"):
        schema.validate(DOCUMENT)
    assert Schema.from_xsd(folder / "main.xsd").accepts(DOCUMENT.encode())


def test_choices_are_kept_apart(folder: Path, compilations: Counted) -> None:
    for _ in range(2):
        for choice in ({}, {"prefixes": {"urn:a": "p"}}, {"root": "b"}):
            compiled._compiled.cache_clear()
            Schema.from_xsd(folder / "main.xsd", **choice)
    assert compilations.calls == 3


def test_texts_and_archives_are_kept(folder: Path, tmp_path: Path, compilations: Counted, loads: Counted) -> None:
    archive = tmp_path / "schema.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in folder.rglob("*.xsd"):
            packed.write(path, path.relative_to(folder))
    for source, document in ((archive, DOCUMENT), (LAST, "<b>1</b>"), (folder, DOCUMENT)):
        calls = compilations.calls
        Schema.from_xsd(source)
        loaded = loads.calls
        schema = again(source)
        assert (compilations.calls, loads.calls) == (calls + 1, loaded)
        assert schema.accepts(document.encode())


def test_what_is_not_known_to_belong_is_not_kept(folder: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harmony_gen.schema.xsd.origin.head", lambda _: Head("", []))
    Schema.from_xsd(folder / "main.xsd")
    assert not place.exists()


def test_schemas_that_xmlschema_has_built_are_not_kept(folder: Path, place: Path) -> None:
    assert Schema.from_xsd(xmlschema.XMLSchema10(str(folder / "main.xsd"))).accepts(DOCUMENT.encode())
    assert not place.exists()


@pytest.mark.parametrize("content", [b"", b"{}", b"null"])
def test_spoiled_entries_are_written_again(folder: Path, place: Path, compilations: Counted, content: bytes) -> None:
    Schema.from_xsd(folder / "main.xsd")
    (entry,) = place.iterdir()
    data = entry.read_bytes()
    entry.write_bytes(content)
    again(folder / "main.xsd")
    assert entry.read_bytes() == data
    disk.write(entry.stem, {"grammar": "start: /x/"})
    again(folder / "main.xsd")
    assert compilations.calls == 3


def test_errors_are_not_kept(folder: Path, place: Path) -> None:
    for _ in range(2):
        with pytest.raises(SchemaError, match="no element"):
            Schema.from_xsd(folder / "main.xsd", "nothing")
    assert not place.exists()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (MAIN, ["parts.xsd", "sub/b.xsd"]),
        (MAIN.encode("utf-16").decode("latin-1"), ["parts.xsd", "sub/b.xsd"]),
        (HEAD + '><xs:include schemaLocation=" a%20b.xsd "/></xs:schema>', ["a b.xsd"]),
        (HEAD + '><xs:import schemaLocation="https://example.com/a.xsd"/></xs:schema>', []),
        (HEAD + '><xs:import namespace="urn:n"/></xs:schema>', []),
        ('<!DOCTYPE a [<!ENTITY x "y">]>' + MAIN, []),
        (HEAD + '><xs:element name="a"/><xs:include schemaLocation="late.xsd"/></xs:schema>', []),
        (HEAD + '><xs:include schemaLocation="a.xsd"/><xs:oops', ["a.xsd"]),
        (
            HEAD + 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x x.xsd urn:y y.xsd" '
            'xsi:noNamespaceSchemaLocation="z.xsd"/>',
            ["x.xsd", "y.xsd", "z.xsd"],
        ),
    ],
)
def test_files_are_found_by_their_locations(tmp_path: Path, text: str, names: list[str]) -> None:
    is_wide = text.startswith("ÿþ")
    (tmp_path / "main.xsd").write_bytes(text.encode("latin-1") if is_wide else text.encode())
    found = origin(tmp_path / "main.xsd", None).files
    assert found == {(tmp_path / name).resolve() for name in ("main.xsd", *names)}


def test_locations_may_be_those_of_files(tmp_path: Path) -> None:
    (tmp_path / "c.xsd").write_text(LAST)
    text = HEAD + f'><xs:include schemaLocation="{(tmp_path / "c.xsd").as_uri()}"/></xs:schema>'
    assert origin(text, None).files == {(tmp_path / "c.xsd").resolve()}
    missing = origin(text.replace("c.xsd", "d.xsd"), None)
    (tmp_path / "d.xsd").write_text(LAST)
    assert origin(text.replace("c.xsd", "d.xsd"), None).digest != missing.digest


def test_all_of_a_plan_comes_back(place: Path) -> None:
    keyed = (
        HEAD + 'xmlns="urn:k" targetNamespace="urn:k"><xs:element name="r"><xs:complexType><xs:sequence><xs:element '
        'name="k" maxOccurs="9" type="K"/></xs:sequence></xs:complexType><xs:unique name="u"><xs:selector xpath="k"/>'
        '<xs:field xpath="@id"/></xs:unique></xs:element><xs:complexType name="K"><xs:attribute name="id" '
        'type="xs:ID"/><xs:attribute name="to" type="xs:IDREF"/></xs:complexType></xs:schema>'
    )
    for text in (keyed, LAST):
        source = xmlschema.XMLSchema10(text)
        plan = compiling.plan_of(source, Options())
        plans.write("key", plan)
        found = plans.read("key")
        assert found is not None
        for name, value in plan._asdict().items():
            other = getattr(found, name)
            if name == "documents":
                assert other.rules == value.rules
            elif name == "completing":
                assert [grammar.rules for grammar in other] == [grammar.rules for grammar in value]
            else:
                assert other == value, name


LOADS = "import sys; from harmony_gen import Schema; Schema.from_xsd(sys.argv[1]); print('xmlschema' in sys.modules)"


def test_what_is_kept_needs_no_xmlschema(folder: Path, place: Path) -> None:
    """Its import alone takes longer than all else."""
    Schema.from_xsd(folder / "main.xsd")
    run = subprocess.run([sys.executable, "-c", LOADS, folder / "main.xsd"], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
