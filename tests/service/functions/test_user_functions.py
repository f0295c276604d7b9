"""The user's own functions: what there is, and decisions that are taken back."""

import pytest

from assistants_tui.service.errors import ServiceError
from assistants_tui.service.functions.user_functions import UserFunctions
from assistants_tui.settings.config import Config
from assistants_tui.settings.paths import Paths


@pytest.fixture
def functions(paths: Paths) -> UserFunctions:
    paths.functions_dir.mkdir(parents=True)
    (paths.functions_dir / "tides.py").write_text("def tide(port: str) -> str:\n    return port\n")
    return UserFunctions(paths, Config(), lambda: None)


async def test_a_decision_is_kept_until_it_is_taken_back(functions: UserFunctions) -> None:
    tide = (await functions.catalogue()).functions["tide"]
    assert await functions.decision(tide) is None
    functions.approvals.decide("tide", tide.fingerprint, "always")
    assert await functions.decision(tide) == "always"
    await functions.forget(tide)
    assert await functions.decision(tide) is None
    assert await functions.callable.call("tide", tide.fingerprint, {"port": "Oulu"}) == "Oulu"
    await functions.close()


async def test_a_decision_that_cannot_be_taken_back_is_said(functions: UserFunctions, paths: Paths) -> None:
    tide = (await functions.catalogue()).functions["tide"]
    paths.approvals_file.mkdir(parents=True)
    with pytest.raises(ServiceError) as caught:
        await functions.forget(tide)
    assert caught.value.no_effect
    await functions.close()
