"""What flows: canonical records, messages between processors, public Avro schemas."""
