"""Order management: JSON patches, a sequence per customer reference, the address as one line."""

from __future__ import annotations

from typing import ClassVar

from connectors.simulated.capture import Held
from connectors.simulated.countries import COUNTRIES, address_line, written_phone
from connectors.simulated.events import ORDERS_TOPIC
from connectors.simulated.records import ADDRESS, BIRTH, EMAIL, ENCODER, MOBILE, NAME, Published, SystemRecord, iso, iso_date

_PRODUCTS = ("Mobile 20 GB", "Mobile 60 GB", "Fibre 100", "Fibre 500", "TV Basic", "TV Family")


class OrdersRecord(SystemRecord):
    source: ClassVar[str] = "orders"
    topic: ClassVar[str] = ORDERS_TOPIC

    def __init__(self, number: int, brand: str, held: Held) -> None:
        super().__init__(f"OM{number:07d}", brand, held)
        self._digits = f"{number:07d}"
        self._sequence = 0
        self._orders = 1
        self._subscriptions: list[dict[str, object]] = []
        self._product = number % len(_PRODUCTS)

    def create(self, time: int) -> None:
        held = self.held
        self._subscribe(time)
        changes: dict[str, object] = {"type": "company" if held.organization else "person"}
        if held.organization:
            changes["company"] = {"name": held.organization, "registrationNumber": held.registration}
        else:
            changes["person"] = _person(held)
            if held.birth or held.style % 2:
                changes["birthDate"] = held.birth
        contact: dict[str, object] = {}
        if held.mobile or held.landline:
            contact["phone"] = self._phone()
        if held.email or held.style % 3 == 0:
            contact["email"] = held.email
        if contact:
            changes["contact"] = contact
        if held.address:
            changes["deliveryAddress"] = _address(held)
        document = _document(held)
        if document:
            changes["identityDocument"] = document
        changes["subscriptions"] = list(self._subscriptions)
        self._publish(time, "OrderPlaced", changes)

    def change(self, time: int, part: str) -> None:
        held = self.held
        if part == NAME:
            self._publish(time, "NameChanged", {"person": _person(held)})
        elif part == BIRTH:
            self._publish(time, "CustomerCorrected", {"birthDate": held.birth})
        elif part == EMAIL:
            self._publish(time, "ContactChanged", {"contact": {"email": held.email}})
        elif part == MOBILE:
            self._publish(time, "ContactChanged", {"contact": {"phone": self._phone()}})
        elif part == ADDRESS:
            self._publish(time, "DeliveryAddressChanged", {"deliveryAddress": _address(held)})

    def routine(self, time: int, choice: float) -> None:
        if choice < 0.65:
            self._subscriptions[-1] = {**self._subscriptions[-1], "status": "active"}
            self._publish(time, "OrderDelivered", {"subscriptions": list(self._subscriptions)})
        else:
            self._orders += 1
            self._subscribe(time)
            self._publish(time, "OrderPlaced", {"subscriptions": list(self._subscriptions)})

    def _subscribe(self, time: int) -> None:
        number = len(self._subscriptions) + 1
        product = _PRODUCTS[(self._product + number) % len(_PRODUCTS)]
        self._subscriptions.append(
            {"id": f"S{self._digits}-{number}", "product": product, "status": "ordered", "start": iso_date(time)}
        )

    def _phone(self) -> str | None:
        """The one contact phone: a mobile if there is one."""
        number = self.held.mobile or self.held.landline
        return written_phone(self.held.country, number, self.held.style % 8) if number else None

    def _publish(self, time: int, kind: str, changes: dict[str, object]) -> None:
        now = self._at(time)
        self._sequence += 1
        event = {
            "eventId": f"{self.record_id}-{self._sequence}",
            "eventTime": iso(now),
            "eventType": kind,
            "orderId": f"O{self._digits}-{self._orders}",
            "customer": {
                "customerRef": self.record_id,
                "seq": self._sequence,
                "brand": self.brand,
                "country": self.held.country.code,
                "changes": changes,
            },
        }
        self.published.append(Published(now, self.record_id.encode(), ENCODER.encode(event)))


def _person(held: Held) -> dict[str, object]:
    person: dict[str, object] = {"givenName": held.given, "familyName": held.family}
    if held.title or held.style % 4 == 0:
        person["title"] = held.title
    if held.middle or held.style % 5 == 0:
        person["middleName"] = held.middle
    return person


def _address(held: Held) -> dict[str, object] | None:
    if held.address is None:
        return None
    unit, house, street, city, _, postcode, code = held.address
    country = COUNTRIES[code]
    line = address_line(country, street, house)
    return {"line1": line, "line2": unit, "town": city, "postcode": postcode, "country": country.name}


def _document(held: Held) -> dict[str, object] | None:
    kind, number = ("passport", held.passport) if held.passport else ("national_id", held.national_id)
    return {"type": kind, "country": held.country.code, "number": number} if number else None
