"""A JSON Schema as a dict; for every field its confidence and where the text says so."""

from harmony_gen import generate
from harmony_gen.demo import FOLDER

SCHEMA = {
    "type": "object",
    "properties": {
        "公司": {"type": "string", "minLength": 2, "maxLength": 40},
        "营收": {"type": "number", "minimum": 0},
        "毛利率": {"type": "number", "minimum": -100, "maximum": 100},
        "现金流": {"type": "number"},
    },
    "required": ["公司", "营收", "毛利率", "现金流"],
    "additionalProperties": False,
}


def main() -> None:
    text = (FOLDER / "q3_report_zh.txt").read_text(encoding="utf-8").strip()
    result = generate(text, SCHEMA)
    print(result.value)
    for pointer, field in result.fields.items():
        found = "not in the text" if field.source_span is None else f"characters {field.source_span}"
        print(f"{pointer}: {field.value!r}, confidence {field.confidence:.0%}, {found}")


if __name__ == "__main__":
    main()
