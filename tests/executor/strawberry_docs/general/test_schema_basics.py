"""Types that refer to each other, whose fields have functions as resolvers; a mutation with an input."""

import strawberry

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make


def author_of_book(root: "Book") -> "Author":
    return Author(name=f"author of {root.title}")


@strawberry.type
class Book:
    title: str
    author: "Author" = strawberry.field(resolver=author_of_book)


def books_of_author(root: "Author | None") -> list[Book]:
    return [Book(title="Jurassic Park")]


@strawberry.type
class Author:
    name: str
    books: list[Book] = strawberry.field(resolver=books_of_author)


def all_authors(root: None) -> list[Author]:
    return [Author(name="Michael Crichton")]


@strawberry.type
class Query:
    authors: list[Author] = strawberry.field(resolver=all_authors)
    books: list[Book] = strawberry.field(resolver=books_of_author)


@strawberry.input
class AddBook:
    title: str = strawberry.field(description="The title of the book")
    author: str


@strawberry.type
class Mutation:
    @strawberry.mutation
    def add_book(self, book: AddBook) -> Book:
        return Book(title=f"{book.title} by {book.author}")


async def test_a_query_has_the_shape_of_the_types(schema: Make) -> None:
    text = "query { books { title author { name books { title } } } authors { name } }"
    book = {
        "title": "Jurassic Park",
        "author": {"name": "author of Jurassic Park", "books": [{"title": "Jurassic Park"}]},
    }

    await schema(Query).gives(text, {"books": [book], "authors": [{"name": "Michael Crichton"}]}, Outcome.COMPILED)


async def test_a_mutation_has_the_shape_of_the_types(schema: Make) -> None:
    text = 'mutation { addBook(book: {title: "Fox in Socks", author: "Dr. Seuss"}) { title author { name } } }'
    title = "Fox in Socks by Dr. Seuss"

    await schema(Query, Mutation).gives(
        text, {"addBook": {"title": title, "author": {"name": f"author of {title}"}}}, Outcome.PARTS
    )
