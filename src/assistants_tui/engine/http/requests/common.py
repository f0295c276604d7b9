"""What bodies of several resources share."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from assistants_tui.engine.http.errors import wrong_id
from assistants_tui.engine.http.validation_errors import TAG
from assistants_tui.engine.store.ids import PREFIXES
from assistants_tui.protocol import limits
from assistants_tui.protocol.names import CONTROL, has_control_characters

_MOST_FIELDS = 100  # of an object that has its fields by name


class RequestBody(BaseModel):
    """A JSON object that takes no other fields than those it names, and no value of another JSON type."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _has_few_fields(cls, value: object) -> object:
        return few(value, _MOST_FIELDS)

    def given(self) -> dict[str, Any]:
        """The fields that the request has, as plain JSON values."""
        return self.model_dump(exclude_unset=True, by_alias=True)

    def changes(self) -> dict[str, Any]:
        """The fields to change: those that the request has. A null map becomes an empty one."""
        maps = ("metadata", "tool_resources")
        return {name: {} if value is None and name in maps else value for name, value in self.given().items()}


def few(value: object, most: int) -> object:
    """Refuse an object of far too many fields before each of them is looked at."""
    if isinstance(value, dict) and len(value) > most:
        raise PydanticCustomError("too_long", "too long", {"max_length": most})
    return value


def _id_of(kind: str) -> tuple[AfterValidator, WithJsonSchema]:
    """The check that a text can be an ID of that kind, as in `store.ids`, and how it is described."""
    prefix = PREFIXES[kind]

    def check(value: str) -> str:
        if not value.startswith(prefix.rstrip("_-")):
            raise refuse(wrong_id(value, prefix), code="invalid_value")
        return value

    return AfterValidator(check), WithJsonSchema({"type": "string", "pattern": f"^{prefix}"})


AssistantId = Annotated[str, *_id_of("assistant")]
FileId = Annotated[str, *_id_of("file")]
VectorStoreId = Annotated[str, *_id_of("vector_store")]
UploadPartId = Annotated[str, *_id_of("upload_part")]

Metadata = Annotated[
    dict[
        Annotated[str, StringConstraints(max_length=limits.MAX_KEY)],
        Annotated[str, StringConstraints(max_length=limits.MAX_VALUE)],
    ],
    Field(max_length=limits.MAX_PAIRS),
    BeforeValidator(lambda value: few(value, limits.MAX_PAIRS)),
]

CONTROL_CHARACTERS = "Invalid '{path}': a name has no control characters, such as line breaks."


def _check_name(value: str) -> str:
    if has_control_characters(value):
        raise refuse(CONTROL_CHARACTERS, code="invalid_value")
    return value


ONE_LINE = (
    Field(json_schema_extra={"pattern": f"^[^{CONTROL}]*$"}),
    AfterValidator(_check_name),
)
"""What a name is besides a text."""

Instructions = Annotated[str, StringConstraints(max_length=limits.MAX_INSTRUCTIONS)]
Temperature = Annotated[float, Field(ge=limits.TEMPERATURE[0], le=limits.TEMPERATURE[1])]
TopP = Annotated[float, Field(ge=limits.TOP_P[0], le=limits.TOP_P[1])]


def refuse(message: str, *, code: str | None = None, at: str = "") -> PydanticCustomError:
    """An error that a validator raises for what types cannot say.

    `at` is the field below the validated one that is at fault; `{path}` in the message becomes its path.
    """
    return PydanticCustomError("refused", "refused", {"message": message, "code": code, "at": at})


class Fields(NamedTuple):
    """Which fields an object of some type has beside its type."""

    needed: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()


class TypedBody(RequestBody):
    """An object whose field `type` says which of its other fields it has. Null stands for no field."""

    types: ClassVar[Mapping[str, Fields]]
    type_field: ClassVar[str] = "type"

    @model_validator(mode="after")
    def _has_what_its_type_says(self) -> Self:
        fields = self.types[getattr(self, self.type_field)]
        for name in fields.needed:
            if getattr(self, name) is None:
                raise refuse(
                    "Missing required parameter: '{path}'.", code="missing_required_parameter", at=name
                )
        others = self.of_other_types(fields)
        for name in type(self).model_fields:
            if name in others and getattr(self, name) is not None:
                raise refuse("Unknown parameter: '{path}'.", code="unknown_parameter", at=name)
        return self

    @classmethod
    def of_other_types(cls, fields: Fields) -> set[str]:
        """The fields that only objects of other types have."""
        known = {name for other in cls.types.values() for name in (*other.needed, *other.allowed)}
        return known - {*fields.needed, *fields.allowed}


def by_json_type(**tags: type) -> Discriminator:
    """Chooses among alternatives by the value's JSON type, so that only the matching one reports errors.

    Each alternative is marked with the `Tag` that `alternative` gives for its name.
    """

    def choose(value: object) -> str | None:
        for name, kind in tags.items():
            if isinstance(value, _ACCEPTED[kind]):
                return alternative(name)
        return None

    return Discriminator(
        choose,
        custom_error_type="no_alternative",
        custom_error_message="one of " + " or ".join(_NAMES[kind] for kind in tags.values()),
    )


def alternative(name: str) -> str:
    return f"{TAG}{name}"


_NAMES: dict[type, str] = {
    str: "a string",
    bool: "a boolean",
    float: "a number",
    list: "an array",
    dict: "an object",
}
# Whole numbers are numbers, and what was parsed already is an object when it is written again.
_ACCEPTED: dict[type, tuple[type, ...]] = {
    str: (str,),
    bool: (bool,),
    float: (float, int),
    list: (list,),
    dict: (dict, BaseModel),
}
