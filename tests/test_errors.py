"""The tree of errors, and the facts they carry."""

from __future__ import annotations

import inspect
import pickle
import re

import pytest

import harmony_gen
from harmony_gen import errors

CLASSES = {name: kind for name, kind in vars(errors).items() if inspect.isclass(kind)}


def drawn() -> dict[str, str]:
    """The tree in the docstring of the module: name → name of its base."""
    tree: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^( {4}[ │]*)(?:[├└]── )?([A-Z]\w+)(?:  |$)", line)
        if match:
            depth = 0 if "── " not in line else 1 + (line.index("── ") - 5) // 4
            path[depth:] = [match[2]]
            if depth:
                tree[match[2]] = path[depth - 1]
    return tree


def test_the_tree_is_drawn_as_it_is() -> None:
    actual = {name: kind.__mro__[1].__name__ for name, kind in CLASSES.items() if name != "HarmonyError"}
    assert drawn() == actual
    assert len(actual) > 8


def test_every_error_is_public_and_explained() -> None:
    for name, kind in CLASSES.items():
        assert name in harmony_gen.__all__
        assert getattr(harmony_gen, name) is kind
        assert kind.__doc__


def test_only_an_interruption_is_no_harmony_error() -> None:
    others = [name for name, kind in CLASSES.items() if not issubclass(kind, errors.HarmonyError)]
    assert others == ["Interrupted"]
    assert issubclass(errors.Interrupted, KeyboardInterrupt)
    assert not issubclass(errors.Interrupted, Exception)  # `except Exception` must not swallow Ctrl-C


@pytest.mark.parametrize(
    ("error", "facts"),
    [
        (errors.SchemaError("no", pointer="/a", keyword="not"), {"pointer": "/a", "keyword": "not"}),
        (errors.SchemaError("no"), {"pointer": "", "keyword": None}),
        (errors.UnsatisfiableError("no", pointer="/b"), {"pointer": "/b", "keyword": None}),
        (errors.PromptError("no", tokens=9, limit=4), {"tokens": 9, "limit": 4}),
        (errors.BudgetError(9, 4), {"needed": 9, "given": 4}),
        (errors.RuleError("no", attempts=(("/a", "1", "bad"),)), {"attempts": (("/a", "1", "bad"),)}),
        (errors.ValidationError("no", pointer="/a"), {"pointer": "/a"}),
        (errors.MissingExtra("bitsandbytes", "quantization"), {"extra": "quantization"}),
        (errors.Interrupted('{"a":'), {"partial_text": '{"a":'}),
    ],
)
def test_errors_carry_their_facts(error: BaseException, facts: dict[str, object]) -> None:
    assert {name: getattr(error, name) for name in facts} == facts


def test_messages_say_what_to_do_next() -> None:
    assert "Raise max_new_tokens to at least 9" in str(errors.BudgetError(9, 4))
    assert 'pip install "harmony-gen[quantization]"' in str(errors.MissingExtra("x", "quantization"))
    assert ".partial_text" in str(errors.Interrupted("abc"))


def test_errors_survive_a_process_boundary() -> None:
    """A worker process hands its errors back pickled."""
    for error in (
        errors.BudgetError(9, 4),
        errors.MissingExtra("bitsandbytes", "quantization"),
        errors.Interrupted("abc"),
        errors.SchemaError("no", pointer="/a", keyword="not"),
        errors.RuleError("no", attempts=(("/a", "1", "bad"),)),
    ):
        again = pickle.loads(pickle.dumps(error))  # noqa: S301 - made in this line
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert vars(again) == vars(error)
