"""Write the reference of the command line from the commands themselves.

python -m gesturectl.manual            writes docs/command-line.md
python -m gesturectl.manual --check    says whether it is up to date (exit code 1 if not)
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

import typer

from gesturectl.cli import EXIT_CODES, app
from gesturectl.jsonl import to_line
from gesturectl.sources import SOURCES
from gesturectl.types import Began, Ended, KeyDown, KeyUp, Stages

PAGE = Path(__file__).resolve().parents[1] / "docs" / "command-line.md"

HEAD = """\
# Command line

<!-- Written by `python -m gesturectl.manual` from the commands themselves. -->

`gesturectl COMMAND --help` says the same in the terminal. `-v` before or after a command says what
happens, `--version` which gesturectl this is, `--install-completion` teaches the shell to complete.

What a command line leaves out is taken from `config.yaml` in gesturectl's configuration folder
(`~/.config/gesturectl` on Linux), if there is one: `source`, `profile`, `sink`, `hand_model`,
`pose_model`, `estimator`, and `allow_run: true`, without which no profile may start programs.
`allow_hosts: [lamp.local]` names the hosts beyond this machine that profiles may send messages to,
`camera: {release_when: [zoom]}` the windows that [shall have the camera](camera.md) instead.
`tray: false` leaves out [the icon in the panel](tray.md).
"""


def manual() -> str:
    """Return the page."""
    group: Any = typer.main.get_command(app)
    parts = [HEAD, *(_command(name, command) for name, command in group.commands.items())]
    return "\n".join([*parts, _sources(), _events(), _codes()])


def _command(name: str, command: Any) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option"]
    usage = " ".join(
        ["gesturectl", name, *(_argument(one) for one in arguments)] + ["[OPTIONS]"] * bool(options)
    )
    rows = [(f"`{_argument(one)}`", one.help) for one in arguments]
    rows += [(f"`{_option(one)}`", one.help + _default(one)) for one in options]
    table = _table(("", ""), rows) if rows else ""
    return f"## {name}\n\n```text\n{usage}\n```\n\n{inspect.cleandoc(command.help)}\n\n{table}"


def _argument(parameter: Any) -> str:
    if names := _names(parameter):
        word = "|".join(names)
    else:
        word = (parameter.metavar or parameter.name.upper()).strip("[]")
    return word if parameter.required else f"[{word}]"


def _option(parameter: Any) -> str:
    value = "" if parameter.is_flag or parameter.count else f" {parameter.metavar or 'N'}"
    return f"{', '.join(parameter.opts)}{value}"


def _names(parameter: Any) -> list[str]:
    """Return the words one may choose from, none where anything goes."""
    choices = parameter.type_descriptor.choices
    return [choice.value for choice in choices] if choices else []


def _default(parameter: Any) -> str:
    if parameter.is_flag or parameter.count or parameter.default is None:
        return ""
    return f" Default: `{parameter.default}`."


def _sources() -> str:
    rows = ((f"`{spec.usage}`", spec.says) for spec in SOURCES.values())
    table = _table(("source", "what it is"), rows)
    return f"## Sources\n\nThe path of a video or a trace does without its kind.\n\n{table}"


def _events() -> str:
    lines = [
        to_line(item)
        for item in (
            Began(812_000, "swipe_left", "right", 0.97),
            Ended(812_000, "swipe_left", "right", 0.97),
            KeyDown(812_000, "Right"),
            KeyUp(812_000, "Right"),
        )
    ]
    text = "\n".join(lines)
    stages = Stages(0, 310, 6_630, 7_140, 7_200, 7_390)
    live = to_line(KeyDown(812_000, "Right"), stages)
    return (
        "## Events\n\n`run --json` and `replay --json` print one JSON object a line, in the order "
        "of time. Times are microseconds of the frames' own clock, `side` is `left`, `right` or "
        f"`body`, seen from the user.\n\n```json\n{text}\n```\n\n"
        "Commands are `key_down` and `key_up` (`key`), `button_down` and `button_up` (`button`), "
        "`move_by` (`dx_px`, `dy_px`), `move_to` (`x`, `y`), `scroll` (`dx`, `dy`), "
        "`text` (`text`) and `run` (`argv`).\n\n"
        "`run --json` and `ctl events` also tell when the frame that brought a line had passed "
        "each stage, in microseconds since its picture was `captured`: `read` by the loop, its "
        "`landmarks` found, gestures `recognised`, `mapped` to commands, which are `injected`. "
        f"What no frame brought, a release say, is told without.\n\n```json\n{live}\n```\n"
    )


def _codes() -> str:
    rows = ((f"`{code}`", says) for code, says in EXIT_CODES.items())
    return f"## Exit codes\n\n{_table(('code', 'meaning'), rows)}"


def _table(head: tuple[str, ...], rows: Any) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for row in rows:
        cells = (cell.replace("|", r"\|") for cell in row)  # a bar would end the cell
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Write the page, or with --check only say whether it is out of date."""
    text = manual()
    if PAGE.exists() and PAGE.read_text("utf-8") == text:
        return 0
    if "--check" in arguments:
        print(f"docs/{PAGE.name} is out of date; run: python -m gesturectl.manual")
        return 1
    PAGE.write_text(text, "utf-8")
    print(f"wrote docs/{PAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
