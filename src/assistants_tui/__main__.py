"""`python -m assistants_tui` is the installed command."""

import sys

from assistants_tui.cli import main

if __name__ == "__main__":
    sys.exit(main())
