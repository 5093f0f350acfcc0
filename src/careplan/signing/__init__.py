"""A plan that a clinician signed: the choice at each decision, the card to hand out, and whether all is as it was."""
