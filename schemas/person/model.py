"""A person, as on a business card or in a short biography."""

from datetime import date
from typing import Annotated

from pydantic import AnyUrl, BaseModel, ConfigDict, EmailStr, Field, field_validator

ShortText = Annotated[str, Field(min_length=1, max_length=120)]


class Person(BaseModel):
    """A person and how to reach them."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[ShortText, Field(description="Full name.")]
    job_title: Annotated[ShortText | None, Field(description="Position at the company.")]
    company: Annotated[ShortText | None, Field(description="Employer.")]
    email: Annotated[EmailStr | None, Field(description="Email address.")]
    phone: Annotated[
        Annotated[str, Field(pattern="^[+]?[0-9(][0-9 ()./-]{4,24}$")] | None,
        Field(description="Phone number as written."),
    ]
    city: Annotated[ShortText | None, Field(description="City of residence or work.")]
    country: Annotated[
        Annotated[str, Field(pattern="^[A-Z]{2}$")] | None,
        Field(description="ISO 3166 code of two letters."),
    ]
    birth_date: Annotated[date | None, Field(description="Day of birth.")]
    website: Annotated[AnyUrl | None, Field(description="Address of the website.")]
    languages: Annotated[
        list[Annotated[str, Field(pattern="^[a-z]{2}$")]],
        Field(
            max_length=10,
            json_schema_extra={"uniqueItems": True},
            description="Languages spoken, ISO 639 codes of two letters.",
        ),
    ]

    @field_validator("languages")
    @classmethod
    def each_language_once(cls, languages: list[str]) -> list[str]:
        """The `uniqueItems` of the schema."""
        if len(set(languages)) < len(languages):
            raise ValueError("a language is named twice")
        return languages
