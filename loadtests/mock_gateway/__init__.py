"""A mock of the MPWA WhatsApp gateway: a real HTTP server with weather, a log and a verdict.

It knows nothing of the program under test. What "WhatsApp" delivered is decided here, kept in
the log, and judged from the log alone.

Map: `application` speaks HTTP behind a `door` that can close, `control` steers, `gateway` decides
each call, `weather` is what was ordered to go wrong and `latency` how slowly, `sky` what does go
wrong now, `mpwa` the answers, `receipts` what follows them, `log` and `counts` what happened,
`verdict` and `expectation` what to think of it, `process` starts it as a program of its own,
`ceiling` measures how much it can take.
"""
