"""What people read and type: foreign text as text, the terminal."""
