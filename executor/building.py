"""Writes the second half of the source: it builds the response from the deepest level up."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager

from mainsheet.executor.bounds import BYTE, COMMA, FIRST_STEP, NULL
from mainsheet.executor.code import by_type, items, read, type_name
from mainsheet.executor.coercing import Coercing
from mainsheet.executor.leaves import Leaf
from mainsheet.executor.loading import Group, Loaded, Loading
from mainsheet.executor.resolver import Resolver
from mainsheet.executor.shape import Abstract, Field, Link, ListOf, Object, Shape, TypeName, asks, is_leaf
from mainsheet.executor.sizes import Sizes
from mainsheet.executor.writer import Writer

NONE_READY: Mapping[Field, str] = {}


class Building:
    def __init__(
        self,
        writer: Writer,
        loading: Loading,
        resolving: AbstractSet[Shape],
        keeps_datetimes: bool,
        believes_rows: bool,
    ) -> None:
        self._writer = writer
        self._resolving = resolving  # the shapes with resolvers below them
        self._path_text = "p0"  # the source text of the value's path, if its shape is one of these
        self._coercing = Coercing(writer, keeps_datetimes, believes_rows)
        self._believes_rows = believes_rows
        self._loading = loading
        self._level = 0  # the number of relations above
        self._built: dict[Field, str] = {}
        self._sizes: dict[Field, str] = {}

    def write(self, shape: Shape) -> None:
        """Write the code that loads and builds the response, and returns it with the count of its bytes and values."""
        write = self._writer
        loaded = self._loading.write(shape, "value")
        write.line("n = c = 0.0")
        write.line(f"top = {FIRST_STEP * BYTE}")
        if self._resolving:
            write.line("new = []")
            write.line("p0 = context.path")
        self._build_all(loaded)
        write.line("# the answer")
        write.line("n0 = n + c")
        answer = write.fresh("x")
        write.line(f"{answer} = {self._value(shape, 'value')}")
        if self._resolving:
            write.line("await context.finish(new)")
        write.line("extent = extent_of(n + c - n0)")
        write.line("check(extent.size, limit)")
        write.line(f"return {answer}, extent")

    def _build_all(self, loaded: Loaded) -> None:
        """Write the code that builds what was loaded for one value."""
        for values in loaded.lists:
            self._writer.line(f"{values} = iter({values})")
        for group in reversed(loaded.groups):
            for field in group.fields:
                if field in self._loading.repeated:
                    self._repeat(group, field)
                else:
                    self._build(group, field)

    def _repeat(self, group: Group, field: Field) -> None:
        """Write a function that builds the result of a key for one parent, since its resolvers get its path."""
        write, outer_text, outer_level = self._writer, self._path_text, self._level
        key, value, build = write.fresh("x"), write.fresh("x"), write.fresh("build")
        self._path_text, self._level, self._built[field] = write.fresh("p"), group.level, build
        with write.function(f"async def {build}({key}, {self._path_text}, new):"):
            write.line("nonlocal n, c, top")
            for values, by_key in self._loading.repeated[field].items():
                write.line(f"{values} = iter({by_key}[{key}])")
            write.line(f"{value} = {self._kept(field) or f'{group.answers}.get({key})'}")
            write.line(f"return {self._completed(field.shape, value)}")
        self._path_text, self._level = outer_text, outer_level

    def _build(self, group: Group, field: Field) -> None:
        write = self._writer
        built = self._built[field] = write.fresh("b")
        key, value = write.fresh("x"), write.fresh("x")
        sizes = self._sizes[field] = write.fresh("s")
        write.line(f"# {field.name}")
        write.line(f"{built} = {{}}")
        write.line(f"{sizes} = {{}}")
        with write.block(f"for {key} in {self._loading.keys[field]}:"):
            write.line(f"{value} = {self._kept(field) or f'{group.answers}.get({key})'}")
            with write.block(f"if {value} is not None:"):
                size = "n + c" if asks(field.shape) else "n"
                write.line(f"n0 = {size}")
                write.line(f"{built}[{key}] = {self._value(field.shape, value)}")
                write.line(f"{sizes}[{key}] = {size} - n0")
                self._pause()

    def _kept(self, what: Field | ListOf | Abstract) -> str | None:
        """Return the expression for what was read before a batch was awaited, if it was."""
        values = self._loading.values.get(what)
        return f"next({values})" if values else None

    def _pause(self) -> None:
        with self._writer.block("if n > top:"):
            self._writer.line("top = await context.turn(pause(n))" if self._resolving else "top = await pause(n)")

    def _value(self, shape: Shape, value: str) -> str:
        """Write the code that completes and counts a non-null value. Returns the expression for the result."""
        match shape:
            case Leaf():
                return self._counted_leaf(shape, value)
            case ListOf():
                return self._list(shape, value)
            case Object():
                return self._object(shape, value)
            case Abstract():
                return self._abstract(shape, value)

    def _completed(self, shape: Shape, value: str) -> str:
        """Write the code that completes any value. A null in a non-null position ends the execution."""
        write = self._writer
        if isinstance(shape, Leaf):
            return self._counted_leaf(shape, value)
        answer = write.fresh("x")
        if not shape.nullable:
            with write.block(f"if {value} is None:"):
                write.line("raise ValueError('null')")
            return self._value(shape, value)
        with write.block(f"if {value} is None:"):
            write.line(f"{answer} = None")
        with write.block("else:"):
            write.line(f"{answer} = {self._value(shape, value)}")
        return answer

    def _counted_leaf(self, shape: Leaf, value: str, separator: int = COMMA) -> str:
        self._coercing.write(shape, value)
        sizes = Sizes(known=separator)
        sizes.leaf(shape, value)
        sizes.write(self._writer)
        return value

    def _list(self, shape: ListOf, value: str) -> str:
        write = self._writer
        answer, item = write.fresh("x"), write.fresh("x")
        write.line(f"{answer} = []")
        with write.block(f"for {item} in {self._kept(shape) or items(value)}:"):
            with self._write_path(f"len({answer}), None", is_needed=shape in self._resolving):
                write.line(f"{answer}.append({self._completed(shape.item, item)})")
            self._pause()
        write.line(f"n += len({answer}) - 1")
        return answer

    def _object(
        self, shape: Object, value: str, type_name: str | None = None, ready: Mapping[Field, str] = NONE_READY
    ) -> str:
        """Write the code of an object. `type_name` is the expression for its type's name if types share this.

        `ready` has the expressions for fields that are completed and counted already.
        """
        if not self._believes_rows or all(isinstance(field.source, TypeName) for field in shape.fields.values()):
            self._writer.line(f"real({value})")
        if shape.is_type_of is not None:
            self._writer.line(f"yes({self._writer.constant('is_type_of', shape.is_type_of)}({value}))")
        sizes = Sizes()
        if shape in self._resolving:
            return self._holder(shape, value, sizes, type_name)
        entries = [
            f"{key!r}: {ready.get(field) or self._entry(key, field, value, sizes, type_name)}"
            for key, field in shape.fields.items()
        ]
        sizes.write(self._writer)
        return f"{{{', '.join(entries)}}}"

    def _holder(self, shape: Object, value: str, sizes: Sizes, type_name: str | None) -> str:
        """Write the code for an object with resolvers below it, which may return after the object is built."""
        holder = self._writer.fresh("h")
        self._writer.line(f"{holder} = {{}}")
        for key, field in shape.fields.items():
            is_needed = field.shape in self._resolving or isinstance(field.source, Resolver)
            parent_name = type_name or repr(field.name.split(".")[0])
            with self._write_path(f"{key!r}, {parent_name}", is_needed=is_needed):
                if isinstance(field.source, Resolver):
                    sizes.entry(key)
                    self._resolve(key, field, field.source, value, holder)
                else:
                    self._writer.line(f"{holder}[{key!r}] = {self._entry(key, field, value, sizes, type_name)}")
        sizes.write(self._writer)
        return holder

    def _resolve(self, key: str, field: Field, resolver: Resolver, parent: str, holder: str) -> None:
        """Write the call of a resolver, and the function that completes what it returns, now or later."""
        write, outer_text = self._writer, self._path_text
        value, self._path_text, complete = write.fresh("x"), write.fresh("p"), write.fresh("complete")
        loads = asks(field.shape)
        with write.function(f"async def {complete}({value}, {self._path_text}, new):", is_scope=loads):
            write.line("nonlocal n, c, top")
            if loads:
                with write.block(f"if {value} is not None:"):
                    self._build_all(self._loading.write(field.shape, value, self._level, is_below_resolver=True))
            if isinstance(field.shape, Leaf):
                completed = self._counted_leaf(field.shape, value, separator=0)  # its entry has the comma
            else:
                completed = self._completed(field.shape, value)
            write.line(f"check(int(n // {BYTE}), limit)")
            write.line(f"return {completed}")
        self._path_text = outer_text
        write.line(f"{value} = {write.constant('resolve', resolver)}(context, {parent}, {outer_text})")
        write.line(f"{holder}[{key!r}] = None")
        with write.block(f"if is_awaitable({value}):"):
            write.line(f"context.wait_for(Pending({holder}, {outer_text}, {value}, {complete}), new)")
        with write.block("else:"):
            write.line(f"{holder}[{key!r}] = await {complete}({value}, {outer_text}, new)")

    @contextmanager
    def _write_path(self, key: str, *, is_needed: bool) -> Iterator[None]:
        """Write the path of what is written inside, if it is needed."""
        outer_text = self._path_text
        if is_needed:
            self._path_text = self._writer.fresh("p")
            self._writer.line(f"{self._path_text} = Path({outer_text}, {key})")
        yield
        self._path_text = outer_text

    def _entry(self, key: str, field: Field, parent: str, sizes: Sizes, type_name: str | None) -> str:
        """Write the code that completes a field and adds its size. Returns the expression for its value."""
        sizes.entry(key)
        match field.source:
            case TypeName(name):
                if name is not None:
                    sizes.known += len(name)
                    return repr(name)
                assert type_name  # noqa: S101 for the type checker: several types share the object
                sizes.own.append(f"len({type_name})")
                return type_name
            case Link() as link:
                return self._link(field, link, parent, sizes)
        value = self._writer.fresh("x")
        self._writer.line(f"{value} = {self._kept(field) or read(self._writer, field, parent)}")
        if field.shape in self._resolving:
            self._writer.line(f"{value} = context.keep({self._path_text}, {parent}, {value})")
        if isinstance(field.shape, Leaf):
            self._coercing.write(field.shape, value)
            sizes.leaf(field.shape, value)
            return value
        return self._completed(field.shape, value)

    def _link(self, field: Field, link: Link, parent: str, sizes: Sizes) -> str:
        if link.relation.key is None:
            key = self._loading.questions[field]
        else:
            key = self._writer.fresh("x")
            self._writer.line(f"{key} = {parent}.{link.relation.key}")
        if field in self._loading.repeated:
            value = self._writer.fresh("x")
            none = f" if {key} is not None else None" if field.shape.nullable else ""
            self._writer.line(f"{value} = await {self._built[field]}({key}, {self._path_text}, new){none}")
            return value
        built, size = self._built[field], self._sizes[field]
        if not field.shape.nullable:
            sizes.shared.append(f"{size}[{key}]")
            return f"{built}[{key}]"
        sizes.shared.append(f"{size}.get({key}, {NULL * BYTE})")
        return f"{built}.get({key})"

    def _abstract(self, shape: Abstract, value: str) -> str:
        answer, name = self._writer.fresh("x"), self._writer.fresh("x")
        self._writer.line(f"{name} = {self._kept(shape) or type_name(self._writer, shape, value)}")
        ready = self._common(shape, value)

        def build(each: Object, type_name: str | None) -> None:
            self._writer.line(f"{answer} = {self._object(each, value, type_name, ready)}")

        by_type(self._writer, shape, name, lambda each: each, build)
        return answer

    def _common(self, shape: Abstract, value: str) -> Mapping[Field, str]:
        """Write the code of the leaves that all types share, once. Returns the expressions for their values."""
        first, *others = shape.distinct
        if not others or any(each.is_type_of or each in self._resolving for each in shape.distinct):
            return NONE_READY
        common = [
            (key, field)
            for key, field in first.fields.items()
            if is_leaf(field.shape) and all(each.fields.get(key) is field for each in others)
        ]
        sizes = Sizes()
        ready = {field: self._entry(key, field, value, sizes, None) for key, field in common}
        if ready:
            sizes.write(self._writer)
        return ready
