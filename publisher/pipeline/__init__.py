"""From documents to a published snapshot, in the order of the main flow."""
