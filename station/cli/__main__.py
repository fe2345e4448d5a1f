"""`python -m station.cli` is the `station` command: how the station calls itself."""

from station.cli import main

main()
