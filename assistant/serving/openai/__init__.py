"""OpenAI's protocol, by which other chats, programs and agents ask Footnote as if it were a model.

requests.py    what is asked, read and bounded          history.py      earlier answers, from their text
following.py   the text that stays, as it comes         footnotes.py    an answer as the text of a message, and back
chat.py        /v1/chat/completions                     annotations.py  which words of it rest on what
responses.py   /v1/responses                            usage.py        how many tokens it took
wire.py        JSON and events, a line each             errors.py       what goes wrong, in OpenAI's form
"""
