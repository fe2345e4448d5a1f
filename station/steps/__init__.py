"""What leads a person through something, step by step: JSON lines between a job, which is a child process, and who shows it."""
