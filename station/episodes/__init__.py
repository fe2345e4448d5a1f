"""From a journal to a whole HDF5 file: writing, building, recovery, labels, the catalogue of a folder."""
