"""Documents of real families whose schemas leave room for what they do not declare: GPX, Maven and JUnit.

A wildcard stands for names that nobody but the writer knows, so these documents are within reach when those names are
declared, and only then:

- GPX: the extensions of a Garmin watch, in a namespace of their own, lax;
- Maven: properties and settings of plugins, in the namespace of the schema itself, skipped;
- JUnit: no wildcards, so all is within reach as it is.
"""

from __future__ import annotations

import pytest

from harmony_gen import Schema
from suites.test_w3c import is_within_reach, text_of
from support import corpora

REAL = "suites/xsd/real"
GARMIN = "http://www.garmin.com/xmlschemas/TrackPointExtension/v1"
POM = "http://maven.apache.org/POM/4.0.0"

WALK = f"""<gpx xmlns="http://www.topografix.com/GPX/1/1" xmlns:gpxtpx="{GARMIN}" version="1.1" creator="Garmin">
  <metadata><link href="connect.garmin.com"><text>Garmin Connect</text></link></metadata>
  <trk><name>Venusberg</name><type>hiking</type><trkseg>
    <trkpt lat="50.69843" lon="7.10482"><ele>160.2</ele><time>2026-05-01T06:10:00.000Z</time><extensions>
      <gpxtpx:TrackPointExtension><gpxtpx:atemp>11.0</gpxtpx:atemp><gpxtpx:hr>97</gpxtpx:hr></gpxtpx:TrackPointExtension>
    </extensions></trkpt>
    <trkpt lat="50.69851" lon="7.10490"><ele>160.9</ele><time>2026-05-01T06:10:04.000Z</time><extensions>
      <gpxtpx:TrackPointExtension><gpxtpx:hr>99</gpxtpx:hr><gpxtpx:cad>54</gpxtpx:cad></gpxtpx:TrackPointExtension>
    </extensions></trkpt>
  </trkseg></trk>
</gpx>"""

RUN = """<testsuites>
  <testsuite name="money" tests="3" failures="1" errors="1" time="0.1" hostname="ci-7" timestamp="2026-05-01T06:10:00">
    <properties><property name="java.version" value="21"/></properties>
    <testcase name="adds" classname="money.Sum" time="0.002"/>
    <testcase name="divides" classname="money.Sum" time="0.010">
      <failure message="expected &lt;2&gt;" type="AssertionError"><![CDATA[at Sum.<init>(Sum.java:12)]]></failure>
    </testcase>
    <testcase name="parses" classname="money.Sum"><error type="ValueError">no number</error></testcase>
    <system-out>2 &lt; 3</system-out><system-err/>
  </testsuite>
</testsuites>"""

MAVEN_NAMES = {
    "pom.xml": ["java.version", "maven.compiler.source", "maven.compiler.target", "project.build.sourceEncoding"],
    "pom2.xml": ["archive", "manifest", "addClasspath", "mainClass", "descriptorRefs", "descriptorRef"],
}


def pom(name: str) -> str:
    """A real document of Maven 4.1, as far as 4.0, the version of the schema, knows it."""
    text = text_of(corpora.need(REAL) / "maven" / name)
    assert text is not None
    return text.replace("POM/4.1.0", "POM/4.0.0").replace(' root="true"', "")


@pytest.mark.parametrize("name", MAVEN_NAMES)
def test_documents_of_maven_are_within_reach_when_their_own_names_are_declared(name: str) -> None:
    source = corpora.need(REAL) / "maven/maven-4.0.0.xsd"
    foreign = [f"{{{POM}}}{local}" for local in MAVEN_NAMES[name]]
    assert is_within_reach(Schema.from_xsd(source, "project", foreign=foreign), pom(name))
    assert not is_within_reach(Schema.from_xsd(source, "project"), pom(name))


def test_extensions_of_gpx_are_within_reach_when_they_are_declared() -> None:
    source = corpora.need(REAL) / "gpx/gpx.xsd"
    foreign = [f"{{{GARMIN}}}{local}" for local in ("TrackPointExtension", "atemp", "hr", "cad")]
    schema = Schema.from_xsd(source, "gpx", foreign=foreign, prefixes={GARMIN: "gpxtpx"})
    assert is_within_reach(schema, WALK)
    assert schema.canonical is not None
    assert "<gpxtpx:hr>97</gpxtpx:hr>" in schema.canonical(WALK)
    assert not is_within_reach(Schema.from_xsd(source, "gpx", foreign=foreign[:-1]), WALK)


def test_documents_of_junit_are_within_reach() -> None:
    assert is_within_reach(Schema.from_xsd(corpora.need(REAL) / "junit/junit-10.xsd", "testsuites"), RUN)
