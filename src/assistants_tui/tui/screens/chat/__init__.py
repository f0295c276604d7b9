"""The main screen: the columns with the panes of one workspace, the lines around them, and its keys."""
