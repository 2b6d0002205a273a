"""Source mappings: a YAML file per source says how its events become canonical changes.

bytes ─► Decoder ─► document ─► Mapping ─► SourceChange        SourceReader does both
file  ─► csv_rows ─► documents ─► Mapping ─► SourceChange      FileReader does both, also for files of JSON lines
"""

from connectors.mappings.check import Checked, CheckReport, check
from connectors.mappings.decode import Decoder
from connectors.mappings.files import FileReader, FileRow
from connectors.mappings.mapping import Mapping, load_mapping, shipped_mapping
from connectors.mappings.reader import SourceReader

__all__ = [
    "CheckReport",
    "Checked",
    "Decoder",
    "FileReader",
    "FileRow",
    "Mapping",
    "SourceReader",
    "check",
    "load_mapping",
    "shipped_mapping",
]
