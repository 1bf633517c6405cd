"""Parts of the stage that gives an encoder exits: what they read, how they are fitted or trained, and calibrated."""
