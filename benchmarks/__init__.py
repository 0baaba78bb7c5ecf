"""What we claim, each by one command."""
