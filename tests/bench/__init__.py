"""`make bench`: every bar of the README's *Speed*, as a ratio to a yardstick measured in the same run.

One file a bench or a small group; `rounds.py` interleaves the measurements, `load.py` is the HTTP client,
`yardsticks.lua` and `app.py` hold what ours is compared with.
"""
