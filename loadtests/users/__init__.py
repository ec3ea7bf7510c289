"""Who uses the service during a load test, as Locust users.

Map: `plan` is what they are told, `crowd` what they share, `ledger` their record of what was
acknowledged, `service` how they ask; `registrant` registers people, `notifier` hands single
messages over, `poller` asks for ETAs, `payer` fires payment webhooks, `watcher` keeps the
dashboard open, and `operator` presses its buttons.
"""
