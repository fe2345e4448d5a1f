"""One folder per kind of hardware, strangers to each other."""
