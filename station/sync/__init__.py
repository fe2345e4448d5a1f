"""The aligner, rows, and the synchronizer around them: 50 instants a second."""
