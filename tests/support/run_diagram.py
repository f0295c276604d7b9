"""The states of runs as the API's guide draws them, written down a second time: what tests compare with.

https://platform.openai.com/docs/assistants/deep-dive#run-lifecycle
"""

DIAGRAM = {
    ("queued", "in_progress"),  # picked up
    ("in_progress", "requires_action"),  # the model's turn holds function calls
    ("requires_action", "queued"),  # all outputs are submitted
    ("requires_action", "expired"),  # the deadline
    ("in_progress", "expired"),
    ("queued", "expired"),
    ("queued", "cancelling"),  # a request
    ("in_progress", "cancelling"),
    ("requires_action", "cancelling"),
    ("cancelling", "cancelled"),  # the work has stopped
    ("cancelling", "completed"),  # it ended first
    ("cancelling", "failed"),
    ("cancelling", "expired"),
    ("in_progress", "completed"),
    ("in_progress", "incomplete"),  # a budget of tokens is spent
    ("queued", "failed"),
    ("in_progress", "failed"),
}
"""Before and after each step that a run can take."""

ENTERED_AT = {
    "in_progress": {"started_at"},
    "completed": {"completed_at"},
    "incomplete": {"completed_at"},
    "cancelled": {"cancelled_at"},
    "failed": {"failed_at"},
}
"""The field of a run that says when it came into a state."""

AT_THE_END = {
    "completed": ("completed", "completed", None),
    "incomplete": ("completed", "incomplete", "max_tokens"),
    "cancelled": ("cancelled", "incomplete", "run_cancelled"),
    "failed": ("failed", "incomplete", "run_failed"),
    "expired": ("expired", "incomplete", "run_expired"),
}
"""By the state of a run that ends: those of its open step and message, and why that is incomplete."""
