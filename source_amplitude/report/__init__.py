"""What a store holds, for people: a page and a grid for the terminal."""
