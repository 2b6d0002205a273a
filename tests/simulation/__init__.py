"""The whole engine under seeded faults, over a simulated log: see `world.py` first."""
