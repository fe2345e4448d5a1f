"""The operator's terminal: interactive `station record`. Keys and pedals in, a panel and cues out; the session decides."""
