"""The CRM: a PostgreSQL table, published by Debezium as JSON envelopes without schemas."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from connectors.simulated.capture import Held
from connectors.simulated.countries import written_phone
from connectors.simulated.events import CRM_TOPIC
from connectors.simulated.rates import START_MS
from connectors.simulated.records import ENCODER, Published, SystemRecord

Row = dict[str, object]

_EPOCH = date(1970, 1, 1).toordinal()
_LSN_START = 24_000_000
_LSN_PER_MS = 256  # so that the write-ahead log grows with time and every instant has its own place in it


class CrmRecord(SystemRecord):
    source: ClassVar[str] = "crm"
    topic: ClassVar[str] = CRM_TOPIC

    def __init__(self, number: int, brand: str, held: Held, created: int, snapshot: bool) -> None:
        super().__init__(str(number), brand, held)
        self._number = number
        self._created = created
        self._snapshot = snapshot
        self._status = "ACTIVE"
        self._segment = "consumer" if held.organization is None else "sme"
        self._row: Row | None = None

    def create(self, time: int) -> None:
        self._publish("r" if self._snapshot else "c", time)

    def change(self, time: int, part: str) -> None:  # noqa: ARG002  # a row image is whole whatever changed
        self._publish("u", time)

    def routine(self, time: int, choice: float) -> None:
        if choice < 0.5:
            self._status = "SUSPENDED" if self._status == "ACTIVE" else "ACTIVE"
        else:
            self._segment = "corporate" if self.held.organization else "sme" if self._segment == "consumer" else "consumer"
        self._publish("u", time)

    def delete(self, time: int) -> None:
        self.deleted = True
        self._publish("d", time)
        self.published.append(Published(self._at(time), self._key, None))

    @property
    def _key(self) -> bytes:
        return b'{"id":%d}' % self._number

    def _publish(self, operation: str, time: int) -> None:
        now = self._at(time)
        before = self._row
        self._row = None if operation == "d" else self._image(now)
        envelope = {
            "before": before,
            "after": self._row,
            "source": self._source(now, operation),
            "op": operation,
            "ts_ms": now + 200 + self._number % 300,
        }
        self.published.append(Published(now, self._key, ENCODER.encode(envelope)))

    def _source(self, now: int, operation: str) -> dict[str, object]:
        lsn = _LSN_START + (now - START_MS) * _LSN_PER_MS + self._number % 128 * 2
        committed = "null" if operation == "r" else f'"{lsn - _LSN_PER_MS}"'
        return {
            "version": "3.0.0.Final",
            "connector": "postgresql",
            "name": "crm",
            "ts_ms": now,
            "snapshot": "true" if operation == "r" else "false",
            "db": "crm",
            "sequence": f'[{committed},"{lsn}"]',
            "schema": "public",
            "table": "customer",
            "txId": 700 + (now - START_MS) // 1000,
            "lsn": lsn,
        }

    def _image(self, now: int) -> Row:
        held = self.held
        country = held.country
        unit, house, street, city, region, postcode, _ = held.address or (None,) * 7
        return {
            "id": self._number,
            "brand": self.brand,
            "customer_type": "I" if held.organization is None else "O",
            "title": held.title,
            "first_name": held.given,
            "middle_name": held.middle,
            "last_name": held.family,
            "suffix": held.suffix,
            "company_name": held.organization,
            "reg_no": held.registration,
            "dob": date.fromisoformat(held.birth).toordinal() - _EPOCH if held.birth else None,
            "gender": None if held.male is None else "M" if held.male else "F",
            "email": held.email,
            "mobile": written_phone(country, held.mobile, held.style % 8) if held.mobile else None,
            "home_phone": written_phone(country, held.landline, held.style // 8) if held.landline else None,
            "street": street,
            "house_no": house,
            "flat": unit,
            "city": city,
            "region": region,
            "postcode": postcode,
            "country": country.code,
            "passport_no": held.passport,
            "national_id": held.national_id,
            "status": self._status,
            "segment": self._segment,
            "created_at": self._created * 1000,
            "updated_at": now * 1000,
        }
