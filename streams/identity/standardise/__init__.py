"""Standardising: one spelling for what people write in many. Pure functions, text in, text out; empty means not known."""
