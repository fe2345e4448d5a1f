"""One file for each way of running weights."""
