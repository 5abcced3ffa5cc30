"""Text that matches a regular expression, and one of a few words."""

from typing import Literal

from harmony_gen import Generator, Schema


def main() -> None:
    generator = Generator.embedded()
    number = Schema.from_regex(r"[A-Z]{2}-[0-9]{5}")
    print("Order:", generator.generate("Order NF-58213 ships on Friday.", number).value)
    print("Reachable:", generator.accepts(number, "NF-58213"), generator.accepts(number, "58213"))
    sky = Schema.of(Literal["sunny", "cloudy", "rain"])
    print("Sky:", generator.generate("Weather for Oslo: sunny, high of 21°C", sky).value)


if __name__ == "__main__":
    main()
