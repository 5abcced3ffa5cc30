"""The key figures of a financial report."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

MARGIN_ROUNDING = 0.1  # percentage points: reports round the margin to one digit
SUM_ROUNDING = 0.01  # share of the revenue: every segment is rounded on its own


class Segment(BaseModel):
    """A segment of the business; eliminations between segments are one of their own, below zero."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=80, description="Name of the segment.")]
    revenue: Annotated[float, Field(description="Revenue of the segment, in the unit of the report.")]


class Financials(BaseModel):
    """Key figures of a company for a quarter or a fiscal year."""

    model_config = ConfigDict(extra="forbid", strict=True)

    company: Annotated[str, Field(min_length=1, max_length=120, description="Name of the company.")]
    ticker: Annotated[
        Annotated[str, Field(pattern="^[A-Z0-9.]{1,8}$")] | None,
        Field(description="Symbol at the stock exchange."),
    ]
    fiscal_year: Annotated[int, Field(ge=1900, le=2100, description="Fiscal year of the period.")]
    period: Annotated[Literal["Q1", "Q2", "Q3", "Q4", "FY"], Field(description="Quarter, or FY for the year.")]
    period_end: Annotated[date | None, Field(description="Last day of the period.")]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 4217 code, such as USD or CNY.")]
    unit: Annotated[
        Literal["one", "thousand", "million", "hundred_million", "billion"],
        Field(description="What money figures are counted in; hundred_million is the Chinese 亿."),
    ]
    revenue: Annotated[float, Field(ge=0, description="Revenue of the period.")]
    gross_profit: Annotated[float | None, Field(description="Revenue less the cost of what was sold.")]
    gross_margin: Annotated[
        Annotated[float, Field(le=100)] | None,
        Field(description="Gross profit in percent of revenue."),
    ]
    net_income: Annotated[float | None, Field(description="Profit after tax; a loss is negative.")]
    cash_flow: Annotated[float | None, Field(description="Cash flow from operations.")]
    revenue_growth: Annotated[
        Annotated[float, Field(ge=-100)] | None,
        Field(description="Change of revenue against the same period of the year before, in percent."),
    ]
    segments: Annotated[list[Segment], Field(max_length=20, description="Revenue by segment, if reported.")]

    @model_validator(mode="after")
    def margin_fits_the_profit(self) -> Self:
        """Gross margin and gross profit say the same, up to rounding."""
        if self.gross_margin is None or self.gross_profit is None or self.revenue == 0:
            return self
        margin = 100 * self.gross_profit / self.revenue
        if abs(margin - self.gross_margin) > MARGIN_ROUNDING:
            raise ValueError(f"the gross margin is {self.gross_margin} %, the gross profit implies {margin:.1f} %")
        return self

    @model_validator(mode="after")
    def segments_add_up_to_the_revenue(self) -> Self:
        """The segments, where there are any, add up to the revenue, up to rounding."""
        revenue = sum(segment.revenue for segment in self.segments)
        if self.segments and abs(revenue - self.revenue) > SUM_ROUNDING * self.revenue:
            raise ValueError(f"the segments add up to {revenue:g}, the revenue is {self.revenue:g}")
        return self
