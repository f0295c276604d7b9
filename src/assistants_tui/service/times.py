"""Times as servers give them: Unix seconds, or anything else, since servers are not ours."""

import time
from datetime import MAXYEAR, MINYEAR, datetime, tzinfo


def moment(timestamp: object, zone: tzinfo | None = None) -> datetime | None:
    """Unix seconds as a time in `zone` (else this machine's); None for what no calendar has.

    The first and the last year are left out, so that there is a day before and after each.
    """
    if not isinstance(timestamp, (int, float)) or not timestamp:
        return None
    try:
        found = datetime.fromtimestamp(timestamp, zone)
    except (OverflowError, OSError, ValueError):
        return None
    return found if MINYEAR < found.year < MAXYEAR else None


def when(timestamp: object, pattern: str = "%Y-%m-%d %H:%M", zone: tzinfo | None = None) -> str:
    """A time in words; nothing for what is none."""
    found = moment(timestamp, zone)
    return found.strftime(pattern) if found else ""


def clock(timestamp: object) -> str:
    """A time of today by the clock, and any other with its date."""
    found, now = moment(timestamp), moment(time.time())
    today = found is not None and now is not None and found.date() == now.date()
    return when(timestamp, "%H:%M" if today else "%Y-%m-%d %H:%M")


def span(start: object, end: object) -> str:
    """From one wire time to another, in words: whole seconds, as the API counts. Nothing if they are none."""
    if not (isinstance(start, int) and isinstance(end, int) and end >= start):
        return ""
    return f"{end - start} s" if end > start else "< 1 s"
