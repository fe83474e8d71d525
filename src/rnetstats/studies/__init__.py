"""One folder a published study."""
