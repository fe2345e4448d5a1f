"""Where parts are made. An engine is a `concurrent.futures.Executor` that can be had again after its workers have died."""
