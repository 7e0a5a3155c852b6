"""What we promise in writing, checked against the code: README, manifest, every button has a handler."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import yaml

from bot.registry import JOBS, SLICES
from bot.settings import Settings
from bot.slack.manifest import build_manifest, render_yaml
from bot.wiring import with_help

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
ALL = with_help(SLICES)

# Modals with nothing to submit; closing one tells nobody.
READ_ONLY_FORMS = {"alerts.why_form"}


def section(name: str) -> str:
    """What stands in the README between the marks of a generated table."""
    match = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", README, re.DOTALL)
    assert match
    return match[1]


def settings_table() -> str:
    """The rows of the configuration table."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=False)
        shown = {"database_url": "SQLite in your data directory"}.get(name) or _show(default)
        rows.append(f"| `MILEPOST_{name.upper()}` | {shown} | {field.description} |\n")
    return "".join(rows)


def _show(default: object) -> str:
    text = str(getattr(default, "value", default))
    return f"`{text}`" if text and "*" not in text else "none"


def commands_table() -> str:
    """The rows of the command table."""
    return "".join(
        f"| `/cs {f'{command.name} {command.usage}'.strip().replace('|', bar)}` | {command.summary} |\n"
        for each in ALL
        for command in each.commands
    )


bar = "\\|"


def test_the_readme_lists_every_setting_as_it_is():
    assert section("settings") == settings_table()


def test_the_readme_lists_every_command_as_it_is():
    assert section("commands") == commands_table()


def test_the_committed_manifest_is_what_the_code_makes():
    assert (ROOT / "manifest.yml").read_text(encoding="utf-8") == render_yaml(build_manifest(ALL))


def test_the_manifest_keeps_slacks_limits():
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
    about = manifest["display_information"]
    assert len(about["name"]) <= 35
    assert len(about["description"]) <= 140
    assert 175 <= len(about["long_description"]) <= 4000
    assert len(manifest["features"]["slash_commands"]) <= 50


def test_ci_runs_the_very_command_of_the_readme():
    assert "\nuv run pytest\n" in README
    assert "\nuv run pytest\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_names_are_unique():
    commands = [command.name for each in ALL for command in each.commands]
    actions = [button.action for each in ALL for button in each.buttons]
    choices = [choice.action for each in ALL for choice in each.choices]
    forms = [form.form for each in ALL for form in each.forms]
    renders = [kind for each in ALL for kind in each.renders]
    for names in (commands, actions, choices, forms, renders):
        assert len(names) == len(set(names))
    assert {"rollup", "score", "scan", "daily", "wake"} <= set(JOBS)


def test_every_action_in_the_code_has_a_handler():
    """Any text in `commands` that reads `subject.verb` with the name of a slice is an action id, a form's, or the
    kind of a message.
    """
    handled = {button.action for each in ALL for button in each.buttons}
    handled |= {choice.action for each in ALL for choice in each.choices}
    handled |= {form.form for each in ALL for form in each.forms}
    handled |= {kind for each in ALL for kind in each.renders}
    emitted = {action for path in (ROOT / "commands").rglob("*.py") for action in _actions(path)}
    assert len(emitted) > 10
    assert {each for each in emitted if not each.endswith("_")} - handled - READ_ONLY_FORMS == set()


def _actions(path: Path) -> set[str]:
    shape = re.compile(rf"({'|'.join(each.name for each in ALL)})\.[a-z_]+")
    return {
        node.value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and shape.fullmatch(node.value)
    }
