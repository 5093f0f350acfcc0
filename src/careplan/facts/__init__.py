"""Small flat facts of tokens, booleans and bounded numbers: all that a rule can look at."""
