"""What every page this computer serves stands on: who may ask, how many, for how long, and under which certificate.

Of no page in particular: the headset's page is the first user, the console's the next. Pure but for `listener` (sockets)
and `certificate` (files).
"""
