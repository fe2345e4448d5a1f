"""Others' recordings become episodes here. What they do not say stays unknown: nothing is made up for it."""
