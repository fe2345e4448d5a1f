"""What comes from outside is held here first: bounds of numbers, decoding, stamps, YAML, options, files, pictures."""
