"""Follow an answer while it is written: text as it comes, each field once it is final."""

from pydantic import BaseModel

from harmony_gen import Done, FieldDone, Generator, TextDelta


class Contact(BaseModel):
    """A business contact."""

    name: str
    company: str
    city: str
    email: str


TEXT = "Name: Helena Marsh\nCompany: Castellan Foods\nCity: Bristol\nEmail: helena@castellan.com"


def main() -> None:
    written = ""
    for event in Generator.embedded().stream(TEXT, Contact):
        match event:
            case TextDelta(text=text):
                written += text
            case FieldDone(pointer=pointer, value=value):
                print(f"{pointer} = {value!r}")
            case Done(result=result):
                print(f"{result.value!r} after {result.usage.new_tokens} tokens")
    print(written)


if __name__ == "__main__":
    main()
