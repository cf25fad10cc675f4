"""The body of an answer that somebody else gives, of whom nobody knows how much they send."""

import aiohttp


async def read_up_to(stream: aiohttp.StreamReader, most: int) -> bytes:
    """All of it, however many pieces it comes in, and of a longer one the first `most` bytes."""
    body = bytearray()
    while len(body) < most and (piece := await stream.read(most - len(body))):
        body += piece
    return bytes(body)
