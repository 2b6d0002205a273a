"""Our engine beside its peers on one workload, the whole pipeline, and cost against size. See docs/benchmarks.md."""
