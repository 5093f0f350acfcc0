"""The clinic that a plan is for: its name, its telephone numbers, its paper and its hours."""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from careplan.request.body import Body
from careplan.whole_patterns import in_python
from careplan.zones import is_a_zone, zone_of

Paper = Literal["a4", "us-letter"]
"""The sizes of paper for which a plan can be set."""
Region = Literal["us", "uk", "eu", "ca", "au"]
"""Whose label of a product counts at a clinic."""
ONE_LINE = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f]$"
ClinicName = Annotated[str, Meta(min_length=1, max_length=80, pattern=in_python(ONE_LINE))]
Phone = Annotated[
    str,
    Meta(
        pattern=in_python(r"^[+(]?[0-9][0-9 ()./\-]{2,28}( ?(x|ext\.?) ?[0-9]{1,6})?$"),
        description="a telephone number as people write it, with an extension if there is one",
        examples=["(555) 010-0100"],
    ),
]
ZoneName = Annotated[
    str,
    Meta(
        max_length=40,
        description="the IANA name of a time zone",
        examples=["America/New_York"],
    ),
]
_AMERICAN = ("America/", "US/", "Canada/", "Pacific/Honolulu")
"""Where letters are printed on the paper that is called so."""


class Clinic(Body, frozen=True, kw_only=True):
    """The clinic; what is left out is a blank to fill in by hand, or is taken from the settings of the service."""

    name: ClinicName | None = None
    phone: Phone | None = None
    phone_after_hours: Phone | None = None
    paper: Paper | None = None
    zone: ZoneName | None = None
    region: Annotated[Region, Meta(description="the country or union whose labels count here")] | None = None

    def over(self, other: Clinic | None) -> Clinic:
        """The clinic, with what it leaves out taken from another one."""
        if other is None:
            return self
        return msgspec.structs.replace(
            other, **{name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None}
        )

    @property
    def hours(self) -> ZoneInfo | None:
        """The zone in which its hours are written."""
        return zone_of(self.zone) if self.zone else None

    @property
    def printed_on(self) -> Paper:
        """Its paper; where none was named, that of the country of its zone."""
        return self.paper or ("us-letter" if (self.zone or "").startswith(_AMERICAN) else "a4")

    @property
    def zone_is_known(self) -> bool:
        """Whether its zone is one of those there are."""
        return self.zone is None or is_a_zone(self.zone)
