"""The Textual app: screens, panes, widgets, Markdown drawing and themes. It draws what `service` says."""
