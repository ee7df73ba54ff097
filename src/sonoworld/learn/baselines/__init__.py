"""What a fitted room is compared with: plain rows, and neural fields re-implemented from their papers."""
