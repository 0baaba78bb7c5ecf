"""Open the chat over the documents folder: `python app.py [FOLDER]`."""

import sys

from assistant.__main__ import main

if __name__ == "__main__":
    main(["chat", *sys.argv[1:]])
