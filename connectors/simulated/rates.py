"""How often everything happens in the simulated systems: one named number each, nothing hidden elsewhere.

Shares are of the thing named in the comment, between 0 and 1. `docs/generator.md` lists them with what was measured.
"""

from __future__ import annotations

# --- Time of the stream -------------------------------------------------------------------------------------------------

START_MS = 1_704_067_200_000  # 2024-01-01T00:00:00Z: the stream never looks at the clock
SPACING_MS = 240_000  # a new customer every four minutes
LIFE_MS = 5 * 86_400_000  # all events of a customer fall within five days of the first: bounds the window in memory
JOINING_MS = 36 * 3_600_000  # its records appear within a day and a half; what happens to the person comes after
SNAPSHOT_SHARE = 0.2  # of customers were in the CRM before its connector started: snapshot rows
SNAPSHOT_MOST = 5_000  # but at most so many

# --- Who the customers are ----------------------------------------------------------------------------------------------

COUNTRIES = {"GB": 0.42, "IE": 0.12, "US": 0.16, "DE": 0.14, "FR": 0.08, "ES": 0.08}  # of households
SOUTH = 0.126  # of households belong to the smaller brand; with BOTH_BRANDS that makes 15 % of customers
GROUPS = {
    "single": 0.520,  # one person living alone
    "couple": 0.200,  # two adults at one address, often one surname, sometimes one phone or mailbox
    "family": 0.090,  # a couple and a grown child
    "namesakes": 0.030,  # father and son of one name at one address
    "twins": 0.020,  # one birth date, one address, one surname
    "flatmates": 0.055,  # unrelated people at one address
    "organization": 0.045,  # a company, often with several sites
    "both_brands": 0.040,  # one person who is a customer of both brands: two customers in truth
}
SAME_SURNAME = 0.65  # of couples share the family name
HOUSEHOLD_LANDLINE = 0.55  # of addresses have one
HOUSEHOLD_EMAIL = 0.08  # of couples use one mailbox
HOUSEHOLD_MOBILE = 0.03  # of couples share one mobile
SHARED_CONTACT = 0.03  # of records in a household carry another member's e-mail or mobile
SUFFIXES = 0.45  # of namesakes write Sr and Jr, on the systems that have a field
NAMESAKES_APART = 0.98  # of namesakes' records are made to hold a right birth date or an own mobile or e-mail
MIDDLE_NAMES = 0.35  # of persons have one
FLATS = 0.22  # of addresses have a unit
SITES = (0.45, 0.22, 0.13, 0.09, 0.06, 0.05)  # organizations with one, two, ... sites

# --- Which systems know a customer --------------------------------------------------------------------------------------

HOLDS = {"crm": 0.86, "billing": 0.80, "orders": 0.50, "selfcare": 0.46, "partner": 0.22}  # of persons
SITE_HOLDS = {"crm": 0.90, "billing": 0.55, "orders": 0.35, "selfcare": 0.10, "partner": 0.0}  # of an organization's sites
TWICE = {"crm": 0.05, "billing": 0.03, "orders": 0.08, "selfcare": 0.03, "partner": 0.02}  # of those, held a second time

# --- What a record holds when it is created (share of records; otherwise the field is empty) ----------------------------

FILLED = {
    "crm": {
        "birth": 0.88, "email": 0.81, "mobile": 0.90, "landline": 0.60, "address": 0.97,
        "passport": 0.20, "national_id": 0.25,
    },
    "billing": {"email": 0.86, "mobile": 0.84, "landline": 0.45, "address": 0.98, "tax_id": 0.35},
    "orders": {
        "birth": 0.35, "email": 0.80, "mobile": 0.91, "landline": 0.30, "address": 0.96,
        "passport": 0.12, "national_id": 0.10,
    },
    "selfcare": {"birth": 0.68, "email": 0.97, "mobile": 0.85, "landline": 0.15},
    "partner": {"birth": 0.50, "email": 0.85, "mobile": 0.87},
}  # fmt: skip
CRM_REFERENCE = 0.85  # of billing records of a customer in the CRM carry its CRM number
REGISTRATION = {"crm": 0.92, "billing": 0.80, "orders": 0.45}  # of an organization's records carry the registration number
MIDDLE_WRITTEN = {"crm": 0.6, "billing": 0.45, "orders": 0.15, "selfcare": 0.1, "partner": 0.0}
TITLE_WRITTEN = 0.5  # of CRM and order records
GENDER_WRITTEN = 0.7  # of CRM records
PARTNER_NAME = 0.93  # of partner records hold first and last name
PARTNER_LAST_NAME = 0.5  # of the others hold the last name at least
TWO_EMAILS = 0.5  # of persons have two mailboxes
SECOND_EMAIL = 0.2  # of the records of such a person were given the second
SWITCHBOARD = 0.4  # of an organization's records hold its switchboard, the others the site's own phone
SITE_TAX_ID = 0.7  # of an organization's billing records
LEGAL_FORM = {"short": 0.55, "long": 0.30, "none": 0.15}  # how an organization's name ends

# --- What is wrong in a record (share of records that hold the field) ---------------------------------------------------

NICKNAME = {"crm": 0.04, "billing": 0.03, "orders": 0.09, "selfcare": 0.38, "partner": 0.12}  # if the name has one
INITIAL_ONLY = 0.015  # the given name is an initial
NAME_TYPO = 0.030  # one slip of the finger in given or family name
NAME_SOUND = 0.015  # written as heard: Stephen for Steven, Meier for Meyer
NAME_OCR = 0.008  # read by a scanner: rn for m, 0 for O
NAME_SWAPPED = 0.012  # given and family name in each other's field
ACCENTS_DROPPED = 0.25  # of records of a name that has any
HALF_SURNAME = 0.15  # of records of a two-part surname keep one part (Spain)
UPPER_CASE = 0.06  # everything in capitals
BIRTH_SWAPPED = 0.008  # day and month, where both readings exist
BIRTH_TYPO = 0.010  # one number wrong
BIRTH_JUNK = 0.005  # 1900-01-01
EMAIL_TYPO = 0.012
EMAIL_JUNK = 0.006  # test@test.com and the like
PHONE_TYPO = 0.010  # one digit wrong
PHONE_JUNK = 0.004  # 0000000000
SHOP_PHONE = {"crm": 0.010, "billing": 0.0, "orders": 0.025, "selfcare": 0.0, "partner": 0.0}  # the shop typed its own
SHOP_PHONE_ONLY = 0.5  # of those hold no mobile beside it
STREET_SHORT = 0.30  # St for Street, str. for straße
STREET_TYPO = 0.030
POSTCODE_MISSING = 0.020
HOUSE_WRONG = 0.005
UNIT_MISSING = 0.15  # of addresses with a unit
ID_TYPO = 0.006  # one character of an identification
ORGANIZATION_TYPO = 0.03  # one slip in an organization's name
ORGANIZATION_UPPER = 0.06  # its name in capitals

# --- What happens to a person, and who hears of it ----------------------------------------------------------------------

MOVES = 0.10  # of persons
MARRIES = 0.035  # of women take another family name
NEW_MOBILE = 0.09
NEW_EMAIL = 0.07
HEARS = {"crm": 0.85, "billing": 0.80, "orders": 0.45, "selfcare": 0.65, "partner": 0.25}  # of changes reach the system
RECYCLED = 0.10  # of households' first persons get a number another customer gave up earlier, if one waits
RECYCLE_WAITING = 64  # numbers given up that wait, per brand and country

# --- What else happens to a record --------------------------------------------------------------------------------------

# An update that tells nothing new about who the customer is.
ROUTINE = {"crm": 0.20, "billing": 0.24, "orders": 0.60, "selfcare": 0.36, "partner": 0.20}
COMPLETED = 0.10  # of CRM and self-care records are given a missing value later
CORRECTED = 0.30  # of wrong names in the CRM are put right later
DELETED = {"crm": 0.012, "billing": 0.006, "orders": 0.0, "selfcare": 0.0, "partner": 0.0}

# --- How events travel (share of events) --------------------------------------------------------------------------------

REDELIVERED = 0.010  # come again, byte for byte
OUT_OF_ORDER = 0.035  # of events with a successor in their record arrive after it: about 1 % of all events
LATE = 0.010  # arrive hours after they happened
LATE_MOST_MS = 12 * 3_600_000
MALFORMED = 0.003  # are preceded or followed by a damaged copy
