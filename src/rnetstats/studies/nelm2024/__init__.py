"""The 81-patient study of neuroendocrine liver metastases from pancreas and rectum."""
