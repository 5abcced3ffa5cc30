"""A prompt and a Pydantic model in, an instance of that model out."""

from datetime import date
from typing import Literal

from pydantic import BaseModel

from harmony_gen import generate


class Invoice(BaseModel):
    """What accounting needs to pay an invoice."""

    invoice_number: str
    vendor: str
    due_date: date
    total: float
    status: Literal["paid", "open", "overdue"]


TEXT = """\
Invoice number: BW-20417
Vendor: Brightwater Supply Ltd
Total: $1,284.50
Due date: 28 May 2026
Status: open"""


def main() -> None:
    result = generate(TEXT, Invoice)
    invoice = result.value
    print(f"Pay {invoice.total} to {invoice.vendor} by {invoice.due_date:%d %B %Y}")
    print(result.text)


if __name__ == "__main__":
    main()
