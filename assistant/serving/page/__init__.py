"""The page: a Gradio app that shows conversations, the documents, and each citation on the document itself.

layout.py says which components stand where and which event does what; each other room does one thing. What people read
stands in strings.toml, and what their browser runs in assets/.
"""
