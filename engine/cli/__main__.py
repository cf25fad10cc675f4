"""The command `parvis`, which is `python -m engine.cli` too."""

import signal


def start() -> None:
    """The entry point. A Ctrl-C while the modules are read ends it without a word: nothing has begun yet."""
    # In the background of a script nobody hears it, and that stays so.
    is_heard = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if is_heard:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from engine.cli.main import run

    if is_heard:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()


if __name__ == "__main__":
    start()
