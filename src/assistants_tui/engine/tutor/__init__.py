"""The offline tutor: a rule-based stand-in for a language model, for an engine that is connected to none.

It knows a few subjects, each a module that may take a question: equations, arithmetic, calculus, tables,
functions that the assistant declares. It computes by writing Python for the code interpreter, as a model
would, and answers from what that prints. To everything else it says plainly what it is and how to connect a
model.
"""

from assistants_tui.engine.tutor.tutor import Tutor

__all__ = ["Tutor"]
