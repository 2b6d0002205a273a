from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import msgspec
import pytest

from streams.app.logs import configure, say_who

log = logging.getLogger("some.place")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    say_who()


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_a_json_line_says_when_what_who_and_in_which_trace(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json")
    say_who(instance="host-0", processor="records")
    log.warning("%s: %d given back", "records", 3, extra={"trace": "0af7"})
    (line,) = lines(capsys)
    told = msgspec.json.decode(line)
    assert told.pop("time").endswith("+00:00")
    assert told == {
        "level": "WARNING",
        "logger": "some.place",
        "instance": "host-0",
        "processor": "records",
        "trace": "0af7",
        "message": "records: 3 given back",
    }


def test_an_exception_stays_on_its_json_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json")
    try:
        raise ValueError("on\nlines")
    except ValueError:
        log.exception("failed")
    (line,) = lines(capsys)
    assert "ValueError: on\nlines" in msgspec.json.decode(line)["exception"]


def test_a_text_line_names_the_instance_and_the_trace(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    log.info("plain")
    say_who(instance="host-0")
    log.info("told", extra={"trace": "0af7"})
    plain, told = lines(capsys)
    assert plain.endswith(" INFO some.place plain")
    assert told.endswith(" INFO host-0 some.place told [trace 0af7]")


def test_each_thread_says_its_own_processor(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json")

    def work(name: str) -> None:
        say_who(instance="host-0", processor=name)
        log.info("runs")

    threads = [threading.Thread(target=work, args=(name,)) for name in ("intake", "notify")]
    for thread in threads:
        thread.start()
        thread.join()
    assert [msgspec.json.decode(line)["processor"] for line in lines(capsys)] == ["intake", "notify"]


def test_configuring_again_replaces_the_format_instead_of_doubling_lines(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json")
    configure("text")
    log.info("once")
    assert len(lines(capsys)) == 1


def test_requests_to_the_registry_write_no_lines(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    logging.getLogger("httpx").info("GET /schemas/ids/1")
    assert lines(capsys) == []
