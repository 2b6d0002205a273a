"""Every metric singleview tells, declared once: name, kind, labels, unit, meaning. docs/operations.md is tested against it.

A label's values come from a small fixed set (processors, partitions, topics of the configuration, reasons in the code):
never from data, so no personal value can become one, and the number of series is bounded.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """How a metric behaves, in Prometheus' words."""

    COUNTER = "counter"  # only goes up, from zero at each start unless the meaning says otherwise
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Metric(NamedTuple):
    """One metric."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    unit: str
    meaning: str
    buckets: tuple[float, ...] = ()  # upper bounds of a histogram, ascending, without the last, infinite one


_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_LATENCY = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3_600.0, 86_400.0)
_SIZES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0)

# -- how much work there is, and is done --

LAG = Metric(
    "singleview_inbox_lag",
    Kind.GAUGE,
    ("processor", "topic", "partition"),
    "offsets",
    "Between what the instance has read of an inbox partition and its end. Of a stopped source as of its stop; absent during"
    " a restore",
)
MESSAGES = Metric(
    "singleview_messages_total", Kind.COUNTER, ("processor",), "messages", "Messages committed; its rate is the throughput"
)
BATCHES = Metric("singleview_batches_total", Kind.COUNTER, ("processor",), "batches", "Transactions committed")
PRODUCED = Metric(
    "singleview_produced_total",
    Kind.COUNTER,
    ("processor",),
    "messages",
    "Messages produced in committed transactions, table records included",
)
BATCH_MESSAGES = Metric(
    "singleview_batch_messages",
    Kind.HISTOGRAM,
    ("processor",),
    "messages",
    "Messages read for one transaction: small when quiet, large when behind",
    _SIZES,
)

# -- where the time goes --

STEP_SECONDS = Metric(
    "singleview_step_seconds",
    Kind.HISTOGRAM,
    ("processor", "step"),
    "seconds",
    "Time of each numbered step of the commit protocol: begin, offsets, fold, produce, commit, apply",
    _SECONDS,
)
HOP_SECONDS = Metric(
    "singleview_hop_seconds",
    Kind.HISTOGRAM,
    ("processor",),
    "seconds",
    "From a message's time in the inbox to the commit of its batch; the first of each batch and partition",
    _LATENCY,
)
NOTIFICATION_SECONDS = Metric(
    "singleview_notification_seconds",
    Kind.HISTOGRAM,
    ("processor",),
    "seconds",
    "From the source's event time to the commit of the notification, for about one in fifty changes and at least one of"
    " each batch; it is as true as the sources' clocks",
    _LATENCY,
)

# -- what went wrong --

DEAD_LETTERS = Metric(
    "singleview_dead_letters_total",
    Kind.COUNTER,
    ("processor", "reason"),
    "messages",
    "Messages kept as dead letters, by reason",
)
STALE = Metric(
    "singleview_stale_events_total",
    Kind.COUNTER,
    ("processor", "partition", "reason"),
    "events",
    "Events with nothing new (`whole`), with some attributes older than what is held (`partly`), or accepted although "
    "their order could not be compared (`incomparable`). Of the stale ones, `backwards` counts those that happened "
    "later, by their own time, than what they are stale against: if it goes on growing, a source counts again from "
    "below (a restored database), and its `epoch` must be raised. Part of the state: goes on over restarts and moves "
    "with the partition",
)
PARKED = Metric(
    "singleview_parked_messages",
    Kind.GAUGE,
    ("processor", "partition"),
    "messages",
    "Messages of an inbox that could not be processed and are tried again now and then (each is a dead letter too). Part of"
    " the state",
)
PARKED_TRIES = Metric(
    "singleview_parked_tries_total",
    Kind.COUNTER,
    ("processor", "result"),
    "messages",
    "Tries of parked messages: `done` when it was processed at last, `failed` when it stays",
)
RETRIES = Metric(
    "singleview_retries_total",
    Kind.COUNTER,
    ("processor",),
    "batches",
    "Batches given back and done again: an aborted or unknown transaction, or a registry away",
)
STOPPED_SOURCES = Metric(
    "singleview_stopped_source",
    Kind.GAUGE,
    ("processor", "topic", "partition"),
    "",
    "1 for a topic, or a partition of it, that is not read: too many dead letters, one too large to be kept, messages of a"
    " newer version, one that takes more memory or time than there is, events deleted before they were read, no right to"
    " read, not there; /ready and the log say which",
)
READ_AGAIN = Metric(
    "singleview_source_read_again_total",
    Kind.COUNTER,
    ("processor", "topic"),
    "partitions",
    "Partitions of a source topic read from their beginning, as it had been deleted and made anew",
)

ABSENT_PATHS = Metric(
    "singleview_absent_paths",
    Kind.GAUGE,
    ("topic", "path"),
    "",
    "1 for a path of the topic's mapping that no event has lately: the attributes read from there stay as they were",
)
UNREAD = Metric(
    "singleview_unread_values_total",
    Kind.COUNTER,
    ("source", "attribute"),
    "values",
    "Values that could not be read, of attributes that do not identify: those stay as they were, and the log says why",
)
UNMAPPED = Metric(
    "singleview_unmapped_events_total",
    Kind.COUNTER,
    ("topic",),
    "events",
    "Events with none of the paths that their mapping reads attributes from; where they are the rule, the source is stopped",
)

# -- state --

PARTITIONS = Metric(
    "singleview_partitions", Kind.GAUGE, ("processor",), "partitions", "Inbox partitions this instance holds"
)
RESTORED = Metric(
    "singleview_restored_ratio",
    Kind.GAUGE,
    ("processor", "topic", "partition"),
    "",
    "How much of a partition's store has been read again from its table topic: 1 when it is read from",
)
RESTORE_LEFT = Metric(
    "singleview_restore_left",
    Kind.GAUGE,
    ("processor", "topic", "partition"),
    "offsets",
    "Table records still to read before a partition's inbox is read; absent when it is",
)
SOURCE_RECORDS = Metric(
    "singleview_source_records",
    Kind.GAUGE,
    ("processor", "partition", "realm", "source"),
    "records",
    "Source records that exist. Without realm and source: those that 0.1.0 counted only together",
)
WITHOUT_CUSTOMER = Metric(
    "singleview_records_without_customer",
    Kind.GAUGE,
    ("processor", "partition"),
    "records",
    "Records whose customer identity has not told yet: in passing while events flow. Asked for again after 90 s",
)
UNSETTLED = Metric(
    "singleview_unsettled_customers",
    Kind.GAUGE,
    ("processor", "partition"),
    "customers",
    "Customers whose members are not those that identity expects, so that nothing of them is published: in passing while"
    " events flow. What they lack is asked for again after 90 s",
)
CUSTOMERS = Metric(
    "singleview_customers", Kind.GAUGE, ("processor", "partition", "realm"), "customers", "Customers that have records"
)
MERGES = Metric(
    "singleview_merges_total",
    Kind.COUNTER,
    ("processor", "partition", "realm"),
    "customers",
    "Customers merged into another. Part of the state: goes on over restarts and moves with the partition",
)
SPLITS = Metric(
    "singleview_splits_total",
    Kind.COUNTER,
    ("processor", "partition", "realm"),
    "customers",
    "Customers split off another. Part of the state: goes on over restarts and moves with the partition",
)
OF_THE_STATE = (STALE, SOURCE_RECORDS, WITHOUT_CUSTOMER, UNSETTLED, CUSTOMERS, MERGES, SPLITS)
"""Read from the committed rows of each partition (streams/app/census.py)."""

STORE_BYTES = Metric(
    "singleview_store_bytes", Kind.GAUGE, ("processor", "partition"), "bytes", "Size of a partition's store on disk"
)

# -- health --

READY = Metric(
    "singleview_ready", Kind.GAUGE, ("processor",), "", "1 while /ready would say so of this processor, otherwise 0"
)
INFO = Metric("singleview_info", Kind.GAUGE, ("version", "instance"), "", "Always 1: which release and instance this is")

METRICS: tuple[Metric, ...] = (
    LAG,
    MESSAGES,
    BATCHES,
    PRODUCED,
    BATCH_MESSAGES,
    STEP_SECONDS,
    HOP_SECONDS,
    NOTIFICATION_SECONDS,
    DEAD_LETTERS,
    STALE,
    PARKED,
    PARKED_TRIES,
    RETRIES,
    STOPPED_SOURCES,
    READ_AGAIN,
    ABSENT_PATHS,
    UNREAD,
    UNMAPPED,
    PARTITIONS,
    RESTORED,
    RESTORE_LEFT,
    SOURCE_RECORDS,
    WITHOUT_CUSTOMER,
    UNSETTLED,
    CUSTOMERS,
    MERGES,
    SPLITS,
    STORE_BYTES,
    READY,
    INFO,
)
