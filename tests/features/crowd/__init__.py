"""What many writers write at once."""
