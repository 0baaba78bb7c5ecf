"""What is asked, and what the conversation lends to it."""
