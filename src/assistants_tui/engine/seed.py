"""The assistants that a new store begins with, so that there is someone to talk to.

Once deleted they stay away.
"""

from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.store import assistants
from assistants_tui.protocol.names import DEFAULT_MODEL
from assistants_tui.protocol.objects import Json

_LOCATION = {"type": "string", "description": "The city and, if useful, its state or country"}
_UNIT = {"type": "string", "enum": ["c", "f"], "description": "Degrees Celsius (c) or Fahrenheit (f)"}
_FILE_SEARCH = {
    "type": "file_search",
    "file_search": {
        "ranking_options": {"ranker": "default_2024_08_21", "score_threshold": 0.0, "hybrid_search": None}
    },
}


def _function(name: str, description: str, properties: Json) -> Json:
    parameters = {"type": "object", "properties": properties, "required": ["location"]}
    function = {"name": name, "description": description, "parameters": parameters, "strict": False}
    return {"type": "function", "function": function}


_ASSISTANTS: list[Json] = [
    {
        "name": "Weather Bot",
        "description": "Answers questions about the weather by calling two functions that you provide.",
        "instructions": (
            "You are a weather bot. Use the provided functions to answer questions about the weather and "
            "about the nicknames of cities. Ask for the place if the question does not name one. Never make "
            "up a forecast: say so if the functions do not answer."
        ),
        "tools": [
            _function(
                "getCurrentWeather",
                "Get the weather in a location",
                {"location": _LOCATION, "unit": _UNIT},
            ),
            _function("getNickname", "Get the nickname of a city", {"location": _LOCATION}),
        ],
    },
    {
        "name": "HR Helper",
        "description": "Answers questions from the company documents you attach, and cites them.",
        "instructions": (
            "You are an HR helper. Answer questions from the documents that are attached to the "
            "conversation, cite the passage that each statement rests on, and keep to what it says. If the "
            "documents do not answer the question, say so and suggest whom to ask instead."
        ),
        "tools": [_FILE_SEARCH],
    },
    {
        "name": "Data Visualizer",
        "description": "Turns the tables you attach, such as .csv or .xlsx files, into charts.",
        "instructions": (
            "You are great at creating clear data visualizations. Look at the data in the attached files, "
            "find the trends in it, draw the chart that shows them best, with a title and labelled axes, and "
            "add a brief summary in words of what the chart shows."
        ),
        "tools": [{"type": "code_interpreter"}],
    },
    {
        "name": "Math Tutor",
        "description": "Solves problems step by step and checks every result by running Python code.",
        "instructions": (
            "You are a personal math tutor. When asked a math question, write and run code to answer it. "
            "Then explain the way to the result in small steps, so that the next problem of the kind is easy."
        ),
        "tools": [{"type": "code_interpreter"}],
    },
]


async def create(connection: AsyncConnection, owner: str, created_at: int) -> None:
    """Add the starter assistants; the newest, which lists show first, is the Math Tutor."""
    for assistant in _ASSISTANTS:
        values = {
            "model": DEFAULT_MODEL,  # whoever chooses another one has chosen
            "tool_resources": {},
            "metadata": {},
            "temperature": 1.0,
            "top_p": 1.0,
            "response_format": "auto",
        }
        await assistants.create(connection, owner, created_at, values | assistant)
