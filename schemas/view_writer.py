"""Writes views piece by piece: an attribute that did not change since the last version is copied, not written again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from schemas.avro_writer import ZERO, Compiler, Encode
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
        self._encode_before = compiler.fields(fields[:place])
        self._encoders: dict[str, Encode] = {
            field["name"]: compiler.compile(field["type"]) for field in fields[place]["type"]["fields"]
        }
        self._encode_after = compiler.fields(fields[place + 1 :])

    def piece(self, attribute: str, value: Any) -> bytes:
        """One attribute, encoded; empty for an empty one."""
        return self._encoders[attribute](value) if value else b""

    def pieces(self, view: CustomerView) -> dict[str, bytes]:
        """The attributes of a view, encoded; empty ones left out."""
        found = ((name, self.piece(name, getattr(view.attributes, name))) for name in self._encoders)
        return {name: piece for name, piece in found if piece}

    def encode(self, view: CustomerView) -> bytes:
        """A view, encoded."""
        return self.join(view, self.pieces(view))

    def join(self, view: CustomerView, pieces: Mapping[str, bytes]) -> bytes:
        """A view, encoded, whose attributes are `pieces`; those in the view itself are not looked at."""
        attributes = [pieces.get(name, ZERO) for name in self._encoders]
        return b"".join((self._encode_before(view), *attributes, self._encode_after(view)))
