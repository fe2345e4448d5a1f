"""What the station keeps on the computer: durable writes, locks, logs, the runtime folder, calibrations, checks."""
