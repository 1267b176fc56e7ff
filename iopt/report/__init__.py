"""Plans and results for people. rich is imported when something is printed."""
