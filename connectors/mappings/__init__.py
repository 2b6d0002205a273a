"""Source mappings: a YAML file per source says how its events become canonical changes.

bytes ─► Decoder ─► document ─► Mapping ─► SourceChange        SourceReader does both
"""

from connectors.mappings.check import Checked, CheckReport, check
from connectors.mappings.decode import Decoder
from connectors.mappings.mapping import Mapping, load_mapping, shipped_mapping
from connectors.mappings.reader import SourceReader

__all__ = ["CheckReport", "Checked", "Decoder", "Mapping", "SourceReader", "check", "load_mapping", "shipped_mapping"]
