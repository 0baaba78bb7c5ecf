"""The roads: command line, chat, page and query engine, all on `assistant.chain`."""

# How a command ends that was stopped. Here, since `assistant.__main__` needs it before anything else is imported.
INTERRUPTED = 130
STOPPED = "footnote: stopped; nothing is lost."
