"""Summarises and charts a table that code can read."""

import re

from assistants_tui.engine.tutor import programs
from assistants_tui.engine.tutor.conversation import Call, Conversation, Reply, Say

_ABOUT_DATA = re.compile(
    r"\b(?:chart|plot|graph|diagram|visuali[sz]|summar|analy[sz]|trend|statistic|column|average|mean|table|data"
    r"|csv)",
    re.IGNORECASE,
)


def reply(talk: Conversation) -> Reply | None:
    """The next step towards a summary and a chart; None if the question is about no table."""
    name = _table(talk)
    if name is None or talk.code_tool is None:
        return None
    outputs = talk.outputs()
    if not outputs:
        return [Call(talk.code_tool, {"code": _PROGRAM.replace("__NAME__", repr(f"/mnt/data/{name}"))})]
    return Say(_answer(name, outputs[-1]))


def _table(talk: Conversation) -> str | None:
    """The table that the question is about: named in it, attached to it, else the latest."""
    tables = [name for name in talk.files if name.lower().endswith((".csv", ".tsv"))]
    named = [name for name in tables if name.lower() in talk.question.lower()]
    attached = [name for name in tables if name in talk.attached]
    if not (named or attached or _ABOUT_DATA.search(talk.question)):
        return None
    return next(iter(named or attached[-1:] or tables[-1:]), None)


def _answer(name: str, output: str) -> str:
    found: dict[str, list[str]] = {"rows": [], "columns": [], "column": [], "chart": []}
    for line in output.splitlines():
        kind, separator, rest = line.partition(": ")
        if separator and kind in found:
            found[kind].append(rest)
    if not found["rows"]:
        return programs.failure(output)
    parts = [f"`{name}` has {found['rows'][0]} rows with the columns {', '.join(found['columns'])}."]
    if found["column"]:
        parts.append("Its numbers:\n\n" + "\n".join(f"- {column}" for column in found["column"]))
    parts += found["chart"]
    return "\n\n".join(parts)


_PROGRAM = """\
import csv
import statistics

path = __NAME__
with open(path, newline="", encoding="utf-8-sig", errors="replace") as file:
    sample = file.read(8192)
    file.seek(0)
    try:
        dialect = csv.Sniffer().sniff(sample, delimiters=",;\\t|")
    except csv.Error:
        dialect = csv.excel
    rows = list(csv.DictReader(file, dialect=dialect))
columns = [name for name in (rows[0] if rows else []) if name]
print("rows:", len(rows))
print("columns:", ", ".join(columns) or "none")

numbers = {}
for name in columns:
    try:
        numbers[name] = [float(row[name]) for row in rows]
    except (TypeError, ValueError):
        continue
for name, values in numbers.items():
    mean = statistics.fmean(values)
    print(f"column: **{name}**: from {min(values):g} to {max(values):g}, {mean:g} on average")

shown = list(numbers)[:3]
label = next((name for name in columns if name not in numbers), None)
if not shown:
    print("chart: There is no column of numbers to draw.")
else:
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        print("chart: I cannot draw it, because matplotlib is not installed for the code interpreter.")
    else:
        figure, axes = plt.subplots(figsize=(8, 4.5))
        places = range(len(rows))
        for name in shown:
            if len(rows) <= 12 and len(shown) == 1:
                axes.bar(places, numbers[name], label=name)
            else:
                axes.plot(places, numbers[name], marker="o" if len(rows) <= 60 else None, label=name)
        if label is not None:
            every = max(1, len(rows) // 12)
            ticks = list(places)[::every]
            axes.set_xticks(ticks, [str(rows[n][label])[:20] for n in ticks], rotation=30, ha="right")
        axes.set_xlabel(label or "row")
        axes.set_title(path.rpartition("/")[2])
        axes.legend()
        figure.tight_layout()
        plt.show()
        print("chart: The chart shows", " and ".join(shown) + ".")
"""
