"""A credit transfer of ISO 20022 (pain.001), valid whatever the model wants.

    python examples/09_iso20022.py [SCHEMA]

SCHEMA is the path of a pain.001 schema from iso20022.org; without one a subset that was written for this example is
used, schemas/xml/pain.001.xsd. The embedded model fills it with little sense; a larger one, by
Generator.from_pretrained, does better. Needs xmlschema: pip install "harmony_gen[xml]".
"""

import sys
from pathlib import Path

from harmony_gen import Generator, Schema

SUBSET = Path(__file__).parents[1] / "schemas" / "xml" / "pain.001.xsd"
ORDER = (
    "Weber GmbH, IBAN DE89370400440532013000, BIC COBADEFFXXX, asks on 2026-03-14 to transfer EUR 1,284.50 to "
    "Northwind Traders, IBAN GB29NWBK60161331926819, on 2026-03-16, for the invoice A-1729."
)


def main(schema_path: Path) -> None:
    schema = Schema.from_xsd(schema_path, "Document", longest_text=70)
    print("Shortest document:", len(schema.witness()), "characters")
    result = Generator.embedded().generate(ORDER, schema, max_new_tokens=1200)
    print(schema.indented(result.text))
    for place, field in result.fields.items():
        if field.source_span is not None:
            print(f"{field.confidence:4.0%}  {place}: {field.value}, said at {field.source_span}")
    print(schema.to_dict(result.text)["CstmrCdtTrfInitn"]["GrpHdr"])


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SUBSET)
