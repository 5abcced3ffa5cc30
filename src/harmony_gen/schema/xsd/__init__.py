"""XML Schema 1.0 → the grammar of its documents."""
