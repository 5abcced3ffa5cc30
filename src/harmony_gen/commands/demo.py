"""`harmony-gen demo`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse


def add(commands: Any) -> None:
    """Adds the command."""
    demo = commands.add_parser("demo", help="typed records from six documents, with the model that comes along")
    demo.set_defaults(run=_run)


def _run(_: argparse.Namespace) -> int:
    from harmony_gen import demo

    demo.run()
    return 0
