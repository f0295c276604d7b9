"""The half of the code interpreter that runs inside the sandbox.

Standard library only, plus ipykernel: nothing else of this package can be read from there.
"""
