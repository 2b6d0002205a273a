"""Reference tables of identity: plain text, one entry a line, `#` comments; each file says where it comes from."""
