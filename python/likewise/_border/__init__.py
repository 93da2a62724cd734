"""Where arrays of any library become views for the engines, and results go back.

The only package that imports the compiled modules.
"""
