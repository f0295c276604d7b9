"""What the tutor says about itself."""

from assistants_tui.engine.tutor.conversation import Conversation

CONNECT = (
    "To talk to a real model, press F3 in the app: it finds Ollama, LM Studio, vLLM and llama.cpp on this "
    "computer, or takes any other endpoint that is compatible with OpenAI's. In `config.toml` that is "
    "`model_url`, and for `serve` it is `--model-url`."
)

INTRODUCTION = (
    "I am the offline tutor that is built into assistants-tui: a stand-in that follows fixed rules, "
    "not a language model."
)


def note() -> str:
    """The end of the first answer in a thread."""
    return f"---\n\n*{INTRODUCTION}*\n\n{CONNECT}"


def help_text(talk: Conversation) -> str:
    """The answer to what no rule is for: what can be asked instead, of this assistant."""
    abilities = []
    if talk.code_tool is not None:
        abilities += [
            "solve equations and systems, such as `3x + 11 = 14` or `x + y = 10, x - y = 2`",
            "calculate, such as `15% of 80` or `2^64`",
            "find derivatives and integrals, such as `the derivative of x^3 + 2x`",
            "summarise and chart a table: attach a `.csv` file and ask for a chart",
        ]
    abilities += [
        f"call your function `{function['name']}`: {_what(function)}" for function in talk.functions
    ]
    lines = [f"{INTRODUCTION} I cannot answer this."]
    if talk.search_tool is not None and not talk.documents:
        none = "none that I could read" if talk.not_read else "none yet"
        lines.append(
            f"This assistant answers questions from documents, but there is {none}. Attach one to your next "
            "message (a PDF, Word, PowerPoint, HTML, Markdown or text file), or give the assistant a vector "
            "store, and ask me what it says: I quote the passages that fit, and cite them."
        )
    elif talk.search_tool is not None:
        names = ", ".join(f"`{name}`" for name in talk.documents)
        abilities.append(f"look up what your documents say, and quote it: {names}")
    if abilities:
        lines.append("With this assistant I can:\n\n" + "\n".join(f"- {ability}" for ability in abilities))
    elif talk.search_tool is None:
        lines.append(
            "This assistant has no tool that I could use. Give it the code interpreter, and I can solve "
            "equations, calculate, and chart tables."
        )
    return "\n\n".join([*lines, CONNECT])


def _what(function: dict[str, object]) -> str:
    description = str(function.get("description") or "").strip().rstrip(".")
    return f"{description[:1].lower()}{description[1:]}" if description else "ask for what it does"
