"""Treatment during follow-up, confounding, and what few or no events can show."""
