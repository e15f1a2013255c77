"""The store on real SQLite and real PostgreSQL: every test here runs on both, unless its name says which."""
