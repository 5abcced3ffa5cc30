"""Any Python type is a schema: a dataclass, a TypedDict, a list, a Literal."""

from dataclasses import dataclass
from typing import Literal

from typing_extensions import TypedDict  # typing.TypedDict is enough from Python 3.12 on

from harmony_gen import Generator


@dataclass
class Contact:
    """A business contact."""

    name: str
    company: str
    city: str


class Order(TypedDict):
    """An order with one product."""

    order_number: str
    product: str
    quantity: int


CARD = "Name: Helena Marsh\nCompany: Castellan Foods\nCity: Bristol"
ORDER = "Order number: NF-58213\nProduct: wooden desk\nQuantity: 2"


def main() -> None:
    generator = Generator.embedded()
    print(generator.generate(CARD, Contact).value)
    print(generator.generate(ORDER, Order).value)
    print(generator.generate("Status: overdue", Literal["paid", "open", "overdue"]).value)
    # The embedded model has learnt records, not lists: its answer is valid; a larger model's is also right.
    print(generator.generate("The readings were 12, 7 and 31.", list[int], max_new_tokens=40).value)


if __name__ == "__main__":
    main()
