"""What a partner says of a child, held against what the agency has: what could be adopted, and what comes of it."""
