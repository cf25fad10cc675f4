"""The sale itself: waiting room, seats, orders, and the cell that one house runs on. Knows no HTTP."""
