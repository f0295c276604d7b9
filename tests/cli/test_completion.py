"""Completion as the shells do it: the script is read by them, and says what Tab would."""

import shutil
import subprocess
from pathlib import Path

import pytest

from assistants_tui.cli import build_parser, main
from assistants_tui.cli.completion import completion


def completed_by_bash(script: Path, line: str) -> list[str]:
    """What bash offers at the end of a line."""
    words = line.split(" ")
    program = f"""
    source {script}
    COMP_WORDS=({" ".join(f"'{word}'" for word in words)}) COMP_CWORD={len(words) - 1}
    COMP_LINE='{line}' COMP_POINT={len(line)}
    function=$(complete -p assistants-tui | sed -n 's/.*-F \\([^ ]*\\).*/\\1/p')
    $function assistants-tui '{words[-1]}' '{words[-2]}'
    printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    shown = subprocess.run(
        ["bash", "--norc", "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    return shown.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes_commands_options_and_values(tmp_path: Path) -> None:
    script = tmp_path / "completion.bash"
    script.write_text(completion(build_parser(), "bash"))
    assert set(completed_by_bash(script, "assistants-tui ")) >= {"ask", "serve", "doctor", "completion"}
    assert completed_by_bash(script, "assistants-tui se") == ["serve"]
    assert completed_by_bash(script, "assistants-tui serve --api") == ["--api-key-file"]
    assert set(completed_by_bash(script, "assistants-tui completion ")) >= {"bash", "zsh", "fish"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_knows_every_option(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for option in ("profile", "attach", "linear", "api-key-file", "code-timeout", "run-code-unsandboxed"):
        assert option in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True, timeout=30)


def test_fish_gets_one_sound_line_for_each_option() -> None:
    lines = completion(build_parser(), "fish").splitlines()
    assert all(line.startswith("complete -c assistants-tui ") for line in lines)
    assert all(line.replace("\\'", "").count("'") % 2 == 0 for line in lines)
    assert any("-l sandbox -r -a 'auto" in line for line in lines)
    assert any("-l attach -r -F" in line for line in lines)
    assert any("%(default)s" in line for line in lines) is False
