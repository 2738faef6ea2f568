"""What a person reads and writes in one conversation, kept current while its page is open."""
