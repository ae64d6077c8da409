"""Tests of deploy: what is shipped for systemd, Docker and Kubernetes, run for real where that can be done."""
