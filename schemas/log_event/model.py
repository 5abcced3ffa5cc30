"""One event of a service log."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, EmailStr, Field


class LogEvent(BaseModel):
    """One event of a service log, whatever the layout of its line."""

    model_config = ConfigDict(extra="forbid", strict=True)

    timestamp: Annotated[AwareDatetime, Field(description="When it happened, with its offset from UTC.")]
    level: Annotated[
        Literal["debug", "info", "warning", "error", "critical"],
        Field(description="Severity."),
    ]
    service: Annotated[
        str,
        Field(pattern="^[A-Za-z][A-Za-z0-9_.-]{0,62}$", description="Service or component that wrote it."),
    ]
    message: Annotated[str, Field(min_length=1, max_length=500, description="What happened.")]
    status_code: Annotated[
        Annotated[int, Field(ge=100, le=599)] | None,
        Field(description="HTTP status of the answer."),
    ]
    duration_ms: Annotated[
        Annotated[float, Field(ge=0)] | None,
        Field(description="Duration in milliseconds."),
    ]
    user: Annotated[EmailStr | None, Field(description="Email address of the user.")]
    trace_id: Annotated[UUID | None, Field(description="Identifier of the trace.")]
