"""Our own torch definitions of the networks that policies are trained as. The extra `torch` brings what they need; the run
path never imports them: it runs what was exported.
"""
