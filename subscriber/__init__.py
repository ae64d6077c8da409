"""The node: takes the newest snapshot, brings its targets to it, answers with an ack."""
