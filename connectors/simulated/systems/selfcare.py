"""Self-care: JSON patches of a profile the customer keeps, in part verified."""

from __future__ import annotations

from typing import ClassVar

from connectors.simulated.capture import Held
from connectors.simulated.countries import written_phone
from connectors.simulated.events import SELFCARE_TOPIC
from connectors.simulated.records import BIRTH, EMAIL, ENCODER, MOBILE, NAME, Published, SystemRecord, iso


class SelfcareRecord(SystemRecord):
    source: ClassVar[str] = "selfcare"
    topic: ClassVar[str] = SELFCARE_TOPIC

    def __init__(self, number: int, brand: str, held: Held) -> None:
        super().__init__(f"sc{number:07d}", brand, held)
        self._revision = 0
        self._verified_email = held.style % 4 != 0
        self._verified_phone = held.style % 8 > 5
        self._granted = held.style % 2 == 0

    def create(self, time: int) -> None:
        held = self.held
        patch: dict[str, object] = {"displayName": self._display_name()}
        if held.nickname or held.style % 4 == 0:
            patch["nickname"] = held.nickname
        if held.email:
            patch["emails"] = self._emails()
        if held.mobile or held.landline:
            patch["phones"] = self._phones()
        if held.birth or held.style % 3 == 0:
            patch["birthDate"] = self._birth()
        patch["language"] = held.country.locale[:2] if held.style % 5 else None
        patch["consents"] = self._consents(time)
        self._publish(time, patch)

    def change(self, time: int, part: str) -> None:
        if part == NAME:
            self._publish(time, {"displayName": self._display_name()})
        elif part == BIRTH:
            self._publish(time, {"birthDate": self._birth()})
        elif part == EMAIL:
            self._verified_email = True
            self._publish(time, {"emails": self._emails()})
        elif part == MOBILE:
            self._verified_phone = True
            self._publish(time, {"phones": self._phones()})

    def routine(self, time: int, choice: float) -> None:
        if choice < 0.35 and self.held.mobile:
            self._verified_phone = True
            self._publish(time, {"phones": self._phones()})
        elif choice < 0.55 and self.held.email:
            self._verified_email = True
            self._publish(time, {"emails": self._emails()})
        else:
            self._granted = not self._granted
            self._publish(time, {"consents": self._consents(time)})

    def _display_name(self) -> str:
        held = self.held
        if held.organization:
            return held.organization
        given, family = held.given or "", held.family or ""
        return f"{given} {family[:1]}" if held.style == 0 else f"{given} {family}"

    def _emails(self) -> list[dict[str, object]]:
        return [{"address": self.held.email, "verified": self._verified_email, "primary": True}]

    def _phones(self) -> list[dict[str, object]]:
        held, phones = self.held, list[dict[str, object]]()
        if held.mobile:
            number = written_phone(held.country, held.mobile, held.style % 8)
            phones.append({"number": number, "type": "mobile", "verified": self._verified_phone})
        if held.landline:
            number = written_phone(held.country, held.landline, held.style // 8)
            phones.append({"number": number, "type": "home", "verified": False})
        return phones

    def _birth(self) -> str | None:
        if self.held.birth is None:
            return None
        year, month, day = self.held.birth.split("-")
        return f"{day}/{month}/{year}"

    def _consents(self, time: int) -> list[dict[str, object]]:
        return [{"purpose": "marketing", "channel": "email", "granted": self._granted, "at": iso(time)}]

    def _publish(self, time: int, patch: dict[str, object]) -> None:
        now = self._at(time)
        self._revision += 1
        event = {
            "userId": self.record_id,
            "brand": self.brand,
            "country": self.held.country.code,
            "at": iso(now),
            "revision": self._revision,
            "patch": patch,
        }
        self.published.append(Published(now, self.record_id.encode(), ENCODER.encode(event)))
