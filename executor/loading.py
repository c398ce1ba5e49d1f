"""Writes the first half of the source: for each level, it collects the keys and calls the batches."""

from collections.abc import Hashable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from mainsheet.executor.code import by_type, items, read, type_name
from mainsheet.executor.relation import Asked, Attributes, Place
from mainsheet.executor.resolver import Resolver
from mainsheet.executor.shape import (
    Abstract,
    Field,
    Link,
    ListOf,
    Object,
    Shape,
    all_links,
    asks,
    attributes,
    gathered,
    link_of,
    links,
)
from mainsheet.executor.writer import Writer


@dataclass(frozen=True, eq=False)
class Group:
    """Fields of one level that share a call of a batch. `answers` is the variable that holds its results."""

    level: int
    answers: str
    call: Hashable
    fields: list[Field]


@dataclass(frozen=True, eq=False)
class Loaded:
    """What was loaded for one value: the groups in order, and the variables of the lists of what was read."""

    groups: list[Group]
    lists: list[str]


class Loading:
    """Writes the loading code. Afterwards it has the groups in order, and the variables of each field's keys.

    `resolving` are the shapes with resolvers below them.
    """

    def __init__(
        self, writer: Writer, shape: Shape, resolving: AbstractSet[Shape], *, some_attributes: bool, is_whole: bool
    ) -> None:
        self._writer = writer
        self._resolving = resolving
        self._attributes: dict[Hashable, Attributes] = attributes(shape) if some_attributes else {}
        self._is_alone = is_whole and not resolving and len([*all_links(shape)]) == 1
        self._lists: list[str] = []
        self._is_below_resolver = False
        self.repeated: dict[Field, dict[str, str]] = {}  # fields whose value is built for each of their parents
        self.groups: list[Group] = []
        self.keys: dict[Field, str] = {}
        self.questions: dict[Field, str] = {}
        self.values: dict[Field | ListOf | Abstract, str] = {}  # the variables of what was read, in order

    def write(self, shape: Shape, value: str, above: int = 0, *, is_below_resolver: bool = False) -> Loaded:
        """Write the code that loads what a value needs, except for what is below its resolvers.

        `above` is the number of relations above the value.
        """
        loaded, depth = Loaded([], []), above + 1
        self._lists, self._is_below_resolver = loaded.lists, is_below_resolver
        level = self._groups(depth, links(shape))
        if level:
            self._announce(level, depth)
            self._keep_values(shape)
            self._gather(shape, value)
        while level:
            questions = [self._question(group) for group in level]  # before any batch call: one may be refused
            for group, (wanted, question) in zip(level, questions, strict=True):
                self._ask(group, wanted, question)
            loaded.groups.extend(level)
            depth += 1
            asking = (found for group in level for field in group.fields for found in links(field.shape))
            below = self._groups(depth, asking)
            if below:
                self._announce(below, depth)
            for group in level:
                for field in group.fields:
                    self._gather_below(group, field)
            level = below
        self.groups += loaded.groups
        return loaded

    def _groups(self, level: int, fields: Iterable[Field]) -> list[Group]:
        groups: dict[tuple[Hashable, str], Group] = {}
        for field in fields:
            link = link_of(field)
            asked = link.arguments.text if link.arguments and link.relation.key else ""
            key = (link.relation.batch, asked)
            if key not in groups:
                groups[key] = Group(level, self._writer.fresh("m"), key, [])
            groups[key].fields.append(field)
            if self._is_below_resolver or field.shape in self._resolving:
                self.repeated[field] = {}
        return list(groups.values())

    def _announce(self, groups: list[Group], depth: int) -> None:
        self._writer.line(f"# level {depth}")
        for group in groups:
            for field in group.fields:
                self.keys[field] = self._writer.fresh("k")
                self._writer.line(f"{self.keys[field]} = {{}}")

    def _question(self, group: Group) -> tuple[str, str]:
        """Write a group's keys and question. Returns the names of the keys and of the question, if it has one."""
        write = self._writer
        keys = [self.keys[field] for field in group.fields]
        wanted = keys[0] if len(keys) == 1 else write.fresh("k")
        if len(keys) > 1:
            write.line(f"{wanted} = {{{', '.join(f'**{each}' for each in keys)}}}")
        link = link_of(group.fields[0])
        if not (link.arguments and link.relation.key):
            return wanted, ""
        question = write.fresh("q")
        write.line(f"{question} = {write.constant('question', link.arguments)}(variables) if {wanted} else None")
        return wanted, f", {question}"

    def _ask(self, group: Group, wanted: str, question: str) -> None:
        write = self._writer
        link = link_of(group.fields[0])
        call = write.constant("answers", link.relation.answers)
        call = (
            f"context.load({write.constant('call', group.call)}, {call}, " if self._resolving else f"{call}(context, "
        )
        write.line(f"# {', '.join(dict.fromkeys(field.name for field in group.fields))}")
        for name, value in self.asked(group).items():
            question += f", {name}={write.constant(name, value)}"
        write.line(f"{group.answers} = await {call}list({wanted}){question}) if {wanted} else NOTHING")

    def asked(self, group: Group) -> Asked:
        """Return the batch's further arguments, after the keys and the question."""
        link = link_of(group.fields[0])
        asked: Asked = {"place": Place(group.level, tuple(dict.fromkeys(field.path for field in group.fields)))}
        attributes = self._attributes.get(link.relation.batch)
        if attributes is not None:
            asked["attributes"] = attributes
        if self._is_alone and link.relation.is_one_statement:
            asked["alone"] = True
        return asked

    def _gather_below(self, group: Group, field: Field) -> None:
        if not asks(field.shape):
            return
        self._keep(field, field)
        self._keep_values(field.shape, field)
        key, value = self._writer.fresh("x"), self._writer.fresh("x")
        with self._writer.block(f"for {key} in {self.keys[field]}:"):
            for each, by_key in self.repeated.get(field, {}).items():
                self._writer.line(f"{each} = {by_key}[{key}] = []")
            self._writer.line(f"{value} = {group.answers}.get({key})")
            self._writer.line(f"{self.values[field]}.append({value})")
            with self._writer.block(f"if {value} is not None:"):
                self._gather(field.shape, value)

    def _keep_values(self, shape: Shape, field: Field | None = None) -> None:
        """Write a list for each thing that is read here, below a field's result if there is one.

        The response is built from these lists. Everything is read once, because others may change it while a batch is
        awaited.
        """
        for each in gathered(shape):
            self._keep(each, field)

    def _keep(self, what: Field | ListOf | Abstract, field: Field | None) -> None:
        """Write the list of one thing, or a dictionary of lists by key if the result is built for each parent."""
        values = self.values[what] = self._writer.fresh("v")
        if field in self.repeated:
            by_key = self.repeated[field][values] = self._writer.fresh("v")
            self._writer.line(f"{by_key} = {{}}")
        else:
            self._lists.append(values)
            self._writer.line(f"{values} = []")

    def _gather(self, shape: Shape, value: str) -> None:
        """Write the code that collects the next level's keys below a non-null value."""
        match shape:
            case ListOf():
                copy, item = self._writer.fresh("x"), self._writer.fresh("x")
                self._writer.line(f"{copy} = {items(value)}")
                self._writer.line(f"{self.values[shape]}.append({copy})")
                with self._writer.block(f"for {item} in {copy}:"):
                    self._gather_nullable(shape.item, item)
            case Object():
                for field in shape.fields.values():
                    self._gather_field(field, value)
            case Abstract():
                name = self._writer.fresh("x")
                self._writer.line(f"{name} = {type_name(self._writer, shape, value)}")
                self._writer.line(f"{self.values[shape]}.append({name})")
                by_type(self._writer, shape, name, _gathering_code_of, lambda each, _: self._gather(each, value))

    def _gather_nullable(self, shape: Shape, value: str) -> None:
        with self._writer.block(f"if {value} is not None:"):
            self._gather(shape, value)

    def _gather_field(self, field: Field, parent: str) -> None:
        if isinstance(field.source, Link):
            self._gather_key(field, field.source, parent)
        elif not isinstance(field.source, Resolver) and asks(field.shape):
            value = self._writer.fresh("x")
            self._writer.line(f"{value} = {read(self._writer, field, parent)}")
            self._writer.line(f"{self.values[field]}.append({value})")
            self._gather_nullable(field.shape, value)

    def _gather_key(self, field: Field, link: Link, parent: str) -> None:
        write = self._writer
        if link.relation.key is None:
            question = self.questions[field] = write.fresh("q")
            write.line(f"{question} = {write.constant('question', link.arguments)}(variables)")
            write.line(f"{self.keys[field]}[{question}] = None")
            return
        key = write.fresh("x")
        write.line(f"{key} = {parent}.{link.relation.key}")
        with write.block(f"if {key} is not None:"):
            write.line(f"{self.keys[field]}[{key}] = None")


def _gathering_code_of(shape: Object) -> Object | None:
    """Return what is equal for objects whose keys are collected by the same code: none if they have no relations."""
    return shape if asks(shape) else None
