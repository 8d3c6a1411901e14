"""Where users, roles, keys, secrets and certificates are kept, in which form, and who somebody is by them.

What is granted to whom is told by `security.rules`.
"""
