"""Documents per second: facts out of short documents, with the embedded model.

    python benchmarks/extraction.py [--documents N] [--seed S] [--threads N] [--peers a,b] [--save NAME]

Invoices, e-mails, log lines and product texts are drawn: names, amounts, dates and ids are put together at random. Each
kind has a flat schema of six to eight required fields. Ours, `model.generate` writing as many tokens freely, and the
same model constrained by other libraries take turns, document by document, all behind the same prompt and greedily;
all that depends on a schema alone is compiled beforehand. Our times hold everything from text to value; the others'
hold `model.generate` only. Ours forgets each prompt, so none begins where an earlier one ended.

The last two columns of the table are medians over documents: how many times longer a document takes than with ours, and
how many times fewer tokens are written in a second. Right are the fields that have the value the text was made from.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

import torch
from common import PEERS, Peer, Report, describe, free, peers, reason

from harmony_gen import Generator, Schema

KINDS = ("invoice", "e-mail", "log line", "product")
CURRENCIES = ("EUR", "USD", "GBP", "CHF")
STRING, INTEGER, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
DATE = {"type": "string", "format": "date"}


def _flat(**properties: Any) -> dict[str, Any]:
    """The schema of an object that has all of these members and no other."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


SCHEMAS = {
    "invoice": _flat(
        invoice_number=STRING,
        vendor=STRING,
        customer=STRING,
        total=NUMBER,
        currency={"enum": list(CURRENCIES)},
        due_date=DATE,
        status={"enum": ["open", "paid", "overdue"]},
    ),
    "e-mail": _flat(
        sender=STRING,
        address=STRING,
        recipient=STRING,
        ticket=STRING,
        sent_on=DATE,
        priority={"enum": ["low", "normal", "high"]},
    ),
    "log line": _flat(
        day=DATE,
        level={"enum": ["DEBUG", "INFO", "WARN", "ERROR"]},
        service=STRING,
        host=STRING,
        request_id=STRING,
        status_code=INTEGER,
        duration_ms=INTEGER,
    ),
    "product": _flat(
        name=STRING,
        brand=STRING,
        sku=STRING,
        price=NUMBER,
        currency={"enum": list(CURRENCIES)},
        stock=INTEGER,
        weight_g=INTEGER,
        in_stock={"type": "boolean"},
    ),
}


class Document(NamedTuple):
    """A text and the facts it was made from."""

    kind: str
    text: str
    facts: dict[str, Any]


class Draw(random.Random):
    """Draws facts."""

    def word(self, syllables: int = 2) -> str:
        """A made-up word."""
        parts = (self.choice("bdfghklmnprstvw") + self.choice("aeiou") for _ in range(syllables))
        return "".join(parts) + self.choice("nrslt")

    def name(self) -> str:
        """Two made-up words with capitals."""
        return f"{self.word(self.randint(1, 2)).capitalize()} {self.word(self.randint(2, 3)).capitalize()}"

    def id(self) -> str:
        """Some capitals, a hyphen, some digits."""
        letters = "".join(self.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=self.randint(1, 3)))
        return f"{letters}-{self.randint(100, 99_999)}"

    def day(self) -> str:
        """A date of thirty years."""
        return (date(2000, 1, 1) + timedelta(days=self.randrange(11_000))).isoformat()

    def amount(self) -> float:
        """Up to ten thousand, with cents."""
        return round(self.uniform(1, 10 ** self.randint(2, 4)), 2)


def _invoice(draw: Draw) -> tuple[str, dict[str, Any]]:
    facts = {
        "invoice_number": draw.id(),
        "vendor": f"{draw.word().capitalize()} {draw.choice(('Ltd', 'GmbH', 'Inc', 'AG'))}",
        "customer": draw.name(),
        "total": draw.amount(),
        "currency": draw.choice(CURRENCIES),
        "due_date": draw.day(),
        "status": draw.choice(("open", "paid", "overdue")),
    }
    pattern = draw.choice(
        (
            (
                "Invoice {invoice_number} from {vendor} to {customer}, total {total:.2f} {currency}, due {due_date}, "
                "status {status}."
            ),
            (
                "{vendor}\nBill to: {customer}\nInvoice no. {invoice_number}\nAmount due: {currency} {total:.2f}\n"
                "Payable until {due_date}\nStatus: {status}"
            ),
        )
    )
    return pattern.format(**facts), facts


def _email(draw: Draw) -> tuple[str, dict[str, Any]]:
    sender = draw.name()
    facts = {
        "sender": sender,
        "address": f"{sender.replace(' ', '.').lower()}@{draw.word()}.{draw.choice(('com', 'org', 'net'))}",
        "recipient": draw.name(),
        "ticket": draw.id(),
        "sent_on": draw.day(),
        "priority": draw.choice(("low", "normal", "high")),
    }
    pattern = draw.choice(
        (
            (
                "From: {sender} <{address}>\nTo: {recipient}\nDate: {sent_on}\nSubject: Ticket {ticket}\n\n"
                "The matter is of {priority} priority."
            ),
            (
                "On {sent_on} {sender} wrote to {recipient} about ticket {ticket}, with {priority} priority. "
                "Reply to {address}."
            ),
        )
    )
    return pattern.format(**facts), facts


def _log_line(draw: Draw) -> tuple[str, dict[str, Any]]:
    facts = {
        "day": draw.day(),
        "level": draw.choice(("DEBUG", "INFO", "WARN", "ERROR")),
        "service": f"{draw.word()}-api",
        "host": f"{draw.word()}{draw.randint(1, 99):02}",
        "request_id": draw.id(),
        "status_code": draw.choice((200, 201, 302, 404, 429, 500, 503)),
        "duration_ms": draw.randint(1, 30_000),
    }
    pattern = draw.choice(
        (
            "{day} {level} [{service}] host={host} request={request_id} status={status_code} duration={duration_ms}ms",
            "{level} {day} {host} {service}: request {request_id} ended with {status_code} after {duration_ms} ms",
        )
    )
    return pattern.format(**facts), facts


def _product(draw: Draw) -> tuple[str, dict[str, Any]]:
    stock = draw.choice((0, draw.randint(1, 500)))
    facts = {
        "name": f"{draw.word().capitalize()} {draw.randint(2, 900)}",
        "brand": draw.word().capitalize(),
        "sku": draw.id(),
        "price": draw.amount(),
        "currency": draw.choice(CURRENCIES),
        "stock": stock,
        "weight_g": draw.randint(5, 20_000),
        "in_stock": stock > 0,
    }
    pattern = draw.choice(
        (
            "{name} by {brand} (SKU {sku}): {price:.2f} {currency}, {weight_g} g, {stock} in stock.",
            (
                "The {brand} {name} weighs {weight_g} grams and costs {currency} {price:.2f}. Article {sku}, "
                "{stock} pieces left."
            ),
        )
    )
    return pattern.format(**facts), facts


def documents(count: int, seed: int) -> list[Document]:
    """So many documents, the kinds in turns."""
    draw = Draw(seed)
    makers = (_invoice, _email, _log_line, _product)
    return [Document(KINDS[i % len(KINDS)], *makers[i % len(KINDS)](draw)) for i in range(count)]


@dataclass
class Tally:
    """What one of those who write has done."""

    seconds: list[float] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    complete: int = 0
    right: int = 0

    def add(self, tokens: int, seconds: float) -> None:
        """Notes an answer."""
        self.tokens.append(tokens)
        self.seconds.append(seconds)

    def mark(self, value: Any, facts: dict[str, Any]) -> None:
        """Notes what an answer says."""
        self.complete += isinstance(value, dict)
        self.right += sum(value.get(name) == fact for name, fact in facts.items()) if isinstance(value, dict) else 0

    def row(self, name: str, ours: Tally, facts: int) -> str:
        """A line of the table."""
        seconds, tokens = sum(self.seconds), sum(self.tokens)
        times = [mine / our for mine, our in zip(self.seconds, ours.seconds, strict=True)]
        per_token = [ratio * our / mine for ratio, mine, our in zip(times, self.tokens, ours.tokens, strict=True)]
        said = f"{self.complete:8} {self.right / facts:6.1%}" if name != "free" else f"{'-':>8} {'-':>6}"
        return (
            f"{name:14} {tokens:7} {seconds:8.2f} {len(times) / seconds:7.2f} {tokens / seconds:8.1f} {said} "
            f"{statistics.median(times):7.2f} {statistics.median(per_token):7.2f}"
        )


def read(text: str) -> Any:
    """The value of a JSON text; None if it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return None


class Race:
    """Ours and the others, document by document."""

    def __init__(self, generator: Generator, others: list[Peer], budget: int, report: Report) -> None:
        self._generator = generator
        self._others = others
        self._budget = budget
        self._report = report
        self.tallies: dict[str, Tally] = {name: Tally() for name in ("ours", "free", *(peer.name for peer in others))}
        self.forwards = self.drafted = self.accepted = 0

    def run(self, document: Document) -> None:
        """All answer a document."""
        schema = SCHEMAS[document.kind]
        prompt = self._generator._encode(document.text, Schema.of(schema))
        self._generator._prefixes.clear()
        started = time.perf_counter()
        result = self._generator.generate(document.text, schema, max_new_tokens=self._budget)
        seconds = time.perf_counter() - started
        usage = result.usage
        self.tallies["ours"].add(usage.new_tokens, seconds)
        self.tallies["ours"].mark(result.value, document.facts)
        self.forwards += usage.forward_passes
        self.drafted += usage.drafted_tokens
        self.accepted += usage.accepted_drafts
        self.tallies["free"].add(usage.new_tokens, free(self._generator, prompt, usage.new_tokens))
        for peer in list(self._others):
            try:
                tokens, seconds = peer.write(prompt, schema, self._budget)
            except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
                self._report.print(f"{peer.name}: left out, {document.kind}: {reason(error)}")
                self._others.remove(peer)
                del self.tallies[peer.name]
                continue
            self.tallies[peer.name].add(len(tokens), seconds)
            text = self._generator._tokenizer.decode(tokens, skip_special_tokens=True)
            self.tallies[peer.name].mark(read(text), document.facts)

    def forget(self) -> None:
        """Counts from here; the schemas stay compiled."""
        self.tallies = {name: Tally() for name in self.tallies}
        self.forwards = self.drafted = self.accepted = 0


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=200, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--budget", type=int, default=256, help="max_new_tokens")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peers", default=",".join(PEERS), help='some of them; "" for none')
    parser.add_argument("--save", metavar="NAME", help="writes the table to benchmarks/results/NAME.txt")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    report = Report()
    generator = Generator.embedded()
    report.print(describe(generator, "embedded model"))
    report.print(f"{options.documents} documents, seed {options.seed}, at most {options.budget} new tokens each")
    others = peers(options.peers.split(",") if options.peers else [], generator, report)
    race = Race(generator, others, options.budget, report)
    drawn = documents(len(KINDS) + options.documents, options.seed)
    for document in drawn[: len(KINDS)]:  # one of each kind warms up
        race.run(document)
    race.forget()
    for document in drawn[len(KINDS) :]:
        race.run(document)
    facts = sum(len(document.facts) for document in drawn[len(KINDS) :])
    titles = f"{'tokens':>7} {'seconds':>8} {'docs/s':>7} {'tok/s':>8} {'complete':>8} {'right':>6}"
    report.print(f"{'':14} {titles} {'s/ours':>7} {'ours/s':>7}")
    for name, tally in race.tallies.items():
        report.print(tally.row(name, race.tallies["ours"], facts))
    passes = race.forwards / sum(race.tallies["ours"].tokens)
    report.print(
        f"ours: {passes:.3f} forward passes per token, {race.accepted} of {race.drafted} drafted tokens accepted"
    )
    report.save(options.save)


if __name__ == "__main__":
    main()
