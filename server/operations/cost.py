"""The cost of an operation as a function of its variables: a polynomial in the sizes that they give."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Self

# Fragments that double at each step reach any number; beyond this one the exact number doesn't matter.
CEILING = 10**12


def capped(number: int) -> int:
    return min(number, CEILING)


@dataclass(frozen=True, slots=True, order=True)
class Size:
    """The length of a list: a number, or the largest that some variables give."""

    number: int
    variables: tuple[str, ...] = ()
    default: int = 0  # where a variable isn't given

    def of(self, variables: Mapping[str, Any]) -> int:
        return max(self.number, *(_length(variables.get(name), self.default) for name in self.variables))


def _length(value: Any, default: int) -> int:
    """Return the size given by a variable's value. A value of the wrong type is refused later, by coercion."""
    match value:
        case list():
            return len(value)
        case dict():
            return max((len(each) for each in value.values() if isinstance(each, list)), default=default)
        case int() | float():
            return int(min(max(value, 0), CEILING))
    return default


@dataclass(frozen=True, slots=True)
class Cost:
    """A polynomial: a constant, and the factor of each product of sizes that depend on variables."""

    constant: int
    terms: Mapping[tuple[Size, ...], int]

    @classmethod
    def of(cls, number: int) -> Self:
        return cls(capped(number), {})

    @classmethod
    def total(cls, costs: Iterable["Cost"]) -> Self:
        constant, terms = 0, dict[tuple[Size, ...], int]()
        for each in costs:
            constant += each.constant
            for sizes, count in each.terms.items():
                terms[sizes] = capped(terms.get(sizes, 0) + count)
        return cls(capped(constant), terms)

    def __mul__(self, size: Size) -> "Cost":
        if not size.variables:
            terms = {sizes: capped(count * size.number) for sizes, count in self.terms.items()}
            return Cost(capped(self.constant * size.number), terms if size.number else {})
        terms = {tuple(sorted((*sizes, size))): count for sizes, count in self.terms.items()}
        if self.constant:
            terms[size,] = self.constant
        return Cost(0, terms)

    def __call__(self, variables: Mapping[str, Any]) -> int:
        numbers = {size: size.of(variables) for sizes in self.terms for size in sizes}
        products = (count * prod(numbers[size] for size in sizes) for sizes, count in self.terms.items())
        return capped(self.constant + sum(products))


FREE = Cost.of(0)
