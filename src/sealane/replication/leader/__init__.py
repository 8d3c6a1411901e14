"""This cluster's indices as others follow them."""
