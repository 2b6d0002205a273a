"""Faults on a real Kafka: worker processes, a load generator, a verifying process. `make chaos`; see `run.py` first."""
