"""`python -m tests.parts [kafka] [registry]`: run the parts until Ctrl-C and print where they are."""

from __future__ import annotations

import signal
import sys
from contextlib import ExitStack

from tests.parts import KAFKA_ENV, REGISTRY_ENV, MissingPartError, launch_kafka, launch_registry

LAUNCHERS = {"kafka": (KAFKA_ENV, launch_kafka), "registry": (REGISTRY_ENV, launch_registry)}


def main(names: list[str]) -> int:
    unknown = set(names) - set(LAUNCHERS)
    if unknown:
        print(f"unknown: {', '.join(sorted(unknown))}; usage: python -m tests.parts [kafka] [registry]", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as running:
        try:
            for name in names or list(LAUNCHERS):
                variable, launch = LAUNCHERS[name]
                part = launch()
                running.callback(part.close)
                print(f"export {variable}={part.address}", flush=True)
            print("# running until Ctrl-C", flush=True)
            signal.pause()
        except MissingPartError as error:
            print(error, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("# stopped", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
