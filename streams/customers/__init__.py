"""`customers`: holds each customer's members, keeps its unified view, and tells what changed (eTOM 1.3.6.3, 1.3.6.5)."""

from streams.customers.processor import Customers
from streams.customers.rows import read_members, read_view

__all__ = ["Customers", "read_members", "read_view"]
