"""What queueing theory says of one lane with Poisson arrivals and calls one `pace` apart.

A *load* is arrivals per pace, a plain number. Waits run from a message's first-due instant to the
start of its first call, without guard or jitter, and come in the unit `pace` is given in.
"""
