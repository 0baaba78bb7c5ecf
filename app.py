"""Open the chat over the documents folder: `python app.py [FOLDER]`."""

import sys

from assistant.command_line import command

if __name__ == "__main__":
    command(["chat", *sys.argv[1:]])
