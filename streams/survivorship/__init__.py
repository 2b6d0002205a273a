"""Survivorship: which of its members' values a customer's view shows."""

from streams.survivorship.engine import MemberContent, Survivorship
from streams.survivorship.rules import DEFAULT_RULES, Rules, default_rules, load_rules

__all__ = ["DEFAULT_RULES", "MemberContent", "Rules", "Survivorship", "default_rules", "load_rules"]
