"""What a terminal could obey is shown instead, in all that is printed and logged."""

from __future__ import annotations

import io
import json
import logging

import pytest
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from streams.app import logs
from streams.app.console import SafeConsole, print_json
from streams.app.printable import printable, printable_json

HOSTILE = "a\x1b]0;pwned\x07\x9b2J\u202eb\u2066c\u200f\x7f\ud800\U000e0041"


def is_clean(text: str) -> bool:
    return all(character == "\n" or character.isprintable() for character in text)


def test_control_and_bidi_characters_are_shown_as_escapes() -> None:
    assert printable(HOSTILE) == r"a\x1b]0;pwned\x07\x9b2J\u202eb\u2066c\u200f\x7f\ud800\U000e0041"
    assert printable("one\r\ntwo") == r"one\r\ntwo"


@pytest.mark.parametrize(
    "text",
    [
        "Zoë O'Brien",
        "山田\u3000太郎",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "क\u094d\u200dष",
        "12\u00a0345",
        "🙂",
        "",
    ],
)
def test_names_of_any_script_are_left_as_they_are(text: str) -> None:
    assert printable(text) == text


def test_json_for_programs_means_the_same_and_has_nothing_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"name": HOSTILE.replace("\ud800", ""), "lines": "a\nb"}
    print_json(value)
    told = capsys.readouterr().out
    assert is_clean(told)
    assert json.loads(told) == value
    assert json.loads(printable_json(json.dumps(value, ensure_ascii=False))) == value


@pytest.mark.parametrize(
    "what",
    [escape(HOSTILE), Text(HOSTILE), Table(HOSTILE, title=HOSTILE)],
    ids=["text with markup", "text", "a table"],
)
def test_the_console_prints_nothing_that_a_terminal_obeys(what: str | Text | Table) -> None:
    file = io.StringIO()
    SafeConsole(file=file, width=200).print(what)
    assert r"\x1b]0;pwned" in file.getvalue()
    assert is_clean(file.getvalue())


def test_the_console_still_colours_what_it_prints() -> None:
    file = io.StringIO()
    SafeConsole(file=file, force_terminal=True, color_system="standard").print("[red]stop[/]\n")
    assert "\x1b[31mstop\x1b[0m" in file.getvalue()


def record(text: str, error: BaseException | None = None) -> logging.LogRecord:
    details = (type(error), error, None) if error else None
    return logging.LogRecord("test", logging.ERROR, __file__, 1, text, None, details)


def test_a_message_of_the_log_is_one_line_whatever_is_in_it() -> None:
    line = logs.TextFormatter().format(record(f"topic {HOSTILE}\n2026-01-01 00:00:00,000 INFO all is well"))
    assert "\n" not in line
    assert is_clean(line)
    assert r"\x1b]0;pwned" in line


def test_a_traceback_in_the_log_keeps_its_lines_and_obeys_nobody() -> None:
    told = logs.TextFormatter().format(record("failed", ValueError(HOSTILE)))
    assert is_clean(told)
    assert told.count("\n") == 1


def test_a_line_of_the_log_for_programs_is_one_clean_object() -> None:
    line = logs.JsonFormatter().format(record(HOSTILE.replace("\ud800", "") + "\n"))
    assert is_clean(line)
    assert "\n" not in line
    assert json.loads(line)["message"] == HOSTILE.replace("\ud800", "") + "\n"
