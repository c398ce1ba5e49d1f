"""The mutations: find, ask the model, answer with ids."""
