"""What is asked before vector stores are changed."""

from textual.widget import Widget

from assistants_tui.tui.dialogs.questions import ChoiceDialog


async def may_add(widget: Widget, count: int) -> bool:
    """Whether so many files are meant."""
    dialog = ChoiceDialog(
        f"Add {count:,} files?",
        "They are sent one after the other; the store can be searched meanwhile.",
        choices=[("no", "Not now"), ("add", "Add them")],
    )
    return bool(await widget.app.push_screen_wait(dialog) == "add")


async def may_replace(widget: Widget, who: str, present: str) -> bool:
    """Whether `who` shall search another store than the present one."""
    dialog = ChoiceDialog(
        f"{who} has another store. Replace it?",
        f"Only one can be searched. Now it is {present}, which stays.",
        choices=[("keep", "Keep it"), ("replace", "Replace it")],
    )
    return bool(await widget.app.push_screen_wait(dialog) == "replace")


async def may_take_out(widget: Widget, file: str, store: str) -> bool:
    """Whether a store shall lose a file."""
    dialog = ChoiceDialog(
        f"Take this file out of {store}?",
        f"Searches find nothing in {file} any more. The file itself stays.",
        choices=[("keep", "Leave it in"), ("remove", "Take it out")],
        danger="remove",
    )
    return bool(await widget.app.push_screen_wait(dialog) == "remove")


async def may_delete(widget: Widget, store: str) -> bool:
    """Whether a store shall be deleted."""
    dialog = ChoiceDialog(
        f"Delete {store}?",
        "Assistants and threads that search it find nothing any more. Its files stay.",
        choices=[("keep", "Keep it"), ("delete", "Delete it")],
        danger="delete",
    )
    return bool(await widget.app.push_screen_wait(dialog) == "delete")
