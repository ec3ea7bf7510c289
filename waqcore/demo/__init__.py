"""The founding scenario on the real parts: five people register, ten messages leave, paced.

Map: `scenario` is who registers when and what should come of it, `environment` the settings and the
folder, `process` and `dispatch` a real dispatcher beside us, `following` registers and looks,
`table` and `lines` show it on a terminal and elsewhere, `run` wires them, `record` keeps it.
"""
