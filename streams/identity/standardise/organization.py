"""Names of organizations: what is left when legal form and filler words are gone."""

from __future__ import annotations

import re

from streams.identity.standardise.text import fold

_LEGAL_FORMS = frozenset(
    "gmbh ag kg ohg ug gbr ev eg mbh se ltd limited plc llp llc lp inc incorporated corp corporation co company cie "
    "sa sas sasu sarl eurl sci snc srl spa sl slu slp scp bv nv vof oy oyj ab as asa aps is hf ehf sro kft zrt bt doo dd "
    "spzoo zoo ooo oao zao tov eood ood ad pty pvt lda ltda eireli sl dac clg teo teoranta".split()
)
_FILLERS = frozenset("the and und et y e en og och i de la der die das".split())
_SPELLED_OUT = re.compile(r"\b(?:\w )+\w\b")  # "g m b h", what folding leaves of G.m.b.H.


def organization(text: str) -> str:
    """Words in their order, folded, without legal forms and fillers; all words where nothing else would be left."""
    folded = _SPELLED_OUT.sub(lambda run: run.group().replace(" ", ""), fold(text))
    words = folded.split()
    core = [word for word in words if word not in _LEGAL_FORMS and word not in _FILLERS]
    return " ".join(core or words)
