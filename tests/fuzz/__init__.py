"""Hostile events, made by chance from a seed: through the reader alone, and through the whole pipeline."""
