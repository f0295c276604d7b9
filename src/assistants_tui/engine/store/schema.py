"""The tables of the store, one per object of the Assistants API.

Every row has an owner (the API key's, see `api.auth`) and `seq`, the order of insertion, which decides
between objects of the same second. Times are Unix seconds. Columns whose name is not in the API object are
the engine's own. A change of this file needs a step in `migrations.py`.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import SchemaItem

from assistants_tui.protocol.transitions import ACTIVE_RUN_STATUSES

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

# SQLite numbers rows by itself only in a column of exactly this type
_Sequence = BigInteger().with_variant(Integer, "sqlite")
_Json = JSON(none_as_null=True)


class _Real(TypeDecorator[float]):
    """A number that is always read as a float: SQLite's RETURNING gives 1 for what it has stored as 1.0."""

    impl = Float
    cache_ok = True

    def process_result_value(self, value: float | None, dialect: Dialect) -> float | None:
        return None if value is None else float(value)


def _object(name: str, *columns: SchemaItem, id_unique: bool = True) -> Table:
    """A table of objects: what all of them have, and their own columns."""
    return Table(
        name,
        metadata,
        Column("seq", _Sequence, primary_key=True),
        Column("id", String, nullable=False, unique=id_unique),
        Column("owner", String, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        *columns,
        sqlite_autoincrement=True,  # never gives a deleted row's number to a later one
    )


def _parent(column: str, table: str, *, nullable: bool = False) -> Column[object]:
    """A reference whose rows disappear with the object they belong to."""
    return Column(column, String, ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=nullable)


schema_version = Table("schema_version", metadata, Column("version", Integer, nullable=False))

api_keys = Table(
    "api_keys",
    metadata,
    Column("digest", String, primary_key=True),  # SHA-256 of the key: the key itself is never stored
    Column("owner", String, nullable=False),
    Column("first_used_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger, nullable=False),
)

assistants = _object(
    "assistants",
    Column("name", Text),
    Column("description", Text),
    Column("model", Text, nullable=False),
    Column("instructions", Text),
    Column("tools", _Json, nullable=False),
    Column("tool_resources", _Json, nullable=False),
    Column("metadata", _Json, nullable=False),
    Column("temperature", _Real()),
    Column("top_p", _Real()),
    Column("response_format", _Json),
    Column("reasoning_effort", String),
)
Index(None, assistants.c.owner, assistants.c.seq)

threads = _object(
    "threads",
    Column("tool_resources", _Json, nullable=False),
    Column("metadata", _Json, nullable=False),
    # kept here because counting up to 100,000 rows for each new message would not do
    Column("message_count", Integer, nullable=False, default=0),
)
Index(None, threads.c.owner, threads.c.seq)

messages = _object(
    "messages",
    _parent("thread_id", "threads"),
    Column("status", String, nullable=False),
    Column("incomplete_details", _Json),
    Column("completed_at", BigInteger),
    Column("incomplete_at", BigInteger),
    Column("role", String, nullable=False),
    Column("content", _Json, nullable=False),
    Column("assistant_id", String),
    Column("run_id", String),
    Column("attachments", _Json, nullable=False),
    Column("metadata", _Json, nullable=False),
)
Index(None, messages.c.thread_id, messages.c.seq)
Index(None, messages.c.run_id)

runs = _object(
    "runs",
    _parent("thread_id", "threads"),
    Column("assistant_id", String, nullable=False),
    Column("status", String, nullable=False),
    Column("required_action", _Json),
    Column("last_error", _Json),
    Column("expires_at", BigInteger),
    Column("started_at", BigInteger),
    Column("cancelled_at", BigInteger),
    Column("failed_at", BigInteger),
    Column("completed_at", BigInteger),
    Column("incomplete_details", _Json),
    Column("model", Text, nullable=False),
    Column("instructions", Text, nullable=False),
    Column("tools", _Json, nullable=False),
    Column("tool_resources", _Json, nullable=False, server_default="{}"),
    Column("metadata", _Json, nullable=False),
    Column("usage", _Json),
    Column("temperature", _Real()),
    Column("top_p", _Real()),
    Column("max_prompt_tokens", BigInteger),
    Column("max_completion_tokens", BigInteger),
    Column("truncation_strategy", _Json, nullable=False),
    Column("tool_choice", _Json),
    Column("parallel_tool_calls", Boolean, nullable=False),
    Column("response_format", _Json),
    Column("reasoning_effort", String),
    Column("progress", _Json),  # what the executor must remember across a wait for a client
    Column("lease_holder", String),  # the engine process that works on the run
    Column("lease_renewed_at", Float),  # its last sign of life
)
Index(None, runs.c.thread_id, runs.c.seq)
Index(None, runs.c.status)
# The thread lock: the database itself refuses a second active run.
_active = runs.c.status.in_(ACTIVE_RUN_STATUSES)
Index(
    "one_active_run_per_thread", runs.c.thread_id, unique=True, sqlite_where=_active, postgresql_where=_active
)

run_steps = _object(
    "run_steps",
    _parent("run_id", "runs"),
    Column("thread_id", String, nullable=False),
    Column("assistant_id", String, nullable=False),
    Column("type", String, nullable=False),
    Column("status", String, nullable=False),
    Column("step_details", _Json, nullable=False),
    Column("last_error", _Json),
    Column("expires_at", BigInteger),
    Column("expired_at", BigInteger),
    Column("cancelled_at", BigInteger),
    Column("failed_at", BigInteger),
    Column("completed_at", BigInteger),
    Column("metadata", _Json, nullable=False),
    Column("usage", _Json),
)
Index(None, run_steps.c.run_id, run_steps.c.seq)

files = _object(
    "files",
    Column("bytes", BigInteger, nullable=False),
    Column("filename", Text, nullable=False),
    Column("purpose", String, nullable=False),
    Column("status", String, nullable=False),
    Column("status_details", Text),
    Column("expires_at", BigInteger),
    Column("blob", String, nullable=False),  # where the bytes lie, see blobs.py
)
Index(None, files.c.owner, files.c.seq)
Index(None, files.c.expires_at)

uploads = _object(
    "uploads",
    Column("bytes", BigInteger, nullable=False),
    Column("filename", Text, nullable=False),
    Column("purpose", String, nullable=False),
    Column("mime_type", Text, nullable=False),
    Column("status", String, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("expires_after", _Json),  # of the file that the upload becomes
    Column("file_id", String),
)
Index(None, uploads.c.status, uploads.c.expires_at)

upload_parts = _object(
    "upload_parts",
    _parent("upload_id", "uploads"),
    Column("bytes", BigInteger, nullable=False),
    Column("blob", String, nullable=False),
)
Index(None, upload_parts.c.upload_id)

vector_stores = _object(
    "vector_stores",
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("expires_after", _Json),
    Column("expires_at", BigInteger),
    Column("last_active_at", BigInteger),
    Column("metadata", _Json, nullable=False),
)
Index(None, vector_stores.c.owner, vector_stores.c.seq)
Index(None, vector_stores.c.expires_at)

vector_store_file_batches = _object(
    "vector_store_file_batches",
    _parent("vector_store_id", "vector_stores"),
    Column("cancelled", Boolean, nullable=False, default=False),
)

# The ID of a vector store file is that of the file, so it is unique only within its store.
vector_store_files = _object(
    "vector_store_files",
    _parent("vector_store_id", "vector_stores"),
    Column("batch_id", String, ForeignKey("vector_store_file_batches.id", ondelete="SET NULL")),
    Column("status", String, nullable=False),
    Column("last_error", _Json),
    Column("usage_bytes", BigInteger, nullable=False, default=0),
    Column("chunking_strategy", _Json, nullable=False),
    Column("attributes", _Json, nullable=False),
    UniqueConstraint("vector_store_id", "id"),
    ForeignKeyConstraint(["id"], ["files.id"], ondelete="CASCADE"),
    id_unique=False,
)
Index(None, vector_store_files.c.id)
Index(None, vector_store_files.c.batch_id)
Index(None, vector_store_files.c.vector_store_id, vector_store_files.c.status)
Index(None, vector_store_files.c.vector_store_id, vector_store_files.c.seq)

# What file search has read: the text is kept here, everything that finds it can be made from it again.
# A document is the text of one file in one vector store, and has that row's number.
documents = Table(
    "documents",
    metadata,
    Column("seq", _Sequence, ForeignKey("vector_store_files.seq", ondelete="CASCADE"), primary_key=True),
    Column("complete", Boolean, nullable=False),  # false while its chunks are still being written
    Column("chunk_count", Integer, nullable=False, default=0),
    Column("usage_bytes", BigInteger, nullable=False, default=0),
    Column("word_index", String),  # the word index that has it, by its name; null if none has yet
    Column("vector_model", String),  # the embedding model that all of its chunks have vectors of
    Column("refused_chunks", Integer, nullable=False, server_default="0"),  # that got no vector of it
    Column("refusal", Text),  # why, as the embedding endpoint said it last
    Column("note", Text),  # what the reader of the file could not read as it stands
)
Index(None, documents.c.word_index, documents.c.complete)

chunks = Table(
    "chunks",
    metadata,
    Column("seq", _Sequence, primary_key=True),
    Column("document", _Sequence, ForeignKey("documents.seq", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),  # in the document, from 0
    Column("start", BigInteger, nullable=False),  # offsets in the document's text, in characters
    Column("end", BigInteger, nullable=False),
    Column("page", Integer),
    Column("line", Integer),
    Column("heading", Text, nullable=False),
    Column("text", Text, nullable=False),
    UniqueConstraint("document", "position"),
    sqlite_autoincrement=True,
)

chunk_vectors = Table(
    "chunk_vectors",
    metadata,
    Column("chunk", _Sequence, ForeignKey("chunks.seq", ondelete="CASCADE"), primary_key=True),
    Column("model", String, nullable=False),  # of which embedding model
    Column("vector", LargeBinary, nullable=False),  # one signed byte per dimension
)
