"""How a driver says what holds: a line for each check, and `N passed, N failed, N skipped` at the end."""

import sys
import traceback

passed = failed = 0


def equal(what, got, wanted):
    check(what, got == wanted, f"{got!r:.300}, wanted {wanted!r:.300}")


def check(what, holds, why=""):
    global passed, failed
    passed, failed = passed + bool(holds), failed + (not holds)
    print(f"{'ok   ' if holds else 'FAIL '} {what}" + ("" if holds else f": {why}"), flush=True)


def run(main):
    """An exception is a failed check of its own, and the last one."""
    try:
        main()
    except Exception as error:
        traceback.print_exc(file=sys.stdout)
        check("came to the end", False, f"{type(error).__name__}: {error}")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    sys.exit(failed > 0)
