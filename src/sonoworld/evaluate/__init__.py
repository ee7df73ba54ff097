"""How near an estimated sound field, room response or stem is to the true one, with intervals and reports."""
