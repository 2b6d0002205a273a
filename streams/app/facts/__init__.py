"""What must not change unseen in the life of a deployment: kept with its log, and compared at every start."""

from streams.app.facts.compare import FactsError, Verdict, compare, judge_members
from streams.app.facts.model import Facts, Source, fingerprint

__all__ = ["Facts", "FactsError", "Source", "Verdict", "compare", "fingerprint", "judge_members"]
