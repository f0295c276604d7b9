"""The half of the code interpreter that runs inside the sandbox.

Standard library only, plus ipykernel and py_landlock: nothing else of this package can be read from there.
"""
