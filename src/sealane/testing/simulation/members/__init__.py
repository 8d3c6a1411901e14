"""Worlds in which nodes form a cluster: one holds the data, others join it, and
another cluster reaches it through them.
"""
