"""One load test from beginning to end: gateway, service, people, chaos, and the verdict.

Map: `scenarios` are what can be asked for, `order` is what was; `service` is the program under
test, as one `process` or two, `disk` a small one for its database, `clock` a wall for it that can
be set, `people` Locust; `chaos` disturbs at seeded instants, `sampler` looks at memory, `progress`
tells how it goes; `drive` does all this in turn, `harvest` writes the run's folder, which
`loadtests.verdict` judges.
"""
