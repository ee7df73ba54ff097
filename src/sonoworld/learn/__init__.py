"""Learning from sound: what a room does to it, and who says what in it."""
