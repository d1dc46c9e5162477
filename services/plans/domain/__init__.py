"""What is true of units, offices and plans: pure rules, standard library only."""
