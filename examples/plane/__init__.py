"""A reference execution plane: it plans, claims, "executes" and reports runs through Mainsheet's API alone.

It keeps no state of its own. All that it knows, it reads from the API again after a restart.
"""
