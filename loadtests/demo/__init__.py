"""`make demo`: the founding scenario between a mock gateway and a verdict by its log.

Map: `plan` is when each message should arrive, `parts` starts the gateway and `waqcore.demo`,
`record` reads what that says of its run, `gateway` asks the gateway, `judgement` compares the
three, `panel` and `timeline` show it.
"""
