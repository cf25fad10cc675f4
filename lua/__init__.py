"""The function library as data: one Lua file an operation, assembled by `engine.library`."""
