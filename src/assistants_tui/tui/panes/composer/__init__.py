"""The composer: where messages are written, and the files and run options that go with them."""
