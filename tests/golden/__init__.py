"""The bytes that released versions wrote, kept for ever: what a later one must read, or migrate."""
