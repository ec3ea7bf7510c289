"""Load tests from outside: they talk HTTP, and know nothing of the program they test.

Map: `mock_gateway` stands for WhatsApp; `users` and `shapes` are who comes and when, which
`locustfile` gives to Locust; `run` puts on a whole load test, and `verdict` judges it; `hammerfile`
measures the mock gateway by itself; `demo` is the founding scenario.
"""
