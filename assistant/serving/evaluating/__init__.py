"""How well the questions of a file are answered: each answer is judged by what is expected of it.

outcomes = [measure(case, folder, settings) for case in read_cases(Path("questions.csv"))]
figures = summarise(outcomes)

cases       the questions of a file, JSON lines or a table (table.py), and what is expected of each
texts       when a string stands in a text
judging     a question asked, its answer judged
figures     all outcomes together
intervals   how sure a figure is
runs        outcomes in a file
comparison  two runs, question by question
drafting    questions for a person to correct, made from documents
drafts      a file of them
"""
