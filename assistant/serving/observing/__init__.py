"""What is told of the work of a process to who runs it: a journal of lines, counters, spans. Never what it is about:
no question, no answer, no word, path or title of a document, unless that is asked for.
"""
