"""Models as people choose them."""

from datetime import date

from assistants_tui.protocol.objects import Model


def shutdown_note(model: Model, today: date) -> str:
    """When a model ends or ended, in a few words; empty where nobody has said so."""
    value = model.get("shutdown_date")
    if not isinstance(value, str):
        return ""
    try:
        day = date.fromisoformat(value[:10])
    except ValueError:
        return ""
    return f"shut down on {day}" if day <= today else f"shuts down on {day}"
