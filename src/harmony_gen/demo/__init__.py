"""`harmony-gen demo`: typed records from six documents with the embedded model, on the CPU and without a download.

Every answer is valid under its model by construction. Whether it is also right depends on
the language model: the embedded one has learnt short documents with clear labels, like these. The confidence
of each field says how sure it was.
"""

from __future__ import annotations

import json
import time
from datetime import date  # noqa: TC003 - Pydantic reads annotations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from unicodedata import east_asian_width

from pydantic import BaseModel, Field
from tqdm import tqdm

from harmony_gen.shortcut import generate

if TYPE_CHECKING:
    from harmony_gen.result import Result


class QuarterlyReport(BaseModel):
    """Key figures of a quarter; money in millions, margin and growth in percent."""

    company: str
    quarter: Literal["Q1", "Q2", "Q3", "Q4"]
    year: int
    revenue: float
    gross_margin: float
    net_income: float
    growth: float


class Invoice(BaseModel):
    """What accounting needs to pay an invoice."""

    invoice_number: str
    vendor: str
    customer: str
    due_date: date
    total: float
    status: Literal["paid", "open", "overdue"]


class ChineseReport(BaseModel):
    """Key figures of a quarter, named in Chinese; money in 亿元, margin in percent."""

    company: str = Field(alias="公司")
    revenue: float = Field(alias="营收")
    gross_margin: float = Field(alias="毛利率")
    cash_flow: float = Field(alias="现金流")


class LogEvent(BaseModel):
    """One event of a service log."""

    level: Literal["info", "warning", "error"]
    service: str
    message: str
    user: str
    ip: str
    status_code: int


class Order(BaseModel):
    """An order with one product."""

    order_number: str
    customer: str
    product: str
    quantity: int
    unit_price: float
    delivery_date: date
    city: str


class Contact(BaseModel):
    """A business contact."""

    name: str
    job_title: str
    company: str
    city: str
    phone: str
    email: str


FOLDER = Path(__file__).parent / "documents"
DOCUMENTS: tuple[tuple[Path, type[BaseModel], str], ...] = (
    (FOLDER / "quarterly_report.txt", QuarterlyReport, "Quarterly report"),
    (FOLDER / "invoice_email.txt", Invoice, "Invoice by email"),
    (FOLDER / "q3_report_zh.txt", ChineseReport, "Quarterly report in Chinese"),
    (FOLDER / "log_excerpt.txt", LogEvent, "Service log"),
    (FOLDER / "order_confirmation.txt", Order, "Order confirmation"),
    (FOLDER / "contact_card.txt", Contact, "Contact card"),
)


def pad(text: str, columns: int) -> str:
    """`text` filled with spaces to `columns` of a terminal, where a Chinese character takes two."""
    return text + " " * (columns - sum(2 if east_asian_width(c) in "WF" else 1 for c in text))


def show(title: str, text: str, result: Result[Any]) -> str:
    """The report of one document: the text, the object, the confidences and the speed."""
    usage = result.usage
    heading = f"{title} -> {type(result.value).__name__}"
    lines = ["", heading, "=" * len(heading)]
    lines += [f"  | {line}" for line in text.splitlines()]
    lines += ["", json.dumps(json.loads(result.text), ensure_ascii=False, indent=2), "", "Confidence"]
    lines += [
        f"  {pad(pointer, 18)} {field.confidence:4.0%}  {'#' * round(20 * field.confidence)}"
        for pointer, field in result.fields.items()
    ]
    speed = f"{usage.tokens_per_second:.0f} tokens per second"
    lines += ["", f"{usage.new_tokens} tokens in {usage.seconds:.2f} s: {speed}"]
    lines += [f"{usage.forced_tokens} of them were forced by the schema and took no choice of the model"]
    return "\n".join(lines)


def run() -> None:
    """Answers for all documents, printed."""
    started = time.perf_counter()
    tokens = 0
    for path, model, title in tqdm(DOCUMENTS, desc="Documents", unit="doc", leave=False, delay=2):
        text = path.read_text(encoding="utf-8").strip()
        result = generate(text, model)
        tokens += result.usage.new_tokens
        tqdm.write(show(title, text, result))
    seconds = time.perf_counter() - started
    print(f"\n{len(DOCUMENTS)} documents, {tokens} tokens, {seconds:.1f} s with the loading of the model.")
