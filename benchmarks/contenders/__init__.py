"""The programs that are measured on the engine workload, each run as a process of its own with a `Task`."""
