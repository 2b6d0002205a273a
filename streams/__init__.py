"""The stream processors, in the order data takes: intake, records, identity, customers, notify."""
