from __future__ import annotations

import json

import fastavro

from connectors.schema_references import self_contained

ADDRESS = {"type": "record", "name": "Address", "namespace": "com.acme", "fields": [{"name": "country", "type": "Country"}]}
COUNTRY = {"type": "enum", "name": "com.acme.Country", "symbols": ["GB", "DE"]}
BARE = {"type": "record", "name": "Bare", "fields": [{"name": "x", "type": "int"}]}


def test_a_type_of_another_subject_is_written_out_where_it_first_stands() -> None:
    schema = {
        "type": "record",
        "name": "com.acme.Customer",
        "fields": [
            {"name": "home", "type": ["null", "Address"]},
            {"name": "others", "type": {"type": "array", "items": "com.acme.Address"}},
            {"name": "born", "type": "com.acme.Country"},
            {"name": "by", "type": {"type": "map", "values": "Bare"}},
        ],
    }
    whole = self_contained(schema, {"com.acme.Address": ADDRESS, "com.acme.Country": COUNTRY, "Bare": BARE})
    datum = {"home": {"country": "GB"}, "others": [{"country": "DE"}], "born": "DE", "by": {"k": {"x": 1}}}
    assert fastavro.validate(datum, fastavro.parse_schema(json.loads(json.dumps(whole))))


def test_a_schema_of_its_own_types_stays_as_it_is() -> None:
    schema = {
        "type": "record",
        "name": "R",
        "namespace": "n",
        "fields": [
            {"name": "a", "type": BARE | {"namespace": "n"}},
            {"name": "b", "type": "Bare"},
            {"name": "c", "type": "string"},
        ],
    }
    assert self_contained(schema, {"n.Bare": {"type": "string"}}) == schema


def test_a_type_that_contains_itself_ends() -> None:
    node = {"type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "Node"]}]}
    assert self_contained("Node", {"Node": node}) == {"namespace": "", **node}
