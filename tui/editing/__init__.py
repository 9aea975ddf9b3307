"""The job editor without its screen: drafts, fields, what is wrong, what would follow."""
