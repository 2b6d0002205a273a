"""Every number of identity, in one place: weights, likenesses, limits, thresholds.

Weights are centibits: 100 is one factor of two in the likelihood that two records are one customer (Fellegi and Sunter
1969, log2(m/u)). An agreement is worth log2 of how rarely strangers agree on it; a disagreement costs what the rate of
errors and changes in real data makes it cost. They are priors for European customer data, set by judgement; those of the
household (what differing contacts cost, what counts within it) were set with the simulated provider's output in view.
"""

from __future__ import annotations

import msgspec


class Weights(msgspec.Struct, frozen=True):
    """What each level of each attribute is worth, in centibits."""

    # Given name. An agreement is worth the name's own frequency (see `Reference`).
    given_known_as: int = -100  # a nickname or called middle name: the agreement less what it could also stand for
    given_sounds: int = -150  # spelt otherwise, sounds the same
    given_spelt_close: int = -250  # one or two slips apart, and not two names of the dictionary
    given_initial: int = 250  # one of 26 letters, unevenly used
    given_different: int = -500  # errors that leave nothing recognisable are rare; other names in use are not
    given_conflicting: int = -1000  # two attested unrelated names: another person, or a very odd record
    swapped: int = -150  # given and family name in each other's field: the agreement of both, less how rare that is
    middle_same: int = 300
    middle_conflicting: int = -200
    suffix_same: int = 200
    suffix_conflicting: int = -1500  # written only to tell father and son apart
    gender_same: int = 50
    gender_different: int = -250  # often guessed by the source from the given name

    # Birth date. Same: 365 days x some 60 years; partial agreement: what coincides is worth what it is rare.
    birth_same: int = 1400
    birth_same_january_first: int = 850  # what systems write that know only the year
    birth_slip: int = 950  # one digit typed wrong, two neighbours swapped, or day and month swapped
    birth_partly: int = 550  # two of year, month, day agree
    birth_year_same: int = 400  # one of them knows only the year
    birth_month_same: int = 750  # one of them knows only year and month
    birth_conflicting: int = -900  # a father, a brother, a stranger

    # Identifications of one type and issuer.
    number_same: int = 2000
    number_slip: int = 1100  # one character wrong or two swapped
    number_conflicting: int = -500  # passports are renewed, people hold two nationalities
    number_slip_length: int = 6  # shorter values are one slip away from too many others
    account_different: int = -250  # a system holds few of its customers twice
    renewable_conflicting: int = -100  # a passport or licence is renewed: hardly evidence, no conflict

    # The household: family name, address, e-mail, telephone. Their sum counts once, up to the cap.
    family_sounds: int = -150
    family_spelt_close: int = -250
    family_initial: int = 200
    family_part: int = -250  # one word of a double name
    family_different: int = -300  # marriages; errors
    email_same: int = 1600  # more than a family seldom reads one mailbox, but families do
    email_slip: int = 800
    email_different: int = -150  # people have several, but those of one household have more
    phone_same: int = 1300  # shared, passed on, recycled
    phone_slip: int = 700  # one digit wrong, but the last: those are neighbours
    phone_different: int = -200  # as with mailboxes; telephones change less
    house_same: int = 400
    house_different: int = -250
    street_same: int = 800
    street_close: int = 600
    street_different: int = -200
    postcode_same: int = 700
    postcode_slip: int = 400
    postcode_different: int = -100
    locality_same: int = 400  # adds to a postcode only half: they say nearly the same
    locality_close: int = 300
    unit_same: int = 150
    unit_different: int = -150
    address_lowest: int = -100  # people move
    address_highest: int = 1400
    household_cap: int = 2600  # all that agrees cannot say more than "one household"
    household_shared: int = 1000  # from here on two records are taken to be of one household
    household_other_given: int = -1800  # ... with attested unrelated given names: a couple, twins
    household_unlike_given: int = -800  # ... with given names unlike each other: probably the same, or badly typed
    household_other_birth: int = -1500  # ... born on other days: father and son, whatever their names
    # Within a household, "the same person" competes with "another member", not with a stranger; names run in families, and
    # a mailbox or a telephone is first of all one member's. Below zero, the household is all that agrees.
    within_same_given: int = 500
    within_email_same: int = 400
    within_email_different: int = -300
    within_phone_same: int = 400
    within_phone_different: int = -300
    second_group: int = 600  # what must agree beside the name; a town or a year of birth is not enough

    # Organizations.
    organization_same: int = 1300
    organization_close: int = 900
    organization_part: int = 400
    organization_different: int = -700
    domain_same: int = 700  # one mail domain, unless many use it
    registration_same: int = 2500
    kind_conflicting: int = -2000  # a person and an organization


class Likeness(msgspec.Struct, frozen=True):
    """How alike two strings must be to be called close, 0 to 1."""

    name: float = 0.88  # Jaro-Winkler: a slip in five letters, two in ten; the beginning counts more
    street: float = 0.8  # normalised edit distance, as for the following: lines are longer
    locality: float = 0.8
    organization: float = 0.87  # stricter: "Miller Metal" and "Miller Media" are two


class Limits(msgspec.Struct, frozen=True):
    """How many values of one kind a record's features keep, and how many match keys it may post."""

    names: int = 4
    organizations: int = 3
    numbers: int = 6
    emails: int = 4
    phones: int = 5
    places: int = 4
    forms: int = 3  # formal names a nickname may stand for
    keys: int = 32


class Growth(msgspec.Struct, frozen=True):
    """Thresholds by size class, centibits. Twice as many records: one bit more evidence that a pair is no coincidence."""

    per_class: int = 200  # a class is a factor of four
    margin: int = 500  # what a match must have over even odds
    lowest_match: int = 1300  # small realms have small families too
    review_below: int = 600  # possible matches: this much below a match


WEIGHTS = Weights()
LIKENESS = Likeness()
LIMITS = Limits()
GROWTH = Growth()
