"""What every command that edits the registry shares: options, the way from plan to written, what people see of it."""
