"""The 322-patient study of additional treatment after endoscopic resection."""
