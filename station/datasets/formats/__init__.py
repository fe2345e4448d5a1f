"""Formats, one file each: entry points of the group `station.formats`. What one has to do is in `contract`."""
