"""Bad schemas and bad documents get an error that says what is wrong, where, and what to do."""

from __future__ import annotations

import socket
import zipfile
from pathlib import Path
from typing import Any

import pytest
import xmlschema

from harmony_gen import Schema, SchemaError, UnsatisfiableError, ValidationError
from harmony_gen.schema.xsd import loading

HEAD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" '
A = '<xs:element name="a" type="xs:string"/>'
GOOD = f"{HEAD}>{A}</xs:schema>"
USES_B = (
    '<xs:element name="a"><xs:complexType><xs:sequence><xs:element ref="b:b"/></xs:sequence></xs:complexType>'
    "</xs:element></xs:schema>"
)
BOMB = "<!DOCTYPE x [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {name} '{f'&{before};' * 10}'>" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def refused(source: Any, root: str | None = None, **options: Any) -> SchemaError:
    with pytest.raises(SchemaError) as caught:
        Schema.from_xsd(source, root, **options)
    assert len(str(caught.value)) < 700
    return caught.value


def written(folder: Path, **texts: str) -> Path:
    """Files of a folder; the first of them."""
    for name, text in texts.items():
        (folder / f"{name}.xsd").write_text(text)
    return folder / f"{next(iter(texts))}.xsd"


def simple(base: str, facets: str) -> str:
    return f'<xs:simpleType name="a"><xs:restriction {base}>{facets}</xs:restriction></xs:simpleType>'


def complex_(content: str) -> str:
    return f'<xs:complexType name="a">{content}</xs:complexType>'


# Malformed schemas


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        (HEAD + "><xs:element", "unclosed token: line 1", ""),
        (HEAD + ">\n<a></xs:schema>", "mismatched tag: line 2", ""),
        ("<html/>", "'html' is not an element", "/html"),
        (HEAD + '><xs:element name="a" type="nope"/></xs:schema>', "unknown type 'nope'", "/xs:schema/xs:element"),
        (HEAD + '><xs:element name="a" typo=""/></xs:schema>', "'typo' not allowed", "/xs:schema/xs:element"),
        (HEAD + ">" + "<xs:sequence>" * 2000 + "</xs:sequence>" * 2000 + "</xs:schema>", "maximum XML depth", ""),
        (GOOD.replace("string", "nothing"), "nothing", "/xs:schema/xs:element"),
    ],
)
def test_malformed_schemas(text: str, message: str, place: str) -> None:
    error = refused(text)
    assert message in str(error)
    assert error.pointer == place
    assert place in str(error)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe\x00", GOOD.replace("a", "\u00e4").encode("latin-1")])
def test_files_that_are_no_schemas(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.xsd"
    path.write_bytes(content)
    assert f"The schema {path} is no XML Schema 1.0: " in str(refused(path))


# Sources


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "The source is empty"),
        ("  ", "The source is empty"),
        ("missing.xsd", "no file 'missing.xsd'"),
        (Path("missing"), "no file 'missing'"),
        ("https://example.com/a.xsd", "nothing is fetched. Save it"),
        (Path("http://example.com/a.xsd"), "nothing is fetched. Save it"),
        (42, "a path, a text or an xmlschema.XMLSchema, not 42"),
        (GOOD.encode(), "not b'<xs:schema"),
        (None, "not None"),
    ],
)
def test_sources_that_are_none(source: Any, message: str) -> None:
    assert message in str(refused(source))


def test_folders_and_archives(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    assert "holds no .xsd file" in str(refused(folder))
    written(folder, a=GOOD, b=GOOD)
    assert "main=…. Candidates: a.xsd, b.xsd" in str(refused(folder))
    assert "no document 'c.xsd'" in str(refused(folder, main="c.xsd"))
    written(tmp_path, outside=GOOD)
    for main in ("../outside.xsd", str(tmp_path / "outside.xsd")):
        assert "no document" in str(refused(folder, main=main))
    assert Schema.from_xsd(folder, main="a.xsd").witness() == "<a/>"


def test_archives_that_cannot_be_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../slip.xsd", GOOD)
    assert Schema.from_xsd(path).witness() == "<a/>"
    assert not list(tmp_path.parent.rglob("slip.xsd"))
    path.write_bytes(path.read_bytes()[:60])
    assert f"The archive {path} cannot be unpacked: File is not a zip file" in str(refused(path))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "x" * 5000)
    assert "holds no .xsd file" in str(refused(path))
    monkeypatch.setattr(loading, "_LARGEST", 4000)
    path.touch()
    assert "holds 5,000 bytes; at most 4,000" in str(refused(path))


def test_built_schemas_of_another_version() -> None:
    assert "Build it with xmlschema.XMLSchema10" in str(refused(xmlschema.XMLSchema11(GOOD)))


# Documents that are missing


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ('<xs:import namespace="urn:b" schemaLocation="sub/b.xsd"/>', "sub/b.xsd, named by main.xsd; put it there"),
        ('<xs:import namespace="urn:b"/>', "one of the namespace 'urn:b', named by main.xsd without schemaLocation"),
        (
            '<xs:import namespace="urn:b" schemaLocation="http://example.com/b.xsd"/>',
            "http://example.com/b.xsd, named by main.xsd: it is in a network, and nothing is fetched",
        ),
        ('<xs:include schemaLocation="b.xsd"/>', "b.xsd, named by main.xsd; put it there"),
        ('<xs:include schemaLocation="ftp://example.com/b.xsd"/>', "nothing is fetched"),
        ('<xs:redefine schemaLocation="b.xsd"/>', "b.xsd, named by main.xsd; put it there"),
        (
            '<xs:include schemaLocation="good.xsd"/><xs:include schemaLocation="second.xsd"/>',
            "gone.xsd, named by second",
        ),
    ],
)
@pytest.mark.parametrize("rest", [A + "</xs:schema>", USES_B], ids=["unused", "used"])
def test_documents_that_are_missing_are_named(tmp_path: Path, reference: str, message: str, rest: str) -> None:
    if "good.xsd" in reference:
        rest = '<xs:element name="r" type="xs:int"/></xs:schema>' if rest.startswith(A) else rest
    gone = HEAD + '><xs:include schemaLocation="gone.xsd"/></xs:schema>'
    path = written(tmp_path, main=f'{HEAD}xmlns:b="urn:b">{reference}{rest}', good=GOOD, second=gone)
    if 'namespace="urn:b"/' in reference and rest.startswith(A):
        assert Schema.from_xsd(path).witness() == "<a/>"  # nothing of it is needed
        return
    error = refused(path)
    assert f"The schema {path} needs documents that were not found: " in str(error)
    assert message in str(error)


def test_what_is_needed_of_well_known_namespaces_is_there() -> None:
    source = (
        f'{HEAD}><xs:import namespace="http://www.w3.org/XML/1998/namespace" schemaLocation="http://www.w3.org/2001/'
        'xml.xsd"/><xs:element name="a"><xs:complexType><xs:attribute ref="xml:lang"/></xs:complexType></xs:element>'
        "</xs:schema>"
    )
    assert Schema.from_xsd(source).validate('<a xml:lang="en"/>').tag == "a"


def test_a_document_that_is_no_schema_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, main=HEAD + f'><xs:include schemaLocation="b.xsd"/>{A}</xs:schema>', b="<xs:schema>")
    assert "can't include schema 'b.xsd'" in str(refused(path))


# XML Schema 1.1

NEWER = {
    "xs:alternative": '<xs:element name="a" type="xs:string">\n<xs:alternative test="@x" type="xs:int"/></xs:element>',
    "xs:openContent": complex_("\n<xs:openContent><xs:any/></xs:openContent><xs:sequence/>"),
    "xs:defaultOpenContent": "\n<xs:defaultOpenContent><xs:any/></xs:defaultOpenContent>" + A,
    "xs:override": '\n<xs:override schemaLocation="a.xsd"/>' + A,
    "xs:explicitTimezone": simple('base="xs:date"', '\n<xs:explicitTimezone value="required"/>'),
    "notQName": complex_('<xs:sequence>\n<xs:any notQName="a"/></xs:sequence>'),
    "notNamespace": complex_('<xs:sequence>\n<xs:any notNamespace="urn:x"/></xs:sequence>'),
    "inheritable": complex_('\n<xs:attribute name="x" inheritable="true"/>'),
    "xs:dateTimeStamp": '\n<xs:element name="a" type="xs:dateTimeStamp"/>',
    "xs:dayTimeDuration": '<xs:simpleType name="a">\n<xs:list itemType="xs:dayTimeDuration"/></xs:simpleType>',
}


@pytest.mark.parametrize("name", NEWER)
def test_what_is_newer_is_refused_by_name_with_its_place(tmp_path: Path, name: str) -> None:
    error = refused(f"{HEAD}>{NEWER[name]}</xs:schema>")
    assert error.keyword == name
    assert error.pointer.startswith("/xs:schema/xs:")
    assert f"uses {name}, which is XML Schema 1.1: at {error.pointer}, line 2." in str(error)
    path = written(tmp_path, main=f'{HEAD}><xs:include schemaLocation="part.xsd"/></xs:schema>',
                   part=f"{HEAD}>{NEWER[name]}</xs:schema>")  # fmt: skip
    assert "line 2 of part.xsd" in str(refused(path))


@pytest.mark.parametrize(
    "text",
    [
        complex_('<xs:all><xs:element name="b" maxOccurs="2"/></xs:all>'),
        f'{A}<xs:element name="c" type="xs:string"/><xs:element name="b" substitutionGroup="a c"/>',
    ],
)
def test_what_only_the_newer_version_allows_is_called_so(text: str) -> None:
    assert "is no XML Schema 1.0, but 1.1, at /xs:schema/xs:" in str(refused(f"{HEAD}>{text}</xs:schema>"))


def test_schemas_that_ask_for_the_newer_version() -> None:
    versioned = GOOD.replace("<xs:schema", '<xs:schema vc:minVersion="1.1" xmlns:vc='
                             '"http://www.w3.org/2007/XMLSchema-versioning"')  # fmt: skip
    assert Schema.from_xsd(versioned).coverage["/xs:schema/version 1.1"] == "checked"
    assert Schema.from_xsd(versioned).witness() == "<a/>"
    assert Schema.from_xsd(versioned.replace("1.1", "1.0")).witness() == "<a/>"


def test_types_of_users_may_have_names_of_newer_ones() -> None:
    own = GOOD.replace("xs:string", "dateTimeStamp") + "<"
    assert refused(own).keyword is None


# Entities


@pytest.mark.parametrize(
    "declared",
    [
        BOMB + "]>",
        '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x [<!ENTITY % a SYSTEM "http://example.com/a.dtd">%a;]>',
    ],
    ids=["bomb", "external subset", "external entity", "parameter entity"],
)
def test_entities_are_refused(tmp_path: Path, declared: str) -> None:
    noted = f"{declared}{HEAD}><xs:annotation><xs:documentation>&i;</xs:documentation></xs:annotation>{A}</xs:schema>"
    including = f'{HEAD}><xs:include schemaLocation="b.xsd"/>{A}</xs:schema>'
    for source in (noted, written(tmp_path, b=noted), written(tmp_path, c=including)):
        assert "entities, which are never read" in str(refused(source))
    schema = Schema.from_xsd(GOOD)
    for text in (f"{declared}<a>&i;</a>", f"{declared}<a/>"):
        with pytest.raises(ValidationError, match="forbidden"):
            schema.validate(text)
        with pytest.raises(ValidationError, match="forbidden"):
            schema.to_dict(text)
        assert schema.canonical is not None
        with pytest.raises(ValidationError, match="forbidden"):
            schema.canonical(text)


def test_documents_load_no_schemas() -> None:
    xsi = (
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="http://example.com/a.xsd"'
    )
    assert Schema.from_xsd(GOOD).validate(f"<a {xsi}>x</a>").text == "x"


# Roots


@pytest.mark.parametrize(
    ("text", "root", "message"),
    [
        ('<xs:complexType name="t"/>', None, "may begin with: there is none at its top"),
        ('<xs:element name="a" abstract="true"/>', None, "may begin with: all are abstract: a"),
        (A + A.replace('"a"', '"b"'), None, "say root=… with one of: a, b."),
        (A, "b", "declares no element 'b' that a document may begin with; it has: a."),
        (A, "{urn:x}a", "it has: a."),
        (
            A + '<xs:element name="b" abstract="true"/>',
            "b",
            "'b' that a document may begin with (it is abstract); it has: a.",
        ),
        ("".join(A.replace('"a"', f'"e{number}"') for number in range(99)), None, "and 79 more."),
    ],
)
def test_roots_that_are_not_plain(text: str, root: str | None, message: str) -> None:
    assert message in str(refused(f"{HEAD}>{text}</xs:schema>", root))


def test_roots_of_several_namespaces(tmp_path: Path) -> None:
    other = HEAD + 'targetNamespace="urn:{0}"><xs:element name="a"/></xs:schema>'
    main = f'{HEAD}><xs:import namespace="urn:b" schemaLocation="b.xsd"/><xs:import namespace="urn:c" '
    path = written(
        tmp_path, main=main + 'schemaLocation="c.xsd"/></xs:schema>', b=other.format("b"), c=other.format("c")
    )
    assert "several namespaces do: {namespace}name" in str(refused(path, "a"))
    assert Schema.from_xsd(path, "{urn:c}a").validate('<a xmlns="urn:c"/>').tag == "{urn:c}a"


def test_schemas_that_contradict_themselves() -> None:
    endless = '<xs:element name="a"><xs:complexType><xs:sequence><xs:element ref="a"/></xs:sequence></xs:complexType>'
    with pytest.raises(UnsatisfiableError, match="No document is valid"):
        Schema.from_xsd(f"{HEAD}>{endless}</xs:element></xs:schema>")
