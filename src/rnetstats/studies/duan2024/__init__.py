"""The 527-patient margin study."""
