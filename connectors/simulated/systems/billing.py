"""Billing: whole snapshots in Avro, a sequence per customer, the name in one line as printed on the bill."""

from __future__ import annotations

from typing import ClassVar

from connectors.simulated.capture import Held
from connectors.simulated.countries import COUNTRIES, written_phone
from connectors.simulated.events import BILLING_SCHEMA, BILLING_TOPIC, AvroDatum
from connectors.simulated.records import Published, SystemRecord, iso_date


class BillingRecord(SystemRecord):
    source: ClassVar[str] = "billing"
    topic: ClassVar[str] = BILLING_TOPIC

    def __init__(self, number: int, brand: str, held: Held, opened: int) -> None:
        super().__init__(f"B{number:07d}", brand, held)
        self._account = f"A{number:07d}"
        self._accounts: list[dict[str, object]] = []
        self._opened = iso_date(opened)
        self._sequence = 0
        self._open_account("postpaid" if number % 3 else "prepaid")

    def create(self, time: int) -> None:
        self._publish(time)

    def change(self, time: int, part: str) -> None:  # noqa: ARG002  # a snapshot is whole whatever changed
        self._publish(time)

    def routine(self, time: int, choice: float) -> None:
        if choice < 0.4:
            self._open_account("postpaid" if choice < 0.3 else "prepaid")
        else:
            account = self._accounts[-1]
            self._accounts[-1] = {**account, "status": "suspended" if account["status"] == "open" else "open"}
        self._publish(time)

    def delete(self, time: int) -> None:
        self.deleted = True
        self._publish(time)

    def _open_account(self, kind: str) -> None:
        number = f"{self._account}-{len(self._accounts) + 1}"
        self._accounts.append({"account_no": number, "type": kind, "status": "open", "opened": self._opened})

    def _publish(self, time: int) -> None:
        now = self._at(time)
        self._sequence += 1
        datum = AvroDatum(BILLING_SCHEMA, self._datum(now))
        self.published.append(Published(now, self.record_id.encode(), datum))

    def _datum(self, now: int) -> dict[str, object]:
        held = None if self.deleted else self.held
        country = self.held.country.code
        return {
            "customer_id": self.record_id,
            "sequence": self._sequence,
            "event_ts": now,
            "brand": self.brand,
            "country": country,
            "deleted": self.deleted,
            "kind": None if held is None else "COMPANY" if held.organization else "PERSON",
            "name": held and (held.organization or _line(held)),
            "crm_customer_no": held and held.crm_number,
            "registration_no": held and held.registration,
            "tax_id": {"country": country, "number": held.tax_id} if held and held.tax_id else None,
            "email": held and held.email,
            "phones": _phones(held) if held else [],
            "bill_address": _address(held) if held else None,
            "accounts": list(self._accounts) if held else [],
        }


def _line(held: Held) -> str | None:
    given, family = held.given, held.family
    if given is None or family is None:
        return given or family
    style = held.style % 20
    middle = f" {held.middle[0]}" if held.middle else ""
    suffix = f" {held.suffix}" if held.suffix else ""
    if style < 8:
        return f"{given}{middle} {family}{suffix}"
    if style < 13:
        return f"{held.title} {given}{middle} {family}{suffix}" if held.title else f"{given} {family}{suffix}"
    if style < 19:
        return f"{family}, {given}{middle}{suffix}"
    return f"{family} {given}{suffix}".upper()


def _phones(held: Held) -> list[dict[str, object]]:
    country, phones = held.country, list[dict[str, object]]()
    if held.mobile:
        phones.append({"type": "mobile", "number": written_phone(country, held.mobile, held.style // 8)})
    if held.landline:
        kind = "work" if held.organization else "home"
        phones.append({"type": kind, "number": written_phone(country, held.landline, held.style % 8)})
    return phones


def _address(held: Held) -> dict[str, object] | None:
    if held.address is None:
        return None
    unit, house, street, city, _, postcode, country = held.address
    return {
        "unit": unit,
        "house": house,
        "street": street,
        "town": city,
        "postcode": postcode,
        "country": COUNTRIES[country].alpha3,
    }
