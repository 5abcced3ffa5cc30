"""A message to the support, sorted."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, EmailStr, Field, field_validator

ShortText = Annotated[str, Field(min_length=1, max_length=120)]


class SupportTicket(BaseModel):
    """What a customer wrote to the support, as the team sorts it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    ticket_id: Annotated[
        Annotated[str, Field(pattern="^[A-Z]{2,6}-[0-9]{1,8}$")] | None,
        Field(description="Number of the ticket, if it has one yet."),
    ]
    reporter: Annotated[ShortText, Field(description="Who wrote.")]
    email: Annotated[EmailStr | None, Field(description="Address for the answer.")]
    opened: Annotated[date | None, Field(description="Day the message arrived.")]
    category: Annotated[
        Literal["billing", "technical", "account", "delivery", "other"],
        Field(description="Team that answers."),
    ]
    priority: Annotated[Literal["low", "medium", "high", "urgent"], Field(description="How soon.")]
    subject: Annotated[ShortText, Field(description="The problem in a few words.")]
    product: Annotated[ShortText | None, Field(description="Product or application concerned.")]
    steps: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=200)]],
        Field(
            max_length=10,
            json_schema_extra={"uniqueItems": True},
            description="What the customer did before it happened, in order.",
        ),
    ]
    refund_requested: Annotated[bool, Field(description="Whether the customer asks for money back.")]

    @field_validator("steps")
    @classmethod
    def each_step_once(cls, steps: list[str]) -> list[str]:
        """The `uniqueItems` of the schema."""
        if len(set(steps)) < len(steps):
            raise ValueError("a step is listed twice")
        return steps
