"""Rules of the parts of NumPy that are read when one of their functions is first met
(`rules.registry.arrived`).
"""
