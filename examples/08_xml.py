"""A document of an XML Schema, valid whatever the model wants. Needs xmlschema: pip install "harmony_gen[xml]"."""

from pathlib import Path

from harmony_gen import Generator, Schema

ORDER = Path(__file__).parents[1] / "schemas" / "xml" / "order.xsd"


def main() -> None:
    generator = Generator.embedded()
    schema = Schema.from_xsd(ORDER)
    print(schema.description)
    result = generator.generate("Order 4711 of Anna Weber: 2 desk lamps, 24.90 EUR each.", schema, max_new_tokens=300)
    print(result.text)
    print("Root:", result.value.tag, "with", len(result.value), "elements")
    document = ORDER.with_suffix(".xml").read_text("utf-8")
    print("Reachable:", generator.accepts(schema, document.partition("?>")[2]))


if __name__ == "__main__":
    main()
