"""Everything that a Redis holds, as one string of bytes: what packed values are made of stands in it as it is."""

from typing import Any


def contents(owner: Any) -> bytes:
    """Every key, and every value by its own type, streams too. `owner`: redis-py's client, with the owner's rights."""
    parts: list[bytes] = []
    for key in owner.scan_iter(count=1000):
        parts.append(key)
        match owner.type(key):
            case b"string":
                parts.append(owner.get(key) or b"")
            case b"hash":
                parts += [part for pair in owner.hgetall(key).items() for part in pair]
            case b"set":
                parts += owner.smembers(key)
            case b"list":
                parts += owner.lrange(key, 0, -1)
            case b"zset":
                parts += owner.zrange(key, 0, -1)
            case b"stream":
                parts += [part for _, fields in owner.xrange(key) for pair in fields.items() for part in pair]
            case b"none":
                pass  # it ended meanwhile
            case kind:
                raise AssertionError(f"{key!r} is a {kind!r}")
    return b"\n".join(parts)
