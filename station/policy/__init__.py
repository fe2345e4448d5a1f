"""What was learned, on the rig: policy folders, chunks in time, backends, the runner."""
