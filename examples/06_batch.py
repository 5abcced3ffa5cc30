"""Several prompts at once, each with its own schema; a row that fails does not stop the others."""

from typing import Literal

from pydantic import BaseModel

from harmony_gen import Generator, HarmonyError


class Contact(BaseModel):
    """A business contact."""

    name: str
    city: str


class LogEvent(BaseModel):
    """One event of a service log."""

    level: Literal["info", "warning", "error"]
    service: str


IMPOSSIBLE = {"type": "string", "minLength": 5, "maxLength": 3}
ROWS = (
    ("Name: Helena Marsh\nCity: Bristol", Contact),
    ("level=ERROR service=payments status=504", LogEvent),
    ("Order number: NF-58213", IMPOSSIBLE),
)


def main() -> None:
    prompts, schemas = zip(*ROWS, strict=True)
    for result in Generator.embedded().generate_batch(list(prompts), list(schemas)):
        print(f"failed: {result}" if isinstance(result, HarmonyError) else result.value)


if __name__ == "__main__":
    main()
