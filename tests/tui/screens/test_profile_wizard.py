"""The wizard for a new profile: leaving it writes nothing, and a name that is taken is told."""

from assistants_tui.settings.config import LOCAL
from assistants_tui.settings.paths import user_paths
from assistants_tui.tui.screens.profile_choices import choices
from assistants_tui.tui.screens.profile_wizard import ProfileChoiceDialog, ProfileForm
from assistants_tui.tui.widgets.form import FormField
from support.app import open_app


async def test_esc_leaves_the_choice_and_the_form_and_nothing_is_written() -> None:
    async with open_app((100, 30)) as driver:
        config = user_paths().config_file
        await driver.until(config.exists)
        before = config.read_text()
        form = ProfileForm(choices(None)[0], set(), config, LOCAL)
        answers: list[str | None] = []
        driver.app.push_screen(form, answers.append)
        await driver.until(lambda: driver.app.screen is form)
        await driver.press("escape")
        await driver.until(lambda: answers == [None])
        dialog = ProfileChoiceDialog()
        left: list[object] = []
        driver.app.push_screen(dialog, left.append)
        await driver.until(lambda: driver.app.screen is dialog)
        await driver.press("escape")
        await driver.until(lambda: left == [None])
        assert config.read_text() == before


async def test_a_name_that_is_taken_is_told_beside_its_field() -> None:
    async with open_app((100, 30)) as driver:
        choice = choices(None)[0]
        form = ProfileForm(choice, {choice.name}, user_paths().config_file, LOCAL)
        driver.app.push_screen(form)
        await driver.until(lambda: driver.app.screen is form)
        name = form.query_one("#profile-name", FormField)
        assert name.query_one("Input").value != choice.name, "a free one is offered"  # type: ignore[attr-defined]
        name.query_one("Input").value = choice.name  # type: ignore[attr-defined]
        await driver.press("ctrl+s")
        await driver.until_shown(f"There is a provider “{choice.name}” already. “{choice.name}-2” is free.")
        assert driver.app.screen is form
