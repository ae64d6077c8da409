"""The control plane's keys: whom NATS lets in, as what, and until when. The pipeline knows nothing of it."""
