"""An Answer is shown: as text, as Markdown with footnotes, as HTML. A document is data: nothing in it is live."""
