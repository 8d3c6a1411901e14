"""One module a group of operations: each gives its routes, with the services they work on."""
