"""An invoice in UBL, from a schema of several files, with a rule of one's own.

    python examples/10_ubl_invoice.py [SCHEMA]

SCHEMA is the path of UBL-Invoice-2.1.xsd, with the other files of UBL where OASIS puts them; without one a subset that
was written for this example is used, schemas/xml/ubl-invoice. The embedded model fills it with little sense; a larger
one, by Generator.from_pretrained, does better. Needs xmlschema: pip install "harmony_gen[xml]".
"""

import sys
from pathlib import Path

from harmony_gen import Generator, Schema, rule

SUBSET = Path(__file__).parents[1] / "schemas" / "xml" / "ubl-invoice"
TEXT = "Invoice A-1729 of Northwind Traders to Anna Weber, 2026-03-14: 2 desk lamps, 24.90 EUR each, 49.80 EUR in all."


def main(schema_path: Path) -> None:
    schema = Schema.from_xsd(schema_path, "Invoice", depth=5, longest_text=40)  # the second time it is found on disk
    some = rule("//cbc:PayableAmount", lambda amount: amount > 0)
    result = Generator.embedded().generate(TEXT, schema, max_new_tokens=1500, rules=[some])
    print(schema.indented(result.text))
    total = result.fields["/Invoice/cac:LegalMonetaryTotal/cbc:PayableAmount"]
    print(f"To pay: {total.value}, with {total.confidence:.0%} confidence")
    print("Lines:", len(result.value.findall("{*}InvoiceLine")))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SUBSET)
