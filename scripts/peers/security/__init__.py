"""The duel of verdicts: the same calls by the same people against a secured pair of real servers and a secured pair
of ours. Who may do what, and in which words the others are refused.
"""
