"""An invoice as accounting books it."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

HALF_A_CENT = 0.005


class InvoiceLine(BaseModel):
    """One line of an invoice; a discount is a line with a negative amount."""

    model_config = ConfigDict(extra="forbid", strict=True)

    description: Annotated[str, Field(min_length=1, max_length=200, description="What was delivered.")]
    quantity: Annotated[float, Field(gt=0, description="Number of units; fractions for hours or weights.")]
    unit_price: Annotated[float, Field(description="Price of one unit.")]
    amount: Annotated[float, Field(description="Amount of the line, tax included.")]


class Invoice(BaseModel):
    """An invoice: who bills whom, for what, how much, and until when."""

    model_config = ConfigDict(extra="forbid", strict=True)

    invoice_number: Annotated[str, Field(min_length=1, max_length=40, description="Number of the invoice.")]
    vendor: Annotated[str, Field(min_length=1, max_length=120, description="Company that bills.")]
    customer: Annotated[str, Field(min_length=1, max_length=120, description="Person or company billed.")]
    invoice_date: Annotated[date, Field(description="Date of issue.")]
    due_date: Annotated[date | None, Field(description="Last day of payment, null if none is named.")]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 4217 code, such as EUR.")]
    lines: Annotated[list[InvoiceLine], Field(min_length=1, max_length=50, description="What is billed.")]
    total: Annotated[float, Field(ge=0, description="Amount to pay: the sum of the lines.")]
    status: Annotated[Literal["paid", "open", "overdue"], Field(description="State of payment.")]

    @model_validator(mode="after")
    def due_after_issue(self) -> Self:
        """An invoice is not due before it was written."""
        if self.due_date is not None and self.due_date < self.invoice_date:
            raise ValueError(f"due date {self.due_date} is before the invoice date {self.invoice_date}")
        return self

    @model_validator(mode="after")
    def total_is_the_sum_of_the_lines(self) -> Self:
        """The lines add up to the total, to the cent."""
        amount = sum(line.amount for line in self.lines)
        if abs(amount - self.total) > HALF_A_CENT:
            raise ValueError(f"the lines add up to {amount:.2f}, the total is {self.total:.2f}")
        return self
