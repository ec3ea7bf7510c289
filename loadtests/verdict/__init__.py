"""What to think of a load test, reconciled from outside: gateway's log, database, Locust's record.

Nothing of the program under test is asked. A run is a folder of files, and what is judged can be
judged again: `python -m loadtests.verdict RUN_DIR`.

Map: `records` are the lines of the files, `folder` reads them, `evidence` indexes them and `owners`
puts each call to its message, after `wall` has put the instants of a service whose clock was
stepped on the true one; one file for each thing that is judged (`accounted`, `doubles`,
`pace`, `order`, `attempts`, `etas`, `recovery`, `budget`, `resources`, `http`) gives a `finding`;
`judge` asks them all; `terminal` and `page` show it, with `plots` drawn as `figures` says.
"""
