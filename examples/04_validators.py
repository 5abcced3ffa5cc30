"""A Pydantic validator steers: a value it rejects is taken back while the answer is written.

The schema does not know what is in stock. The validator does, so the model has to choose again.
"""

from typing import Literal

from pydantic import BaseModel, field_validator

from harmony_gen import generate

SOLD_OUT = {"oak"}


class Order(BaseModel):
    """An order of one desk."""

    product: str
    quantity: int
    colour: Literal["oak", "white", "black"]

    @field_validator("colour")
    @classmethod
    def in_stock(cls, colour: str) -> str:
        """Reject what cannot be delivered."""
        if colour in SOLD_OUT:
            raise ValueError(f"{colour} is sold out")
        return colour


def main() -> None:
    text = "Product: wooden desk\nQuantity: 2\nColour: oak, otherwise black"
    order = generate(text, Order).value
    print(f"{order.quantity} x {order.product} in {order.colour}")


if __name__ == "__main__":
    main()
