"""Builds the packages of distributions: one tree of files, and a .deb and an .rpm of it."""
