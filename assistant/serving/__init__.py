"""The roads: command line, chat, page and query engine, all on `assistant.chain`."""
