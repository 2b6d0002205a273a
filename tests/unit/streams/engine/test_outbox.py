from __future__ import annotations

from streams.engine.outbox import BatchOutbox, Outgoing


def test_messages_keep_their_order_and_compacted_keys_keep_only_the_last_value() -> None:
    out = BatchOutbox()
    out.latest("view", b"c1", lambda: b"v1")
    out.send("changes", b"c1", b"1")
    out.latest("view", b"c1", lambda: b"v2")
    out.send("changes", b"c1", b"2")
    out.latest("view", b"c2", None)
    assert list(out.outgoing()) == [
        Outgoing("changes", b"c1", b"1"),
        Outgoing("changes", b"c1", b"2"),
        Outgoing("view", b"c1", b"v2"),
        Outgoing("view", b"c2", None),
    ]


def test_an_overwritten_value_is_never_encoded() -> None:
    out = BatchOutbox()
    encoded: list[str] = []

    def encode(name: str) -> bytes:
        encoded.append(name)
        return name.encode()

    out.latest("view", b"c", lambda: encode("old"))
    out.latest("view", b"c", lambda: encode("new"))
    list(out.outgoing())
    assert encoded == ["new"]


def test_undo_takes_back_what_one_message_sent_and_nothing_else() -> None:
    out = BatchOutbox()
    out.send("changes", b"a", b"kept")
    out.latest("view", b"a", lambda: b"kept")
    out.mark()
    out.send("changes", b"a", b"dropped")
    out.latest("view", b"a", lambda: b"dropped")
    out.latest("view", b"b", lambda: b"dropped")
    out.latest("view", b"a", lambda: b"dropped too")
    out.undo()
    assert [(o.key, o.value) for o in out.outgoing()] == [(b"a", b"kept"), (b"a", b"kept")]


def test_what_was_taken_is_gone_and_cannot_be_undone() -> None:
    out = BatchOutbox()
    out.send("changes", b"a", b"taken")
    out.latest("view", b"a", lambda: b"kept")
    assert out.waiting == 1
    assert [o.value for o in out.take()] == [b"taken"]
    assert out.waiting == 0
    out.mark()
    out.send("changes", b"a", b"dropped")
    out.undo()
    out.send("changes", b"b", b"sent")
    assert [o.value for o in out.outgoing()] == [b"sent", b"kept"]


def test_a_topic_with_an_explicit_map_goes_to_the_mapped_partition() -> None:
    out = BatchOutbox({"identity": {b"north": 3}.__getitem__})
    out.send("identity", b"north", b"x")
    out.send("records", b"north", b"x")
    assert [o.partition for o in out.outgoing()] == [3, None]
