"""Getting orders off with nothing else of the bot running: `cancel-all --direct` and `guard`.

Needs a session file, the network and the wire's codec; no loop, no disk, no configuration.
"""
