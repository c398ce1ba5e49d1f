"""The commands of the mutations: load rows, apply the model's rules, return ids."""
