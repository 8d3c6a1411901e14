"""Coverage-guided fuzzing of everything that reads bytes from others: `python -m scripts.fuzz`."""
