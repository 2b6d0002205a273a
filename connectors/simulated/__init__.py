"""A communications service provider's five source systems, simulated, with the truth known. See `FORMATS.md`."""

from connectors.simulated.events import SOURCES, AvroDatum, SourceEvent, TruthRow, source_schema
from connectors.simulated.pools import MissingFakerError, need_faker
from connectors.simulated.stream import estimate_events, generate

__all__ = [
    "SOURCES",
    "AvroDatum",
    "MissingFakerError",
    "SourceEvent",
    "TruthRow",
    "estimate_events",
    "generate",
    "need_faker",
    "source_schema",
]
