"""The suites print what they counted."""

from __future__ import annotations

import pytest

from support import figures


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        figures.clear()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = figures.tables()
    if lines:
        terminalreporter.section("figures of the suites")
        for line in lines:
            terminalreporter.write_line(line)
