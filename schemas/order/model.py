"""An order as a shop confirms it."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

HALF_A_CENT = 0.005

ShortText = Annotated[str, Field(min_length=1, max_length=120)]


class OrderLine(BaseModel):
    """One product of an order."""

    model_config = ConfigDict(extra="forbid", strict=True)

    product: Annotated[str, Field(min_length=1, max_length=160, description="Name of the product.")]
    sku: Annotated[
        Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9._/-]{0,31}$")] | None,
        Field(description="Article number of the shop."),
    ]
    quantity: Annotated[int, Field(ge=1, description="Number of pieces.")]
    unit_price: Annotated[float, Field(ge=0, description="Price of one piece.")]


class Address(BaseModel):
    """Where the order goes."""

    model_config = ConfigDict(extra="forbid", strict=True)

    street: Annotated[ShortText | None, Field(description="Street and house number.")]
    postal_code: Annotated[ShortText | None, Field(description="Postal code.")]
    city: Annotated[str, Field(min_length=1, max_length=80, description="City.")]
    country: Annotated[
        Annotated[str, Field(pattern="^[A-Z]{2}$")] | None,
        Field(description="ISO 3166 code of two letters."),
    ]


class Order(BaseModel):
    """An order: who bought what, for how much, and where it goes."""

    model_config = ConfigDict(extra="forbid", strict=True)

    order_number: Annotated[str, Field(min_length=1, max_length=40, description="Number of the order.")]
    customer: Annotated[ShortText, Field(description="Who ordered.")]
    order_date: Annotated[date | None, Field(description="Day of the order.")]
    delivery_date: Annotated[date | None, Field(description="Day of delivery, promised or actual.")]
    ship_to: Annotated[Address | None, Field(description="Address of delivery.")]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 4217 code, such as EUR.")]
    lines: Annotated[list[OrderLine], Field(min_length=1, max_length=50, description="What was ordered.")]
    shipping_cost: Annotated[float, Field(ge=0, description="Cost of shipping, 0 if free.")]
    total: Annotated[float, Field(ge=0, description="Sum of the lines and the shipping cost.")]
    status: Annotated[
        Literal["confirmed", "shipped", "delivered", "cancelled"],
        Field(description="State of the order."),
    ]

    @model_validator(mode="after")
    def delivered_after_ordered(self) -> Self:
        """Nothing is delivered before it was ordered."""
        if self.order_date and self.delivery_date and self.delivery_date < self.order_date:
            raise ValueError(f"delivery on {self.delivery_date} is before the order of {self.order_date}")
        return self

    @model_validator(mode="after")
    def total_adds_up(self) -> Self:
        """The total is what the lines and the shipping cost."""
        amount = sum(line.quantity * line.unit_price for line in self.lines) + self.shipping_cost
        if abs(amount - self.total) > HALF_A_CENT:
            raise ValueError(f"lines and shipping add up to {amount:.2f}, the total is {self.total:.2f}")
        return self
