"""OpenAI's protocol, by which other chats, programs and agents ask Footnote as if it were a model.

requests.py      what is asked, read and bounded          errors.py        what goes wrong, in OpenAI's form
footnotes.py     an answer as the text of a message       history.py       and that text, sent back, as an answer
following.py     the text of it that stays, as it comes   annotations.py   which words of it rest on what
chat.py          /v1/chat/completions                     responses.py     /v1/responses
"""
