"""What flows between processes: the table of streams, typed messages and requests, bytes, sockets, keys, who may ask."""
