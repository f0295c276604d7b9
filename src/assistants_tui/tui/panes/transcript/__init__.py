"""The pane with the messages of the shown conversation, and what the user does with one."""
