"""Writes views piece by piece: an attribute that did not change since the last version is copied, not written again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from schemas.avro_writer import ZERO, Compiler, Writer
from schemas.view import CustomerView

ATTRIBUTES = "attributes"

REMEMBERED = ("Provenance",)
"""What one record said at one time has one provenance, unless others said it too."""


class ViewWriter:
    """Writes views in one Avro schema, with the fields of `CustomerView`."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Raises ValueError for a schema with types it does not write."""
        compiler = Compiler(remembered=REMEMBERED)
        fields = schema["fields"]
        place = [field["name"] for field in fields].index(ATTRIBUTES)
        self.format = blake2b(json.dumps(fields[place]).encode(), digest_size=4).hexdigest()
        """Pieces of one format may stand in one view: it is another if the schema of the attributes is."""
        self._write_before = compiler.fields(fields[:place])
        self._writers: dict[str, Writer] = {
            field["name"]: compiler.compile(field["type"]) for field in fields[place]["type"]["fields"]
        }
        self._write_after = compiler.fields(fields[place + 1 :])

    def piece(self, attribute: str, value: Any) -> bytes:
        """One attribute, encoded; empty for an empty one."""
        if not value:
            return b""
        out = bytearray()
        self._writers[attribute](out, value)
        return bytes(out)

    def pieces(self, view: CustomerView) -> dict[str, bytes]:
        """The attributes of a view, encoded; empty ones left out."""
        found = ((name, self.piece(name, getattr(view.attributes, name))) for name in self._writers)
        return {name: piece for name, piece in found if piece}

    def write(self, out: bytearray, view: CustomerView) -> None:
        """Appends a view."""
        self.write_pieces(out, view, self.pieces(view))

    def write_pieces(self, out: bytearray, view: CustomerView, pieces: Mapping[str, bytes]) -> None:
        """Appends a view whose attributes are `pieces`; those in the view itself are not looked at."""
        self._write_before(out, view)
        out += b"".join([pieces.get(name, ZERO) for name in self._writers])
        self._write_after(out, view)
