"""A document as a person sees it: the blocks of its text, and its pages with the places of words on them."""
