"""Generators of values, and the names by which the domains call them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from finetune.embedded.values import codes, numbers, people, phrases, places, times

if TYPE_CHECKING:
    from collections.abc import Callable

    from finetune.embedded.values.value import Value

GENERATORS: dict[str, tuple[str, Callable[..., Value]]] = {
    "first_name": ("str", people.first_name),
    "last_name": ("str", people.last_name),
    "person": ("str", people.addressed_person),
    "titled": ("str", people.titled_person),
    "email": ("str", people.email),
    "phone": ("str", people.phone),
    "url": ("str", people.url),
    "handle": ("str", people.handle),
    "company": ("str", places.company),
    "city": ("str", places.city),
    "country": ("str", places.country),
    "region": ("str", places.region),
    "district": ("str", places.district),
    "street": ("str", places.street),
    "address": ("str", places.address),
    "zip": ("str", places.zip_code),
    "landmark": ("str", places.landmark),
    "venue": ("str", places.venue),
    "room": ("str", places.room),
    "restaurant": ("str", places.restaurant),
    "hotel": ("str", places.hotel),
    "int": ("int", numbers.integer),
    "year": ("int", numbers.year),
    "ordinal": ("int", numbers.ordinal),
    "num": ("num", numbers.decimal),
    "percent": ("num", numbers.percentage),
    "temperature": ("num", numbers.temperature),
    "money": ("num", numbers.money),
    "large_money": ("num", numbers.large_money),
    "currency": ("str", numbers.currency),
    "date": ("date", times.day),
    "birthday": ("date", times.birthday),
    "time": ("str", times.clock),
    "stamp": ("str", times.stamp),
    "weekday": ("str", times.weekday),
    "month": ("str", times.month),
    "loose_day": ("str", times.loose_day),
    "moment": ("str", times.moment),
    "duration": ("str", times.duration),
    "code": ("str", codes.code),
    "long_number": ("str", codes.long_number),
    "iban": ("str", codes.iban),
    "flight_number": ("str", codes.flight_number),
    "train_number": ("str", codes.train_number),
    "plate": ("str", codes.plate),
    "seat": ("str", codes.seat),
    "gate": ("str", codes.gate),
    "ip": ("str", codes.address_of_machine),
    "machine": ("str", codes.machine),
    "component": ("str", codes.component),
    "path": ("str", codes.file_path),
    "version": ("str", codes.version),
    "color_code": ("str", codes.color_code),
    "size": ("str", codes.size),
    "product": ("str", phrases.product),
    "title": ("str", phrases.title),
    "event": ("str", phrases.event),
    "topic": ("str", phrases.topic),
    "phrase": ("str", phrases.phrase),
    "problem": ("str", phrases.problem),
    "message": ("str", phrases.message),
    "team": ("str", phrases.team),
    "score": ("str", phrases.score),
    "amount_of": ("str", phrases.ingredient),
    "thing": ("str", phrases.from_pool("things", "zh_things")),
    "color": ("str", phrases.from_pool("colors")),
    "material": ("str", phrases.from_pool("materials")),
    "dish": ("str", phrases.from_pool("dishes", "zh_dishes")),
    "cuisine": ("str", phrases.from_pool("cuisines")),
    "venue_kind": ("str", phrases.from_pool("venue_kinds")),
    "ingredient": ("str", phrases.from_pool("ingredients")),
    "job": ("str", phrases.from_pool("occupations", "zh_jobs")),
    "department": ("str", phrases.from_pool("departments", "zh_departments")),
    "skill": ("str", phrases.from_pool("skills")),
    "language": ("str", phrases.from_pool("languages")),
    "symptom": ("str", phrases.from_pool("symptoms")),
    "diagnosis": ("str", phrases.from_pool("diagnoses")),
    "drug": ("str", phrases.from_pool("drugs", strange=0.4)),
    "animal": ("str", phrases.from_pool("animals")),
    "genre": ("str", phrases.from_pool("genres")),
    "service": ("str", phrases.from_pool("services", strange=0.3)),
    "sport": ("str", phrases.from_pool("sports")),
    "amenity": ("str", phrases.from_pool("amenities")),
    "subject": ("str", phrases.from_pool("subjects")),
    "make": ("str", phrases.from_pool("vehicle_makes", strange=0.3)),
    "benefit": ("str", phrases.from_pool("benefits", strange=0)),
    "platform": ("str", phrases.from_pool("platforms", strange=0.05)),
    "port": ("str", phrases.from_pool("ports", strange=0.05)),
    "action": ("str", phrases.from_pool("actions")),
    "merit": ("str", phrases.from_pool("merits", strange=0)),
    "flaw": ("str", phrases.from_pool("flaws", strange=0)),
    "airline": ("str", phrases.from_pool("airlines", strange=0.3)),
    "hobby": ("str", phrases.from_pool("hobbies", strange=0.03)),
    "activity": ("str", phrases.from_pool("activities", strange=0)),
    "grocery": ("str", phrases.grocery),
    "zh_symptom": ("str", phrases.from_pool("zh_symptoms")),
    "zh_topic": ("str", phrases.from_pool("zh_topics")),
    "zh_skill": ("str", phrases.from_pool("zh_skills")),
    "zh_document": ("str", codes.document_number),
    "zh_estate": ("str", phrases.estate),
    "zh_restaurant": ("str", phrases.chinese_restaurant),
    "courier": ("str", phrases.from_pool("zh_couriers")),
    "bank": ("str", phrases.from_pool("zh_banks")),
}
"""For each name the JSON kind of what is generated ("str", "int", "num" or "date") and the generator."""


def generator(name: str, arguments: list[str]) -> tuple[str, Callable[[Any], Value]]:
    """A generator by its name, with numbers it takes as arguments.

    Args:
        name: a name from GENERATORS.
        arguments: numbers as text.

    Raises:
        KeyError: there is no such generator.
    """
    kind, generate = GENERATORS[name]
    numbers_given = [float(argument) if "." in argument else int(argument) for argument in arguments]
    if not numbers_given:
        return kind, generate
    return kind, lambda draw: generate(draw, *numbers_given)
